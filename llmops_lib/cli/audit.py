"""`llmops audit`: the record of what was done."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.found import say_unread
from llmops_lib.cli.groups import group
from llmops_lib.cli.options import ColumnsFile, NaiveTimezone, Source
from llmops_lib.cli.screen import say, say_json

app = group("Check, show and add to the record of what was done.")

Folder = Annotated[
    Path | None, typer.Option("--log", help="Folder of the log; else LLMOPS_AUDIT, else reports/.audit.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write it as JSON.")]


@app.command()
def verify(
    log: Folder = None,
    anchor: Annotated[
        str, typer.Option(help="SEQ:HASH of an entry, as a manifest or an earlier check told it.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check that the log is as it was written, and name each place where it is not.

    The key of the hashes comes from LLMOPS_AUDIT_KEY, where they have one.
    Exit codes: 0 intact, 1 not as it was written, 2 no log, or one that cannot be checked.

    Example: llmops audit verify --anchor 4711:9524dac33f6b...
    """
    from llmops_lib import verify_audit  # noqa: PLC0415 - keeps `llmops --help` fast

    folder = _folder(log)
    found = verify_audit(folder, key=_key(), anchor=_anchor(anchor))
    facts: dict[str, Any] = {
        "log": str(folder),
        "is_intact": found.is_intact,
        "entries": found.entry_count,
        "files": found.file_count,
        "is_keyed": found.is_keyed,
        "head": f"{found.head[0]}:{found.head[1]}" if found.head else None,
    }
    if as_json:
        say_json({**facts, "problems": [vars(problem) for problem in found.problems]})
    else:
        state = "intact" if found.is_intact else "not as it was written"
        say(f"{folder}: {state}, {found.entry_count:,} entries in {found.file_count} files")
        for problem in found.problems:
            say(f"  {problem.file}:{problem.line}: {problem.what}")
        if found.entry_count and not found.is_keyed:
            say("hashes without a key: whoever can write the folder can write all of it anew")
        if found.head:
            say(f"head {facts['head']}; kept elsewhere, it tells a log that was cut or written anew")
    if not found.is_intact:
        raise typer.Exit(1)


@app.command()
def show(
    log: Folder = None,
    action: Annotated[str, typer.Option(help="Only this action, such as endpoint_call.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many entries, the latest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the latest entries.

    Exit codes: 0 shown, 2 no log, or one that cannot be read.

    Example: llmops audit show --action report_written --limit 5
    """
    from llmops_lib.errors import AuditError  # noqa: PLC0415 - as above
    from llmops_lib.safety.audit.reading import latest_entries  # noqa: PLC0415 - as above

    folder = _folder(log)
    if not folder.is_dir():
        msg = f"{folder}: no audit log there; name its folder, or set LLMOPS_AUDIT"
        raise AuditError(msg)
    entries = latest_entries(folder, limit=limit, action=action or None)
    if as_json:
        say_json({"entries": [vars(entry) for entry in entries]})
        return
    for entry in entries:
        details = ", ".join(
            f"{name} {value}" for name, value in entry.details.items() if value not in (None, [])
        )
        say(f"{entry.seq} {entry.at} {entry.actor} {entry.action}: {details}")


@app.command("record-agents")
def record_agents(
    source: Source,
    log: Folder = None,
    naive_timezone: NaiveTimezone = "",
    columns: ColumnsFile = None,
    as_json: AsJson = False,
) -> None:
    """Record the tool calls of agents that the spans tell of, each once, without the text of arguments.

    Exit codes: 0 recorded, 2 bad usage or input.

    Example: llmops audit record-agents traces
    """
    from llmops_lib import AuditLog, open_source, record_agent_actions  # noqa: PLC0415 - as above

    opened = open_source(source, timezone=naive_timezone or None, columns=columns)
    say_unread(opened)
    folder = _folder(log)
    added = record_agent_actions(opened.spans, AuditLog(folder, _key()))
    if as_json:
        say_json({"log": str(folder), "recorded": added})
    else:
        say(f"{folder}: recorded {added:,} tool calls that were not there yet")


def _folder(given: Path | None) -> Path:
    from llmops_lib.safety.audit.log import audit_folder  # noqa: PLC0415 - as above

    return given or audit_folder()


def _key() -> bytes | None:
    return os.environ.get("LLMOPS_AUDIT_KEY", "").encode() or None


def _anchor(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    seq, _, hash_ = text.partition(":")
    if not seq.isdigit() or len(hash_) != 64:
        msg = f"{text!r} is no anchor; expected the number and hash of an entry, such as 4711:9524dac3..."
        raise typer.BadParameter(msg, param_hint="--anchor")
    return int(seq), hash_
