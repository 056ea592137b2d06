"""What logs say of an incident: alerts, the audit log, and events of a breaker or a proxy."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.alerts.memory import recalled
from llmops_lib.errors import AlertError
from llmops_lib.safety.audit import Entry
from llmops_lib.safety.audit.reading import latest_entries
from llmops_lib.schema import UTC_DATETIME
from llmops_lib.signals.windows import incident_of

_BEFORE, _AFTER = timedelta(hours=2), timedelta(hours=24)
_MOST_ENTRIES = 100_000
_LOGGED = {"happened_at": UTC_DATETIME, "log": pl.String(), "event": pl.String()}

Row = tuple[datetime, str]


def incident_log(
    incident: Any, *, alerts: str | Path = "", audit: str | Path = "", events: str | Path = ""
) -> pl.DataFrame:
    """What logs say from two hours before an incident to a day after its end, or after it was noticed.

    Args:
        incident: One row of `find_incidents`.
        alerts: State file of `llmops alerts check` (`.NAME.llmops-alerts.json`), or a file that its rules
            write to. An alert has the time at which its breach began; neither file holds when it was sent.
        audit: Folder of an audit log; its entries are counted by action, as verified or not as they are.
        events: JSON lines with `happened_at` (ISO 8601 with an offset) and `event`, such as what a breaker
            or a proxy did.

    Returns:
        A polars DataFrame in order of time: `happened_at` (UTC), `log` (`alerts`, `audit`, `events`),
        `event`; no row for a log that is not given or says nothing of that time.

    Raises:
        IncidentError: If the incident is no single row.
        AlertError: If a line or a file is none of those.
        AuditError: If a line of the audit log is no entry.
    """
    one = incident_of(incident)
    start, end = one.start - _BEFORE, (one.end or one.detected) + _AFTER
    readers: tuple[tuple[str, str | Path, Callable[[Path], Iterator[Row]]], ...] = (
        ("alerts", alerts, _alerts),
        ("events", events, _events),
    )
    rows = [
        (at, log, _storable(event)) for log, path, read in readers if path for at, event in read(Path(path))
    ]
    table = pl.DataFrame(rows, schema=pl.Schema(_LOGGED), orient="row")
    near = table.filter(pl.col("happened_at").is_between(start, end))
    return pl.concat([near, _audited(Path(audit), start, end) if audit else table.clear()]).sort(
        "happened_at", "log", "event"
    )


def logs_account(log: pl.DataFrame, incident: Any, given: dict[str, str]) -> pl.DataFrame:
    """One row per log, given or not, with what it first said of an incident.

    Args:
        log: What `incident_log` returns.
        incident: One row of `find_incidents`.
        given: Path by the name of each log; empty where none is given.

    Returns:
        `log`, `status` (`no log given`, `says nothing of that time`, or how many entries), `first_at` (UTC),
        `after_onset_hours`, `first_event`.
    """
    onset = incident_of(incident).start
    rows = []
    for name, path in given.items():
        own = log.filter(log=name)
        first = own.row(0, named=True) if own.height else None
        said = f"{own.height:,} entries" if first else "says nothing of that time"
        rows.append(
            {
                "log": name,
                "status": said if path else "no log given",
                "first_at": first and first["happened_at"],
                "after_onset_hours": first and (first["happened_at"] - onset) / timedelta(hours=1),
                "first_event": first and first["event"],
            }
        )
    return pl.DataFrame(
        rows,
        schema_overrides={
            "first_at": UTC_DATETIME, "after_onset_hours": pl.Float64, "first_event": pl.String,
        },
    )  # fmt: skip


def _alerts(path: Path) -> Iterator[Row]:
    if path.suffix != ".jsonl":
        if not path.exists():
            msg = (
                f"{path}: there is no such record of alerts; name the state file or the file of a destination"
            )
            raise AlertError(msg)
        for episode in recalled(path):
            told = f"told to {', '.join(episode.delivered)}" if episode.delivered else "nobody was told"
            yield episode.started_at, f"[{episode.severity}] {episode.rule}: {episode.label} ({told})"
        return
    for number, line in _lines(path):
        yield (
            _moment(path, number, line, "started_at"),
            f"[{line.get('severity')}] {line.get('rule')}: {line.get('group')} (written to {path.name})",
        )


def _events(path: Path) -> Iterator[Row]:
    for number, line in _lines(path):
        yield _moment(path, number, line, "happened_at"), str(line.get("event"))


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read ({error}); expected JSON lines"
        raise AlertError(msg) from error
    # Not `splitlines`: JSON may hold a line separator (U+2028) as it is, which ends no line of a file.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            msg = f"{path}:{number}: found no JSON ({error}); expected one object a line"
            raise AlertError(msg) from error
        if not isinstance(row, dict):
            msg = f"{path}:{number}: found {type(row).__name__}; expected an object"
            raise AlertError(msg)
        yield number, row


def _moment(path: Path, number: int, line: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(line.get(name)))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = f"{path}:{number}: {name} is {line.get(name)!r}; expected a time in ISO 8601 with an offset"
        raise AlertError(msg)
    return moment.astimezone(UTC)


def _storable(text: str) -> str:
    """The text with U+FFFD in place of half a character, which no table can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _action(entry: Entry) -> str:
    decision = entry.details.get("decision")
    return f"{entry.action} ({decision})" if decision else entry.action


def _audited(folder: Path, start: datetime, end: datetime) -> pl.DataFrame:
    """One row per action and hour: single entries are too many to read."""
    entries = latest_entries(folder, limit=_MOST_ENTRIES)
    table = pl.DataFrame(
        [(datetime.fromisoformat(entry.at).astimezone(UTC), _storable(_action(entry))) for entry in entries],
        schema={"happened_at": UTC_DATETIME, "action": pl.String},
        orient="row",
    ).filter(pl.col("happened_at").is_between(start, end))
    hour_at = pl.col("happened_at").dt.truncate("1h").alias("hour_at")
    counted = table.group_by(hour_at, "action").agg(pl.col("happened_at").min(), pl.len())
    return counted.select(
        "happened_at",
        pl.lit("audit").alias("log"),
        pl.format("{} x {} in that hour", "len", "action").alias("event"),
    )
