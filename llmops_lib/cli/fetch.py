"""`llmops fetch`: traces out of a server's API into a file."""

import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.found import typed_moment
from llmops_lib.cli.groups import group
from llmops_lib.cli.options import RawSecrets
from llmops_lib.cli.screen import plain, progress, say, say_json

app = group("Pull traces out of a server's API into a file.")

Output = Annotated[
    Path, typer.Argument(help="File to write, JSON Lines; *.fetch.json beside it says how whole.")
]
From = Annotated[
    str, typer.Option("--from", help="Date (UTC) or time with offset that the window starts at.")
]
To = Annotated[str, typer.Option("--to", help="Date (UTC) or time with offset that ends it, not included.")]
Server = Annotated[
    str, typer.Option(help="Base address; without it, from the environment as the SDK reads it.")
]
PageSize = Annotated[int, typer.Option(min=0, help="Rows per page; 0 means as many as the server gives.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what another pull left there.")]
AllowHttp = Annotated[
    bool, typer.Option("--allow-http", help="Allow http beyond this machine: readable on the way.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write the outcome as JSON.")]


@app.command()
def langfuse(
    output: Output,
    start: From,
    end: To = "",
    server: Server = "",
    page_size: PageSize = 0,
    overwrite: Overwrite = False,
    allow_http: AllowHttp = False,
    raw: RawSecrets = False,
    as_json: AsJson = False,
) -> None:
    """Pull the observations of a Langfuse project; its keys come from the environment only.

    Set LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY and, unless it is Langfuse Cloud, LANGFUSE_BASE_URL.
    A pull that was stopped goes on where it was when the same command runs again. Keys and passwords in the
    rows are replaced before they are written.
    Exit codes: 0 whole, 1 not whole, 2 bad usage or refused.

    Example: llmops fetch langfuse exports/w46.jsonl --from 2026-11-09 --to 2026-11-16
    """
    from llmops_lib import FetchSettings, fetch_langfuse  # noqa: PLC0415 - keeps `llmops --help` fast

    settings = {"server": server or None, "page_size": page_size or None}
    switches = {"overwrite": overwrite, "allows_plain_http": allow_http, "is_raw": raw}
    first, last = typed_moment("--from", start), typed_moment("--to", end)
    if first is None:
        msg = "--from is empty; expected a date such as 2026-11-09"
        raise typer.BadParameter(msg)
    _run(
        lambda on_page: fetch_langfuse(
            output, start=first, end=last, settings=FetchSettings(**settings, **switches, on_page=on_page)
        ),
        output,
        is_raw=raw,
        as_json=as_json,
    )


@app.command()
def phoenix(
    output: Output,
    project: Annotated[str, typer.Option(help="Name or id of the project.")] = "default",
    start: From = "",
    end: To = "",
    server: Server = "",
    page_size: PageSize = 0,
    overwrite: Overwrite = False,
    allow_http: AllowHttp = False,
    raw: RawSecrets = False,
    as_json: AsJson = False,
) -> None:
    """Pull the spans of a Phoenix project, all of them; its key comes from the environment only.

    Set PHOENIX_COLLECTOR_ENDPOINT (or PHOENIX_HOST) and, where the server asks for one, PHOENIX_API_KEY.
    A pull that was stopped goes on where it was when the same command runs again. Keys and passwords in the
    rows are replaced before they are written.
    Exit codes: 0 whole, 1 not whole, 2 bad usage or refused.

    Example: llmops fetch phoenix exports/spans.jsonl --project support-bot
    """
    from llmops_lib import FetchSettings, fetch_phoenix  # noqa: PLC0415 - keeps `llmops --help` fast

    settings = {"server": server or None, "page_size": page_size or None}
    switches = {"overwrite": overwrite, "allows_plain_http": allow_http, "is_raw": raw}
    first, last = typed_moment("--from", start), typed_moment("--to", end)
    _run(
        lambda on_page: fetch_phoenix(
            output,
            project=project,
            start=first,
            end=last,
            settings=FetchSettings(**settings, **switches, on_page=on_page),
        ),
        output,
        is_raw=raw,
        as_json=as_json,
    )


def _run(pull: Callable[[Any], Any], output: Path, *, is_raw: bool, as_json: bool) -> None:
    from llmops_lib import AuditLog  # noqa: PLC0415 - as above
    from llmops_lib.errors import IncompleteFetchError  # noqa: PLC0415 - as above

    if is_raw:
        AuditLog.of_environment().append("unmasked", {"what": "fetch", "file": str(output)})
    # Retries are counted in the outcome; without a handler Python would print each of them.
    logging.getLogger("stamina").addHandler(logging.NullHandler())
    try:
        with progress("pulling") as advance:
            outcome = pull(advance)
    except IncompleteFetchError as error:
        sys.stderr.write(plain(f"incomplete: {error}") + "\n")
        if as_json:
            counts = {"rows_expected": error.rows_expected, "rows_received": error.rows_received}
            say_json({"is_complete": False, **counts, "error": str(error)})
        raise typer.Exit(1) from None
    if as_json:
        say_json(asdict(outcome))
        return
    if outcome.rows_expected is None:
        proof = "the server announces no count"
    else:
        proof = f"{outcome.rows_expected:,} announced by {outcome.announced_by}"
    say(
        f"{output}: {outcome.rows_received:,} rows, {proof}; {outcome.page_count:,} pages, "
        f"{outcome.retry_count:,} retries, {outcome.duplicates_dropped:,} duplicates dropped"
    )
