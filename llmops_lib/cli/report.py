"""`llmops report`: notebooks run with checked parameters, as HTML that opens offline."""

from glob import has_magic
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.groups import group
from llmops_lib.cli.options import Columns, Month, MonthZone, NaiveTimezone, Prices, Raw, Source
from llmops_lib.cli.screen import plain, progress, say, say_json

app = group(
    "Write a report as self-contained HTML.\n\n"
    "Only weekly and spenders can show personal data (--raw), which is recorded; no other does, on purpose."
)

Output = Annotated[Path, typer.Option(help="Folder that reports are written to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write the manifest as JSON.")]


@app.command()
def weekly(
    source: Source,
    week: Annotated[
        str, typer.Option(help="ISO week such as 2026-W46; without it, the last week with calls.")
    ] = "",
    by: Annotated[
        str, typer.Option(help="Dimensions that spend is broken down by, separated by commas.")
    ] = "model,feature,tenant",
    timezone: Annotated[str, typer.Option(help="Zone whose midnights bound the week.")] = "UTC",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    prices: Prices = "",
    top: Annotated[int, typer.Option(min=1, max=100, help="How many calls each list of calls shows.")] = 5,
    raw: Raw = False,
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write the weekly cost and latency report.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report weekly traces --week 2026-W46 --by tenant,feature
    """
    parameters = {
        "source": source,
        "week": week,
        "by": by,
        "timezone": timezone,
        "naive_timezone": naive_timezone,
        "columns": columns,
        "prices": prices,
        "top": top,
        "raw": raw,
    }
    write_report("weekly", output, parameters, as_json=as_json)


@app.command()
def spenders(
    source: Source,
    month: Month = "",
    by: Annotated[
        str, typer.Option(help="Dimensions whose largest spenders are listed, separated by commas.")
    ] = "tenant,user_id,feature,prompt_name,model",
    top: Annotated[int, typer.Option(min=1, max=100, help="How many spenders each list shows.")] = 20,
    timezone: MonthZone = "UTC",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    prices: Prices = "",
    raw: Raw = False,
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write the monthly review of who spends, why it changed and what would cost less.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report spenders traces --month 2026-11 --top 20
    """
    parameters = {
        "source": source,
        "month": month,
        "by": by,
        "top": top,
        "timezone": timezone,
        "naive_timezone": naive_timezone,
        "columns": columns,
        "prices": prices,
        "raw": raw,
    }
    write_report("spenders", output, parameters, as_json=as_json)


@app.command()
def postmortem(
    source: Source,
    around: Annotated[
        str,
        typer.Option(
            help="Time such as 2026-11-18T14:00Z, or a trace id; without it, the incident noticed last."
        ),
    ] = "",
    scores: Annotated[str, typer.Option(help="Eval results: a file, folder or pattern.")] = "",
    filters: Annotated[
        bool, typer.Option("--filters", help="Search answers for personal data, keys and injections too.")
    ] = False,
    prompts: Annotated[str, typer.Option(help="Folder of prompts in git, whose commits are suspects.")] = "",
    alerts: Annotated[str, typer.Option(help="Record of `llmops alerts check`, or the file it tells.")] = "",
    audit: Annotated[str, typer.Option(help="Folder of the audit log.")] = "",
    events: Annotated[str, typer.Option(help="JSON lines with happened_at and event, as of a breaker.")] = "",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    prices: Prices = "",
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write the postmortem of an incident: impact, timeline, evidence, likely causes, playbooks, actions.

    Where no incident is within a day, the report `quiet-time` is written in its place.

    Exit codes: 0 written, 1 no incident is there (the quiet time is written), 2 bad usage or input.

    Example: llmops report postmortem traces --around 2026-11-18T14:00Z --scores evals/runs
    """
    parameters = {
        "source": source,
        "around": around,
        "scores": scores,
        "filters": filters,
        "prompts": prompts,
        "alerts": alerts,
        "audit": audit,
        "events": events,
        "naive_timezone": naive_timezone,
        "columns": columns,
        "prices": prices,
    }
    from llmops_lib.errors import NoIncidentError  # noqa: PLC0415 - keeps `llmops --help` fast

    try:
        write_report("postmortem", output, parameters, as_json=as_json)
    except NoIncidentError as error:
        typer.echo(plain(str(error)), err=True)
        quiet = {name: parameters[name] for name in _OF_QUIET_TIME}
        write_report("quiet-time", output, quiet, as_json=as_json)
        raise typer.Exit(1) from None


_OF_QUIET_TIME = ("source", "around", "scores", "filters", "naive_timezone", "columns", "prices")


@app.command("quiet-time")
def quiet_time(
    source: Source,
    around: Annotated[
        str, typer.Option(help="Time such as 2026-11-18T14:00Z, or a trace id; without it, the end.")
    ] = "",
    scores: Annotated[str, typer.Option(help="Eval results: a file, folder or pattern.")] = "",
    filters: Annotated[
        bool, typer.Option("--filters", help="Search answers for personal data, keys and injections too.")
    ] = False,
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    prices: Prices = "",
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write what was looked at around a time, and how small an incident would have been noticed.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report quiet-time traces --around 2026-11-18T14:00Z
    """
    parameters = {
        "source": source,
        "around": around,
        "scores": scores,
        "filters": filters,
        "naive_timezone": naive_timezone,
        "columns": columns,
        "prices": prices,
    }
    write_report("quiet-time", output, parameters, as_json=as_json)


_PATHS = (
    "source",
    "run",
    "scores",
    "baseline",
    "redteam",
    "redteam_before",
    "labels",
    "sample",
    "budgets",
    "columns",
    "prices",
    "prompts",
    "policy",
    "risks",
    "audit",
)


def _check_paths(parameters: dict[str, Any]) -> None:
    """Refuses what is not there before a kernel starts, which takes seconds.

    Raises:
        BadParameter: If the source is empty, which a notebook takes for its synthetic one.
        SourceNotFoundError: If a path leads nowhere.
    """
    from llmops_lib.errors import SourceNotFoundError  # noqa: PLC0415 - as above

    if parameters.get("source") == "":
        msg = "the source is empty; expected an export or a store (is a variable of the shell unset?)"
        raise typer.BadParameter(msg)
    for name in _PATHS:
        path = parameters.get(name)
        if path and not has_magic(str(path)) and not Path(path).exists():
            msg = (
                f"{path}: there is no such file or directory; look at the spelling and the working directory"
            )
            raise SourceNotFoundError(msg)


def write_report(name: str, output: Path, parameters: dict[str, Any], *, as_json: bool) -> None:
    """Writes a report with a progress bar and says where it is, or writes its manifest as JSON.

    Args:
        name: Name of the report.
        output: Folder of all reports.
        parameters: Values for its notebook.
        as_json: Whether the manifest is what is said.
    """
    from llmops_lib import run_report  # noqa: PLC0415 - keeps `llmops --help` fast

    _check_paths(parameters)
    with progress(f"{name} report") as advance:
        written = run_report(name, output=output, on_progress=advance, **parameters)
    if as_json:
        say_json(written.manifest)
    else:
        say(f"{written.html}")
