"""How observations of one shape become columns, or that they must be read one by one.

A shape is all that decides which fields go where: the names of the fields, type and level, and the names
in the metadata. An export has few shapes, and what a shape asks for is worked out once.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS
from llmops_lib.sources.attributes import columns_of
from llmops_lib.sources.langfuse_fields import snake_case
from llmops_lib.sources.langfuse_metadata import is_read_alone
from llmops_lib.sources.langfuse_rows import IN_COLUMNS, OPERATION_BY_TYPE, operation_of_type

Shape = tuple[tuple[str, ...], Any, Any, Any]
"""Names of the fields, type, level, and the names in the metadata or the class of what is no object."""

# Fields that make an object a page, a download or an event instead of an observation.
_OF_OTHERS = frozenset(("batch", "body", "trace", "observations", "data", "exportSource"))


@dataclass(frozen=True, eq=False)
class Plan:
    """How observations of one shape become columns.

    Attributes:
        names: Their fields in snake_case.
        operation: What they do.
        is_call: Whether counts and cost are theirs.
        is_error: Whether they failed.
        attributes: Attribute of each field that no column holds.
        properties: Column of each name in the metadata, None where it is an attribute.
    """

    names: tuple[str, ...]
    operation: str
    is_call: bool
    is_error: bool
    attributes: dict[str, str]
    properties: dict[str, str | None]


def shape_of(observation: dict[str, Any]) -> Shape:
    """The shape of an object."""
    metadata = observation.get("metadata")
    inside = tuple(metadata) if metadata.__class__ is dict else metadata.__class__
    return tuple(observation), observation.get("type"), observation.get("level"), inside


@lru_cache(maxsize=2_000)
def plan_of(raw_names: tuple[str, ...], kind: Any, level: Any, inside: Any) -> Plan | None:
    """The plan of a shape, or None where it needs a closer look.

    Args:
        raw_names: Names of the fields as they are written.
        kind: Type of the observations.
        level: Level of the observations.
        inside: Names in the metadata, or the class of metadata that are no object.
    """
    names = tuple(map(snake_case, raw_names))
    is_unsure = (
        not isinstance(kind, str)
        or kind.upper() not in OPERATION_BY_TYPE
        or not isinstance(level, str | None)
        or len(set(names)) < len(names)
        or not _OF_OTHERS.isdisjoint(raw_names)
    )
    properties = None if is_unsure else _properties(inside)
    if properties is None:
        return None
    is_error = level == "ERROR"
    in_columns = {*IN_COLUMNS, *(("status_message",) if is_error else ())}
    in_columns |= {"level"} if level in ("DEFAULT", "ERROR") else set()
    # Metadata of the application alone name no operation.
    operation = operation_of_type(kind, "other")
    return Plan(
        names,
        operation,
        operation in MODEL_OPERATIONS,
        is_error,
        {name: f"langfuse.{name}" for name in names if name not in in_columns},
        properties,
    )


def _properties(inside: Any) -> dict[str, str | None] | None:
    if inside is type(None):
        return {}
    if not isinstance(inside, tuple) or is_read_alone(inside):
        return None
    columns = columns_of(tuple(f"metadata.{name}" for name in inside))
    held = [column for column in columns if column is not None]
    # Of two names of one column the more trusted counts, and that is for the closer look.
    return dict(zip(inside, columns, strict=True)) if len(set(held)) == len(held) else None
