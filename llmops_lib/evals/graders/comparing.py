"""Answers compared with what was expected: to the letter, normalized, as a number, by facts, by a schema."""

import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.evals.graders.answers import Graded, Verdict, normalized
from llmops_lib.json_schemas import misfits

_NUMBER = re.compile(
    r"(?<![\w.])[-+\u2212]?(?:\d{1,3}(?:[,\u00a0\u202f' ]\d{3})+|\d+)(?:\.\d+)?(?![\w]|\.\d)"
)
_WORDS = dict(
    enumerate("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen".split())  # noqa: SIM905
)


def exact(graded: Graded, settings: Mapping[str, Any]) -> Verdict | None:
    """A field equals what the case expects, to the letter.

    Args:
        graded: The answer.
        settings: `field` of the answer (the whole of it without), `expected`: name of what is expected.
    """
    expected = getattr(graded.case.expected, str(settings.get("expected", "answer")))
    if expected is None:
        return None
    return _equal(graded.field(settings.get("field")) == expected, f"expected {expected!r:.80}")


def normalized_match(graded: Graded, settings: Mapping[str, Any]) -> Verdict | None:
    """A field equals what the case expects but for case, width, spaces and punctuation at its ends.

    Args:
        graded: The answer.
        settings: As for `exact`.
    """
    expected = getattr(graded.case.expected, str(settings.get("expected", "answer")))
    if expected is None:
        return None
    found = graded.words(settings.get("field"))
    return _equal(normalized(found) == normalized(str(expected)), f"expected {expected!r:.80}")


def numeric(graded: Graded, settings: Mapping[str, Any]) -> Verdict | None:
    """A field states the expected number, in figures or, up to fourteen, in words.

    Args:
        graded: The answer.
        settings: `field`, and `tolerance`, the largest difference that counts as equal (0 without).
    """
    expected = graded.case.expected.number
    if expected is None:
        return None
    found = numbers_in(graded.words(settings.get("field")))
    tolerance = float(settings.get("tolerance", 0))
    is_stated = any(abs(number - expected) <= tolerance + 1e-9 * abs(expected) for number in found)
    return _equal(
        is_stated, f"expected {expected:g}, found {', '.join(f'{one:g}' for one in found) or 'none'}"
    )


def numbers_in(text: str) -> list[float]:
    """The numbers that a text states.

    Example:
        >>> numbers_in("Within 14 days, for 1,250.50 pounds or two vouchers.")
        [14.0, 1250.5, 2.0]
    """
    figures = [
        float(re.sub(r"[,\u00a0\u202f' ]", "", found).replace("\u2212", "-"))
        for found in _NUMBER.findall(text)
    ]
    words = re.findall(r"[a-z]+", text.casefold())
    return figures + [float(number) for number, word in _WORDS.items() if word in words and number > 1]


def facts(graded: Graded, settings: Mapping[str, Any]) -> Verdict | None:
    """A field holds every expected fact, in one of its wordings, and nothing that it must lack.

    The score is the share of facts that it holds; 0 where it holds what it must lack.

    Args:
        graded: The answer.
        settings: `field`.
    """
    expected = graded.case.expected
    if not expected.facts and not expected.lacks:
        return None
    text = normalized(graded.words(settings.get("field")))
    missing = [wordings[0] for wordings in expected.facts if not any(_holds(text, one) for one in wordings)]
    wrong = [one for one in expected.lacks if _holds(text, one)]
    share = 1 - len(missing) / len(expected.facts) if expected.facts else 1.0
    said = [f"lacks {one!r}" for one in missing] + [f"holds {one!r}" for one in wrong]
    label = "wrong" if wrong else "incomplete" if missing else "correct"
    return Verdict(0.0 if wrong else share, not missing and not wrong, label, "; ".join(said))


def json_schema(graded: Graded, settings: Mapping[str, Any]) -> Verdict | None:
    """The answer is JSON that fits a schema of the suite.

    Args:
        graded: The answer.
        settings: `schema`, its name; or `schema_from_case`: the one that the case names.
    """
    name = graded.case.expected.schema_name if settings.get("schema_from_case") else settings["schema"]
    if name is None:
        return None
    if graded.value is None:
        return Verdict(0.0, passed=False, label="invalid", explanation="is no JSON")
    wrong = misfits(graded.value, graded.schemas[str(name)])
    return Verdict(float(not wrong), not wrong, "invalid" if wrong else "valid", "; ".join(wrong[:5]))


def golden(graded: Graded, _settings: Mapping[str, Any]) -> Verdict | None:
    """The answer is the one that was accepted before; JSON is compared as JSON.

    Args:
        graded: The answer.
    """
    expected = graded.case.expected.golden
    if expected is None:
        return None
    found = graded.text if isinstance(expected, str) else graded.value
    return _equal(found == expected, "differs from the accepted answer")


def _holds(text: str, wording: str) -> bool:
    # Whole words: "14 days" must not be found in "114 days".
    return re.search(rf"(?<!\w){re.escape(normalized(wording))}(?!\w)", text) is not None


def _equal(is_equal: bool, otherwise: str) -> Verdict:
    return Verdict(
        float(is_equal), is_equal, "equal" if is_equal else "different", "" if is_equal else otherwise
    )
