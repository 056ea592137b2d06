"""The column mapping of a table of scores: which of its columns is which column of SCORES."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError
from llmops_lib.sources.results.score_checks import SCORE_COLUMNS
from llmops_lib.sources.table_mapping import checked_timezone, read_mapping_file, reject_unknown

_PARTS = ("columns", "constants", "timezone")
_VERDICTS = ("score", "passed", "label")
_MS_PER = {"s": 1_000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}


@dataclass(frozen=True)
class ScoreRule:
    """Where the values of one SCORES column come from.

    Attributes:
        column: Column of the table.
        factor: What its numbers are multiplied by.
    """

    column: str
    factor: float = 1.0


@dataclass(frozen=True)
class ScoreMapping:
    """How a table becomes SCORES.

    Attributes:
        columns: SCORES column -> rule.
        constants: SCORES column -> value of the rows for which the table has none.
        timezone: IANA zone of times that name none.
    """

    columns: Mapping[str, ScoreRule]
    constants: Mapping[str, Any] = field(default_factory=dict)
    timezone: str | None = None

    @property
    def scorer(self) -> str:
        """Scorer of rows that name none: the column that their verdict stands in."""
        return next(self.columns[name].column for name in _VERDICTS if name in self.columns)

    def checked_against(self, path: Path, found: tuple[str, ...]) -> None:
        """Holds the columns that the mapping reads against those of the table.

        Raises:
            SourceError: If one is absent; the message lists those there.
        """
        absent = [rule.column for rule in self.columns.values() if rule.column not in found]
        if absent:
            msg = f"{path}: the mapping reads columns {absent}, which the table lacks; it has {list(found)}"
            raise SourceError(msg)


def canonical_scores() -> ScoreMapping:
    """The mapping of a table whose columns bear the names of SCORES."""
    return ScoreMapping({name: ScoreRule(name) for name in SCORE_COLUMNS})


def read_score_mapping(stated: Mapping[str, Any] | str | Path) -> ScoreMapping:
    """The mapping that a dict or a YAML file states.

    Args:
        stated: SCORES columns to columns of the table, such as `{"example_id": "id", "score": "grade"}`; or
            `columns` with such a mapping, and beside it `constants` and `timezone`. A column may be
            `{"column": "seconds", "unit": "s"}` for `latency_ms`.

    Raises:
        SourceError: If it cannot be read, names an unknown column, or maps no example or no verdict.

    Example:
        >>> read_score_mapping({"example_id": "id", "score": "grade"}).scorer
        'grade'
    """
    parts = stated if isinstance(stated, Mapping) else read_mapping_file(Path(stated), example="score: grade")
    if not isinstance(parts.get("columns"), Mapping):
        parts = {"columns": parts}
    reject_unknown(parts, _PARTS, "parts")
    constants = parts.get("constants") or {}
    reject_unknown(parts["columns"], SCORE_COLUMNS, "columns")
    reject_unknown(constants, SCORE_COLUMNS, "columns")
    rules = {name: _rule(name, rule) for name, rule in parts["columns"].items()}
    if "example_id" not in rules or not any(name in rules for name in _VERDICTS):
        msg = f"the mapping has {list(rules)}; it must map example_id, and one of {_VERDICTS} at least"
        raise SourceError(msg)
    return ScoreMapping(rules, constants, checked_timezone(parts.get("timezone")))


def _rule(name: str, stated: Any) -> ScoreRule:
    parts = {"column": stated} if isinstance(stated, str) else stated
    if not isinstance(parts, Mapping) or not isinstance(parts.get("column"), str):
        msg = f"mapping of {name}: found {stated!r}, expected a column name or {{'column': ..., 'unit': ...}}"
        raise SourceError(msg)
    reject_unknown(parts, ("column", "unit") if name == "latency_ms" else ("column",), f"settings of {name}")
    unit = parts.get("unit", "ms")
    reject_unknown([unit], tuple(_MS_PER), f"units of {name}")
    return ScoreRule(parts["column"], _MS_PER[unit])
