"""Whether an answer rests on its passages, and whether it refuses what it must: baselines without a model."""

import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.evals.graders.answers import Graded, Verdict, normalized
from llmops_lib.evals.graders.comparing import numbers_in
from llmops_lib.refusals import refuses

_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[^\W\d_]{3,}")
_LEAST_SHARE = 0.6
_FREE = frozenset(
    """
    the and for with you your our can will are not from that this they them has have had was were been but
    any all may must also its per than then when within after before into onto out over under about
    """.split()  # noqa: SIM905 - a list of words is read as words
)


def faithfulness(graded: Graded, settings: Mapping[str, Any]) -> Verdict | None:
    """Every sentence of the answer is carried by one passage: its numbers and most of its words stand there.

    A lexical baseline: it finds invented numbers and foreign words, and no wrong use of the right ones. The
    score is the share of sentences that are carried.

    Args:
        graded: The answer; only those are judged that should answer, not refuse.
        settings: `field`; `context`: input that holds the passages; `least_share` of the words of a sentence
            that its passage must hold (0.6 without).
    """
    if graded.case.expected.status not in (None, "answered"):
        return None
    passages = [_passage(one) for one in graded.passages(str(settings.get("context")))]
    text = graded.words(settings.get("field")).strip()
    if not text:
        return Verdict(0.0, passed=False, label="empty", explanation="the answer is empty")
    least = float(settings.get("least_share", _LEAST_SHARE))
    sentences = [one for one in _SENTENCES.split(text) if one.strip()]
    unfounded = [one for one in sentences if not any(_carries(passage, one, least) for passage in passages)]
    share = 1 - len(unfounded) / len(sentences)
    label = "unfaithful" if unfounded else "faithful"
    return Verdict(
        share, not unfounded, label, f"not in a passage: {unfounded[0][:120]!r}" if unfounded else ""
    )


def refusal(graded: Graded, settings: Mapping[str, Any]) -> Verdict | None:
    """The answer refuses where it must, and nowhere else.

    Args:
        graded: The answer.
        settings: `field` with the text; `status_field` with `refused` where the answer says so itself, which
            goes before what the text sounds like; `needs_status`: whether only cases are judged that say
            what they expect.
    """
    if settings.get("needs_status") and graded.case.expected.status is None:
        return None
    must_refuse = graded.case.expected.status == "refused"
    status = graded.field(settings["status_field"]) if settings.get("status_field") else None
    has_refused = (
        status == "refused" if isinstance(status, str) else refuses(graded.words(settings.get("field")))
    )
    label = {(True, True): "refused", (False, False): "answered", (True, False): "complied"}
    verdict = label.get((must_refuse, has_refused), "over_refused")
    return Verdict(float(must_refuse == has_refused), must_refuse == has_refused, verdict)


def _passage(text: str) -> tuple[frozenset[str], frozenset[float]]:
    return _stems(text), frozenset(numbers_in(text))


def _carries(passage: tuple[frozenset[str], frozenset[float]], sentence: str, least: float) -> bool:
    words = _stems(sentence)
    has_numbers = set(numbers_in(sentence)) <= passage[1]
    return has_numbers and (not words or len(words & passage[0]) / len(words) >= least)


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:5] for word in _WORD.findall(normalized(text)) if word not in _FREE)
