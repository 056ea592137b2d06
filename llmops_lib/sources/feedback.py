"""Feedback of end users, told from the verdicts of evaluators by its name."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_NAME = re.compile(r"(?i:feedback)|(?:^|[^A-Za-z])[Rr]ating|[a-z]Rating|RATING")
_EVENT = "gen_ai.evaluation.result"


def is_feedback(name: Any) -> bool:
    """Whether a score of this name is what a user thought.

    Example:
        >>> [is_feedback(name) for name in ("user_feedback", "star-rating", "faithfulness", None)]
        [True, True, False, False]
    """
    return isinstance(name, str) and _NAME.search(name) is not None


def event_feedback(events: Sequence[Mapping[str, Any]]) -> float | None:
    """The feedback among the events of a span, the last one where there are several.

    Args:
        events: `{"name", "attributes"}` each, in order of time.

    Returns:
        The score in the source's own scale, or None.

    Source:
        OpenTelemetry GenAI semantic conventions 1.38, event gen_ai.evaluation.result.
    """
    scores = [_score(event) for event in events if event.get("name") == _EVENT]
    known = [score for score in scores if score is not None]
    return known[-1] if known else None


def _score(event: Mapping[str, Any]) -> float | None:
    attributes = event.get("attributes")
    if not isinstance(attributes, Mapping) or not is_feedback(attributes.get("gen_ai.evaluation.name")):
        return None
    value = attributes.get("gen_ai.evaluation.score.value")
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
