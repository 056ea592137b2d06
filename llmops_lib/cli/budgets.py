"""`llmops budgets`: limits as reviewed data, watched, looked back on, and given to a gateway."""

import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.budget_lines import say_status, say_windows
from llmops_lib.cli.found import say_unread
from llmops_lib.cli.groups import group
from llmops_lib.cli.options import Columns, NaiveTimezone, Prices, Source
from llmops_lib.cli.screen import plain, progress, say, say_json, write_new

app = group("Watch budgets that are kept as reviewed data.")

File = Annotated[Path, typer.Option("--budgets", help="File of budgets; docs/budgets.md describes it.")]
At = Annotated[
    str,
    typer.Option(
        help="Look from here: a time with offset, a date (its end, UTC) or now; else the last call."
    ),
]
Top = Annotated[int, typer.Option(min=1, help="How many rows of each budget are shown.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write every row as JSON.")]

DEFAULT = Path("budgets.yaml")
_COLUMNS = (
    "is_model_call",
    "started_at",
    "cost_usd",
    "input_tokens",
    "output_tokens",
    "tenant",
    "feature",
    "user_id",
    "model",
)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write; it must not exist.")] = DEFAULT,
) -> None:
    """Write an example file of budgets to start from.

    Exit codes: 0 written, 2 no file could be written.

    Example: llmops budgets init budgets.yaml
    """
    from llmops_lib.budgets.files import EXAMPLE  # noqa: PLC0415 - keeps `llmops --help` fast

    write_new(path, EXAMPLE.read_text(encoding="utf-8"))
    say(f"{path}: an example; change it, then try: llmops budgets status EXPORT_OR_STORE --budgets {path}")


@app.command()
def status(
    source: Source,
    budgets: File = DEFAULT,
    at: At = "",
    prices: Prices = "",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    top: Top = 10,
    as_json: AsJson = False,
) -> None:
    """Say how far each budget is spent, and where it is heading.

    Exit codes: 0 done, 2 bad usage or input.

    Example: llmops budgets status traces --budgets budgets.yaml --at 2026-11-15
    """
    _say_status(source, budgets, at, prices, naive_timezone, columns, top, as_json=as_json)


@app.command()
def check(
    source: Source,
    budgets: File = DEFAULT,
    at: At = "",
    prices: Prices = "",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    top: Top = 10,
    as_json: AsJson = False,
) -> None:
    """Say how far each budget is spent, and fail where one is used up.

    Exit codes: 0 none is, 1 one is in state stop, 2 bad usage or input. A warning or an unknown state does
    not fail the check.

    Example: llmops budgets check traces --budgets budgets.yaml --at now
    """
    rows = _say_status(source, budgets, at, prices, naive_timezone, columns, top, as_json=as_json)
    if any(row["state"] == "stop" for row in rows):
        raise typer.Exit(1)


@app.command()
def backtest(
    source: Source,
    budgets: File = DEFAULT,
    at: At = "",
    prices: Prices = "",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    top: Top = 10,
    as_json: AsJson = False,
) -> None:
    """Say when each budget would have warned and stopped in the past.

    Exit codes: 0 done, 2 bad usage or input.

    Example: llmops budgets backtest traces --budgets budgets.yaml
    """
    from llmops_lib import budget_backtest  # noqa: PLC0415 - as above

    calls, own, moment = _opened(source, budgets, at, prices, naive_timezone, columns)
    with progress("looking back"):
        rows = budget_backtest(calls, own, at=moment).to_dicts()
    if as_json:
        say_json({"windows": rows})
        return
    say_windows(rows, top)


@app.command()
def export(
    budgets: File = DEFAULT,
    litellm: Annotated[
        bool, typer.Option("--litellm", help="For a LiteLLM proxy: its settings and API requests.")
    ] = False,
) -> None:
    """Write budgets for the gateway that enforces them, as JSON.

    What the gateway cannot be told is in the answer under `not_expressed`, and on standard error.
    Exit codes: 0 everything is expressed, 1 something is not, 2 bad usage or input.

    Example: llmops budgets export --litellm > litellm-budgets.json
    """
    from llmops_lib import litellm_budgets, load_budgets  # noqa: PLC0415 - as above

    if not litellm:
        msg = "name the gateway: --litellm"
        raise typer.BadParameter(msg)
    exported = litellm_budgets(load_budgets(budgets))
    say_json(exported)
    for part in exported["not_expressed"]:
        sys.stderr.write(plain(f"not expressed: {part['budget']}: {part['reason']}") + "\n")
    if exported["not_expressed"]:
        raise typer.Exit(1)


def _say_status(
    source: str,
    budgets: Path,
    at: str,
    prices: str,
    naive_timezone: str,
    columns: str,
    top: int,
    *,
    as_json: bool,
) -> list[dict[str, Any]]:
    """Prints the status, and gives its rows."""
    from llmops_lib import budget_status  # noqa: PLC0415 - as above

    calls, own, moment = _opened(source, budgets, at, prices, naive_timezone, columns)
    with progress("adding up"):
        rows: list[dict[str, Any]] = budget_status(calls, own, at=moment).to_dicts()
    last_at = calls.filter(calls["is_model_call"])["started_at"].max()
    if as_json:
        say_json({"last_call_at": last_at, "budgets": rows})
    else:
        say_status(rows, last_at, top)
    return rows


def _opened(
    source: str, budgets: Path, at: str, prices: str, naive_timezone: str, columns: str
) -> tuple[Any, Any, datetime | None]:
    """Priced calls, budgets and the moment to look from; the small file is read first."""
    from llmops_lib import collected, load_budgets, open_source, price_calls  # noqa: PLC0415 - as above

    own, moment = load_budgets(budgets), _moment(at)
    with progress("reading"):
        opened = open_source(source, timezone=naive_timezone or None, columns=columns or None)
        say_unread(opened)
        priced = price_calls(opened.spans, prices=prices or None)
        return collected(priced.select(_COLUMNS)), own, moment


def _moment(text: str) -> datetime | None:
    if text in {"", "now"}:
        return datetime.now(UTC) if text else None
    try:
        if len(text) == len("2026-11-09"):
            following = datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=1)
            return following - timedelta(microseconds=1)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = f"{text!r} is no moment; expected a date, 2026-11-09, a time, 2026-11-09T08:00+01:00, or now"
        raise typer.BadParameter(msg, param_hint="--at")
    return moment.astimezone(UTC)
