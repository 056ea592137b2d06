"""The column mapping of a plain table: which of its columns is which column of SPANS."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from llmops_lib.errors import SourceError
from llmops_lib.schema import OPERATIONS, SPANS, UTC_DATETIME
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import parse_time

UNITS = ("s", "ms", "us", "ns")
PROVENANCE = ("source_format", "source_file", "source_line")
TIMES = tuple(column.name for column in SPANS.columns if column.dtype == UTC_DATETIME)
DURATIONS = tuple(column.name for column in SPANS.columns if column.unit == "ms")
TARGETS = tuple(name for name in SPANS.names if name not in PROVENANCE)
_PARTS = ("columns", "constants", "timezone", "token_convention")
_CONVENTIONS = ("inclusive", "exclusive")


@dataclass(frozen=True)
class ColumnRule:
    """Where the values of one SPANS column come from.

    Attributes:
        column: Column of the table.
        unit: `s`, `ms`, `us` or `ns` of a time or duration; found by size for a time when None.
        origin: Moment from which a time is counted, where the table holds offsets.
    """

    column: str
    unit: str | None = None
    origin: datetime | None = None


@dataclass(frozen=True)
class TableMapping:
    """How a table becomes SPANS.

    Attributes:
        columns: SPANS column -> rule.
        constants: SPANS column -> value of the rows for which the table has none.
        timezone: IANA zone of times that name none.
        is_exclusive: Whether the cache tokens come on top of input_tokens, which contains them in SPANS.
    """

    columns: Mapping[str, ColumnRule]
    constants: Mapping[str, Any] = field(default_factory=dict)
    timezone: str | None = None
    is_exclusive: bool = False

    def checked_against(self, path: Path, found: tuple[str, ...]) -> None:
        """Holds the columns that the mapping reads against those of the table.

        Raises:
            SourceError: If one is absent; the message lists those there.
        """
        absent = [rule.column for rule in self.columns.values() if rule.column not in found]
        if absent:
            msg = f"{path}: the mapping reads columns {absent}, which the table lacks; it has {list(found)}"
            raise SourceError(msg)


def canonical_mapping(timezone: str | None = None) -> TableMapping:
    """The mapping of a table whose columns already bear the names of SPANS."""
    return TableMapping({name: ColumnRule(name) for name in TARGETS}, timezone=checked_timezone(timezone))


def read_mapping(columns: Mapping[str, Any] | str | Path, *, timezone: str | None = None) -> TableMapping:
    """The mapping that a dict or a YAML file describes.

    Args:
        columns: `{"columns": {...}, "constants": {...}, "timezone": ..., "token_convention": ...}`,
            or the inner columns alone, `{"started_at": "TIMESTAMP"}`; or the path of a YAML file
            with either.
        timezone: IANA zone of times that name none, where the mapping does not say.

    Raises:
        SourceError: If a part, column, unit, zone or constant is unknown; the message lists the known.

    Example:
        >>> mapping = read_mapping({"started_at": "when", "latency_ms": {"column": "took", "unit": "s"}})
        >>> mapping.columns["latency_ms"]
        ColumnRule(column='took', unit='s', origin=None)
    """
    stated = (
        columns
        if isinstance(columns, Mapping)
        else read_mapping_file(Path(columns), example="started_at: TIMESTAMP")
    )
    parts: Mapping[str, Any] = stated if "columns" in stated else {"columns": stated}
    reject_unknown(parts, _PARTS, "parts of a mapping")
    rules: Mapping[str, Any] = parts["columns"] or {}
    constants: Mapping[str, Any] = parts.get("constants") or {}
    stated_zone: Any = parts.get("timezone") or timezone
    zone = checked_timezone(stated_zone)
    convention = str(parts.get("token_convention", "inclusive"))
    reject_unknown(rules, TARGETS, "columns to map to")
    reject_unknown(constants, TARGETS, "columns that can be constant")
    reject_unknown([convention], _CONVENTIONS, "values of token_convention")
    reject_unknown([constants.get("operation", "other")], OPERATIONS, "operations")
    _require_start(rules)
    read = {name: _rule(name, rule, zone) for name, rule in rules.items()}
    return TableMapping(read, constants, zone, is_exclusive=convention == "exclusive")


def checked_timezone(timezone: str | None) -> str | None:
    """The zone itself, once it is known to exist.

    Raises:
        SourceError: If it does not.
    """
    try:
        return timezone if timezone is None else ZoneInfo(timezone).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"timezone {timezone!r} is unknown; expected an IANA name such as 'UTC' or 'Europe/Berlin'"
        raise SourceError(msg) from error


def _require_start(rules: Mapping[str, Any]) -> None:
    if "started_at" in rules or {"ended_at", "latency_ms"} <= set(rules):
        return
    msg = f"the mapping has {list(rules)}; it must map started_at, or both ended_at and latency_ms"
    raise SourceError(msg)


def read_mapping_file(path: Path, *, example: str) -> Mapping[str, Any]:
    """What a YAML file of a column mapping states.

    Args:
        path: The file.
        example: An entry that would be right, for the error.

    Raises:
        SourceError: If it cannot be read or is no mapping.
    """
    try:
        stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"{path}: cannot read the column mapping: {error}"
        raise SourceError(msg) from error
    if not isinstance(stated, dict):
        msg = f"{path}: found {type(stated).__name__}, expected a mapping such as {example!r}"
        raise SourceError(msg)
    return stated


def _rule(name: str, stated: Any, timezone: str | None) -> ColumnRule:
    parts = {"column": stated} if isinstance(stated, str) else stated
    if not isinstance(parts, Mapping) or not isinstance(parts.get("column"), str):
        msg = f"mapping of {name}: found {stated!r}, expected a column name or {{'column': ..., 'unit': ...}}"
        raise SourceError(msg)
    allowed = ("column", "unit", "origin") if name in TIMES else ("column", "unit")
    reject_unknown(parts, allowed if name in TIMES + DURATIONS else ("column",), f"settings of {name}")
    unit = parts.get("unit", "ms" if name in DURATIONS else None)
    if unit is not None:
        reject_unknown([unit], UNITS, f"units of {name}")
    return ColumnRule(parts["column"], unit, _origin(name, parts.get("origin"), unit, timezone))


def _origin(name: str, stated: Any, unit: str | None, timezone: str | None) -> datetime | None:
    if stated is None:
        return None
    if unit is None:
        msg = f"mapping of {name}: an origin makes offsets of the values, so it needs a unit: one of {UNITS}"
        raise SourceError(msg)
    try:
        return parse_time(stated, timezone=timezone)
    except Refused as refusal:
        msg = f"mapping of {name}: origin {stated!r} is no time ({refusal}); write '2026-11-09T00:00:00Z'"
        raise SourceError(msg) from refusal


def reject_unknown(found: Any, known: tuple[str, ...], what: str) -> None:
    """Refuses names that a mapping may not use.

    Args:
        found: Names in the mapping.
        known: Names that may stand there.
        what: What they are names of, for the error.

    Raises:
        SourceError: If one is unknown; the message lists the known ones.
    """
    unknown = [name for name in found if name not in known]
    if unknown:
        msg = f"the mapping names {unknown}; known {what} are {list(known)}"
        raise SourceError(msg)
