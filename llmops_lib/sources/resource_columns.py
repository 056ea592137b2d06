"""Attributes of a resource as columns: worked out once for the many spans that share it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops_lib.sources.attribute_names import RESOURCE_COLUMN_OF


@dataclass(frozen=True)
class Resource:
    """What the spans of one resource have in common.

    Attributes:
        attributes: Its attributes.
        columns: Columns that they fill in a span that fills none of these itself.
        unmapped: The other attributes of such a span's resource.
    """

    attributes: Mapping[str, Any]
    columns: Mapping[str, Any]
    unmapped: Mapping[str, Any]


def described_resource(attributes: Mapping[str, Any]) -> Resource:
    """A resource, worked out once for all of its spans.

    Args:
        attributes: Attributes by their dotted names.
    """
    columns: dict[str, Any] = {}
    return Resource(attributes, columns, _fill_from_resource(columns, attributes))


def add_resource(row: dict[str, Any], rest: dict[str, Any], resource: Resource) -> None:
    """Fills the columns that a span leaves to its resource, and keeps the rest of the resource.

    Args:
        row: Columns of the span; changed in place.
        rest: Its attributes without a column; `otel.resource` is added.
        resource: Its resource.
    """
    if row.keys().isdisjoint(resource.columns):
        row |= resource.columns
        unmapped = resource.unmapped
    else:
        unmapped = _fill_from_resource(row, resource.attributes)
    if unmapped:
        rest["otel.resource"] = unmapped


def _fill_from_resource(row: dict[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    unmapped = {}
    for name, value in attributes.items():
        column = RESOURCE_COLUMN_OF.get(name)
        is_known = column is not None and is_name(value) and not str(value).startswith("unknown_service")
        if column is not None and is_known and row.get(column) in (None, value):
            row[column] = value
        else:
            unmapped[name] = value
    return unmapped


def is_name(value: Any) -> bool:
    """Whether a value of free properties can name something: text or a whole number."""
    return (isinstance(value, str) and value != "") or type(value) is int
