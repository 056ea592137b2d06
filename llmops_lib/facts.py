"""The facts a report rests on: one object that a notebook displays and the report machinery reads back."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmops_lib.errors import ReportError

FACTS_MIME = "application/vnd.llmops.facts+json"
"""Media type under which a notebook hands its facts to `run_report`."""

FLOAT_DIGITS = 6
"""Decimals that a fact keeps: the last bits of a sum differ between machines, its meaning does not."""

_FILE_FACTS = ("name", "sha256", "rows_read", "span_count", "quarantined_count")
_LISTED_FILES = 12


class Facts(dict[str, Any]):
    """What was read and counted, for which period, with sums that are known to close.

    Displayed as the last expression of a cell it gives an aligned listing for people and, under
    `FACTS_MIME`, the same values for the manifest of the report. `rows_read` and
    `quarantined_count` are the sums over the files.

    Args:
        period: Name of the period; becomes the folder of the report.
        files: One mapping per file: `name`, `sha256`, `rows_read`, `span_count`, `quarantined_count`.
        fingerprint: Content hash of everything read.
        is_synthetic: Whether the data is made up; the report then says so on top.
        figures: Further numbers and names (`call_count`, `spend_usd`, `unpriced_share`,
            `price_list_version` ...); None means unknown.

    Raises:
        ReportError: If a value is no finite number, text, flag or None, or the rows do not add up.

    Example:
        >>> rows = {"rows_read": 12, "span_count": 11, "quarantined_count": 1}
        >>> Facts(
        ...     period="2026-W46",
        ...     files=[{"name": "a.jsonl", "sha256": "52f1", **rows}],
        ...     fingerprint="9f2c",
        ...     is_synthetic=False,
        ...     call_count=10,
        ...     spend_usd=None,
        ... )
        period             2026-W46
        call_count         10
        spend_usd          unknown
        rows_read          12
        quarantined_count  1
        fingerprint        9f2c
        is_synthetic       no
        files              1
          a.jsonl 52f1: rows_read 12, span_count 11, quarantined_count 1
    """

    def __init__(
        self,
        *,
        period: str,
        files: Sequence[Mapping[str, Any]],
        fingerprint: str,
        is_synthetic: bool,
        **figures: Any,
    ) -> None:
        totals = _totals(files, figures)
        values = {
            "period": period,
            **{name: value for name, value in figures.items() if name not in totals},
            **totals,
            "fingerprint": fingerprint,
            "is_synthetic": is_synthetic,
        }
        super().__init__({name: _checked(name, value) for name, value in values.items()})
        self["files"] = [
            {key: _checked(f"files.{key}", value) for key, value in file.items()} for file in files
        ]

    def __repr__(self) -> str:
        rows = [*listed(self), ("files", str(len(self["files"])))]
        width = max(len(name) for name, _ in rows) + 2
        lines = [f"{name:<{width}}{text}" for name, text in rows]
        lines += [_file_line(file) for file in self["files"][:_LISTED_FILES]]
        unlisted = len(self["files"]) - _LISTED_FILES
        return "\n".join(lines + ([f"  ... and {unlisted} more"] if unlisted > 0 else []))

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, Any]:
        # IPython's display protocol is a method name, so the library needs no IPython.
        return {"text/plain": repr(self), FACTS_MIME: dict(self)}


def listed(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and text of each fact but the files, in order."""
    return ((name, shown(value)) for name, value in facts.items() if name != "files")


def shown(value: float | str | None) -> str:
    """A fact as text: thousands separated, four decimals, `unknown` for None.

    Example:
        >>> [shown(value) for value in (12345, 0.027, None, True, "2026-W46")]
        ['12,345', '0.0270', 'unknown', 'yes', '2026-W46']
    """
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return f"{value:,.4f}" if isinstance(value, float) else f"{value:,}"


def _file_line(file: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{name} {shown(value)}" for name, value in file.items() if type(value) is int)
    return f"  {file.get('name')} {str(file.get('sha256'))[:12]}: {counts}"


def _checked(name: str, value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return round(float(value), FLOAT_DIGITS)
    msg = (
        f"fact {name!r} is {value!r} ({type(value).__name__}); expected text, a finite number, "
        "a flag, or None where it is unknown"
    )
    raise ReportError(msg)


def _totals(files: Sequence[Mapping[str, Any]], figures: Mapping[str, Any]) -> dict[str, int]:
    for file in files:
        missing = [name for name in _FILE_FACTS if name not in file]
        if missing:
            msg = f"file {file.get('name')!r} lacks {missing}; expected {list(_FILE_FACTS)}"
            raise ReportError(msg)
        if file["rows_read"] != file["span_count"] + file["quarantined_count"]:
            msg = (
                f"{file['name']}: {file['rows_read']} rows were read, but {file['span_count']} spans and "
                f"{file['quarantined_count']} quarantined rows do not add up to that"
            )
            raise ReportError(msg)
    totals = {name: sum(file[name] for file in files) for name in ("rows_read", "quarantined_count")}
    for name, total in totals.items():
        if figures.get(name, total) != total:
            msg = f"{name} is given as {figures[name]}, but the files add up to {total}"
            raise ReportError(msg)
    return totals
