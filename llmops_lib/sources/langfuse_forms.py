"""Observations of one structure: which of their tokens holds which field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from llmops_lib.sources.json_skeletons import IS_TOKEN, skeleton_of, token_of
from llmops_lib.sources.json_tokens import SEPARATOR, words_of
from llmops_lib.sources.langfuse_fields import snake_case
from llmops_lib.sources.refusals import Refused

__all__ = ["WORDS", "Form", "form_of", "is_name_token"]

_NAMES = (
    "id",
    "traceId",
    "projectId",
    "parentObservationId",
    "type",
    "name",
    "environment",
    "startTime",
    "endTime",
    "completionStartTime",
    "level",
    "statusMessage",
    "version",
    "input",
    "output",
    "metadata",
    "model",
    "providedModelName",
    "internalModelId",
    "modelId",
    "modelParameters",
    "usageDetails",
    "costDetails",
    "totalCost",
    "inputPrice",
    "outputPrice",
    "totalPrice",
    "latency",
    "timeToFirstToken",
    "promptId",
    "promptName",
    "promptVersion",
    "createdAt",
    "updatedAt",
    "toolCalls",
    "toolCallNames",
    "toolDefinitions",
    "usagePricingTierName",
    "traceName",
    "traceTags",
    "traceTimestamp",
    "userId",
    "sessionId",
    "total",
    "role",
    "content",
)
_ALL_NAMES = tuple(dict.fromkeys((*_NAMES, *map(snake_case, _NAMES))))
WORDS = words_of(_ALL_NAMES, [f',"{name}":' for name in _ALL_NAMES])
"""Names of observations of the interface, of the API and of blob storage."""

_NAMED = ("metadata", "usageDetails", "usage_details", "costDetails", "cost_details", "usage")
_DECIDING = ("type", "level")
_MOST_PAIRS = 60


@dataclass(frozen=True, eq=False)
class Form:
    """How observations of one structure are written.

    Attributes:
        skeleton: Skeleton of them.
        between: Their even tokens.
        deciding: Tokens that decide something: type and level, and names that are no word.
        pairs: Tokens of names that stand in one object, and must not be the same.
    """

    skeleton: Mapping[str, Any]
    between: tuple[str, ...]
    deciding: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]


def form_of(structure: str | None) -> Form | None:
    """The form of observations, or None where each of them has to be parsed.

    Args:
        structure: What `json_tokens.tokens_of` gives.
    """
    if structure is None:
        return None
    tokens = structure.split(SEPARATOR)
    # A known name with a blank behind it would be no word, and could stand there twice.
    if any(token[:1].isspace() and token.lstrip()[:1] == ":" for token in tokens):
        return None
    try:
        skeleton = skeleton_of([WORDS.written(token) for token in tokens])
    except Refused:
        return None
    if not isinstance(skeleton, dict):
        return None
    pairs = tuple(_pairs(skeleton))
    deciding = {token_of(leaf) for name in _DECIDING if isinstance(leaf := skeleton.get(name), str)}
    deciding |= {token_of(name) for name in _unknown(skeleton)}
    deciding |= {token_of(name) for field in _NAMED for name in _unknown(skeleton.get(field))}
    is_short = len(pairs) <= _MOST_PAIRS
    return Form(skeleton, tuple(tokens), tuple(sorted(deciding)), pairs) if is_short else None


def is_name_token(name: str) -> bool:
    """Whether a name of a skeleton is no word but a token."""
    return IS_TOKEN.fullmatch(name) is not None


def _unknown(value: Any) -> list[str]:
    return [name for name in value if is_name_token(name)] if isinstance(value, dict) else []


def _pairs(value: Any) -> Iterator[tuple[int, int]]:
    if isinstance(value, dict):
        yield from combinations(map(token_of, _unknown(value)), 2)
        value = list(value.values())
    if isinstance(value, list):
        for held in value:
            yield from _pairs(held)
