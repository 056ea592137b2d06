"""Values of Inspect scores as numbers, verdicts and labels."""

import math
from collections.abc import Iterator
from typing import Any

from llmops_lib.sources.refusals import Refused

_LETTERS: dict[str, tuple[float, bool | None]] = {
    "C": (1.0, True),
    "P": (0.5, None),
    "I": (0.0, False),
    "N": (0.0, False),
}
_WORDS = {"yes": True, "true": True, "no": False, "false": False}


def verdicts(scorer: str, value: Any) -> Iterator[dict[str, Any]]:
    """The columns `scorer`, `score`, `passed` and `label` of one value, or of each value that it holds.

    C is correct, P partially so, I incorrect and N no answer; P neither passes nor fails. Any other text is
    a label, with a score if it is a number. An object gives `scorer/key`, a list `scorer/1` and so on.

    Args:
        scorer: Name of the scorer.
        value: Value of its score.

    Raises:
        Refused: If the value nests deeper than one level.

    Source:
        https://inspect.aisi.org.uk/scorers.html (`value_to_float`)

    Example:
        >>> list(verdicts("match", "C"))
        [{'scorer': 'match', 'score': 1.0, 'passed': True, 'label': 'C'}]
        >>> [(row["scorer"], row["score"]) for row in verdicts("judge", {"tone": 4, "facts": "I"})]
        [('judge/tone', 4), ('judge/facts', 0.0)]
    """
    if isinstance(value, list):
        value = {str(position): item for position, item in enumerate(value, start=1)}
    if not isinstance(value, dict):
        yield {"scorer": scorer, **_verdict(value)}
        return
    for key, item in value.items():
        if isinstance(item, dict | list):
            raise Refused(reason="type", detail=f"value of {scorer[:100]} nests deeper than one level")
        yield {"scorer": f"{scorer}/{key}", **_verdict(item)}


def _verdict(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"score": float(value), "passed": value}
    if not isinstance(value, str):
        return {"score": value}
    if value in _LETTERS:
        score, passed = _LETTERS[value]
        return {"score": score, "passed": passed, "label": value}
    if value.lower() in _WORDS:
        passed = _WORDS[value.lower()]
        return {"score": float(passed), "passed": passed, "label": value}
    return {"score": _numeric(value), "label": value}


def _numeric(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
