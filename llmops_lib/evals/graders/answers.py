"""An answer as graders see it, and what they say of it."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llmops_lib.evals.cases import Case
from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.refusals import Refused

_SPACES = re.compile(r"\s+")
_EDGES = " \t\n.,;:!?\"'`*"


@dataclass(frozen=True)
class Verdict:
    """What a grader says of one answer.

    Attributes:
        score: 0 to 1, or in the grader's own unit; None where it could not judge.
        passed: Whether the answer passes.
        label: The verdict in a word.
        explanation: Why, in a sentence.
    """

    score: float | None
    passed: bool | None
    label: str
    explanation: str = ""


@dataclass(frozen=True)
class Graded:
    """One answer to one case, with what was measured of the call.

    Attributes:
        case: The case.
        text: The answer.
        schemas: JSON Schemas of the suite, by name.
        latency_ms: Duration of the call.
        cost_usd: What it cost; None where unknown.
        tool_calls: Tools that it asks for, in the form of the API.
    """

    case: Case
    text: str
    schemas: Mapping[str, Mapping[str, Any]]
    latency_ms: float | None = None
    cost_usd: float | None = None
    tool_calls: Sequence[Mapping[str, Any]] = ()

    @cached_property
    def value(self) -> Any:
        """The answer as JSON; None where it is none, or no more than text.

        Example:
            >>> from llmops_lib.evals.cases import Case, Expected
            >>> case = Case(id="a", inputs={}, expected=Expected(), tags=["x"])
            >>> Graded(case, '{"status": "refused"}', {}).value, Graded(case, "Hi", {}).value
            ({'status': 'refused'}, None)
        """
        try:
            return parse_json(self.text.encode(errors="replace"))
        except Refused:
            return None

    def field(self, name: str | None) -> Any:
        """A field of a JSON answer, or the whole answer where no field is named; None where it lacks it."""
        if name is None:
            return self.text
        return self.value.get(name) if isinstance(self.value, dict) else None

    def words(self, name: str | None) -> str:
        """A field as text; an answer that is no JSON object stands for each of its fields."""
        found = self.field(name)
        if found is None:
            return "" if isinstance(self.value, dict) else self.text
        return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)

    def passages(self, name: str) -> list[str]:
        """The texts of the input that holds the passages: strings, or objects with a `text`."""
        context = self.case.inputs.get(name)
        found = context if isinstance(context, list) else [context]
        texts = [one.get("text") if isinstance(one, dict) else one for one in found]
        return [text for text in texts if isinstance(text, str)]


def normalized(text: str) -> str:
    """Text without differences that do not matter: case, width, spaces, punctuation at its ends.

    Example:
        >>> normalized("  Five\u00a0working  DAYS. ")
        'five working days'
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    return _SPACES.sub(" ", plain).strip(_EDGES)
