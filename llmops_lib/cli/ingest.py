"""`llmops ingest`: exports into a span store."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.options import RawSecrets
from llmops_lib.cli.screen import reading_progress, say, say_json

_LISTED = 12
"""Doubts about completeness that are listed."""


def ingest_exports(
    exports: Annotated[list[str], typer.Argument(help="Files, folders or patterns such as 'exports/**'.")],
    store: Annotated[Path, typer.Option("--store", help="Folder of the span store; made if absent.")],
    columns: Annotated[
        Path | None, typer.Option(help="Column mapping (YAML) for plain tables; see docs/loading.md.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times that name none, such as 'Europe/Berlin'.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that read several files; 0: as many as pay off.")
    ] = 0,
    raw: RawSecrets = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write the outcome as JSON.")] = False,
) -> None:
    """Add exports to a span store: partitioned Parquet that any engine reads.

    The same export twice changes nothing, and exports that overlap do not count twice. What speaks
    against the completeness of the store is listed at the end. Keys and passwords are replaced in whatever
    is written; the exports themselves stay as they are.
    Exit codes: 0 done, 2 bad usage or input.

    Example: llmops ingest exports/*.jsonl --store traces
    """
    from llmops_lib import completeness, ingest  # noqa: PLC0415 - keeps `llmops --help` fast

    if raw:
        _record("unmasked", {"what": "ingest", "store": str(store)})
    with reading_progress("ingesting") as advance:
        outcome = ingest(
            exports,
            store,
            timezone=timezone,
            columns=columns,
            workers=workers or None,
            is_raw=raw,
            on_read=advance,
        )
    if outcome.files:
        counts = {name: value for name, value in asdict(outcome).items() if isinstance(value, int)}
        _record("ingested", {"store": str(store), "is_raw": raw, **counts})
    checks = completeness(store).to_dicts()
    if as_json:
        say_json({**asdict(outcome), "completeness": checks})
        return
    say(
        f"{store}: read {outcome.rows_read:,} rows from {outcome.files} files, "
        f"added {outcome.span_count_added:,} spans, quarantined {outcome.quarantined_count:,}, "
        f"skipped {outcome.skipped_files} files that were there already"
    )
    if outcome.secret_count:
        say(f"replaced {outcome.secret_count:,} keys and passwords in their texts")
    doubts = [check for check in checks if check["status"] in ("broken", "suspect")]
    for doubt in doubts[:_LISTED]:
        say(f"{doubt['status']}: {doubt['check']} in {doubt['source_file'] or store}: {doubt['detail']}")
    if len(doubts) > _LISTED:
        say(f"... and {len(doubts) - _LISTED} more doubts; completeness() lists them all")


def _record(action: str, details: dict[str, Any]) -> None:
    from llmops_lib import AuditLog  # noqa: PLC0415 - as above

    AuditLog.of_environment().append(action, details)
