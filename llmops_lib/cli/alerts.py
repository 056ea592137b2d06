"""`llmops alerts`: reviewed rules, checked on the latest calls; each episode is told of once."""

import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.found import say_refused
from llmops_lib.cli.groups import group
from llmops_lib.cli.options import ColumnsFile, NaiveTimezone, PriceFile, Source
from llmops_lib.cli.screen import plain, progress, say, say_json, write_new
from llmops_lib.views.formats import counted

app = group("Tell of spikes, slow, failed and expensive calls once.")


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write; it must not exist.")] = Path("alerts.yaml"),
) -> None:
    """Write an example of a file of alert rules, to be changed and reviewed.

    Exit codes: 0 written, 2 no file could be written.

    Example: llmops alerts init alerts.yaml
    """
    example = files("llmops_lib").joinpath("alerts", "example.yaml")
    write_new(path, example.read_text(encoding="utf-8"))
    say(f"{path}: written; next: llmops alerts check EXPORT_OR_STORE --rules {path} --dry-run")


@app.command()
def check(
    source: Source,
    rules: Annotated[Path, typer.Option(help="File of alert rules; docs/alerts.md describes it.")] = Path(
        "alerts.yaml"
    ),
    lookback: Annotated[
        str, typer.Option(help="How far back from the last call to look, such as 6h or 2d.")
    ] = "24h",
    state: Annotated[
        Path | None, typer.Option(help="File that remembers what was told; beside the source by default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing and remember nothing.")] = False,
    prices: PriceFile = None,
    naive_timezone: NaiveTimezone = "",
    columns: ColumnsFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the outcome as JSON.")] = False,
) -> None:
    """Check the latest calls against the rules and tell each destination of each episode once.

    Addresses of destinations come from environment variables that the rules name. A destination that
    cannot be reached is told at the next check. Run it as often as new calls come in.
    Exit codes: 0 nothing, 1 alerts are firing or could not be told, 2 bad usage or input.

    Example: llmops alerts check traces --rules alerts.yaml --dry-run
    """
    from llmops_lib import check_alerts  # noqa: PLC0415 - keeps `llmops --help` fast

    with progress("checking alerts"):
        outcome = check_alerts(
            source,
            rules,
            lookback=lookback,
            state=state,
            dry_run=dry_run,
            prices=prices,
            timezone=naive_timezone or None,
            columns=columns,
        )
    for name in dict.fromkeys(name for name, _episode in outcome.failed):
        sys.stderr.write(plain(f"could not reach {name}; it is told at the next check") + "\n")
    say_refused(outcome.refused_count, outcome.rows_read)
    if as_json:
        say_json(_as_json(outcome, dry_run=dry_run))
    else:
        _say(outcome, dry_run=dry_run)
    if outcome.episodes:
        raise typer.Exit(1)


def _say(outcome: Any, *, dry_run: bool) -> None:
    if outcome.as_of is None:
        say("no calls, so nothing to check")
        return
    told = {episode for _name, episode in outcome.sent}
    for episode in outcome.episodes:
        state = "new" if episode.id in outcome.new else "open" if episode.is_open(outcome.as_of) else "over"
        waits = f", waits: {', '.join(episode.pending)}" if episode.pending and not dry_run else ""
        news = (
            ", told now" if episode.id in told else ", would be told" if dry_run and episode.pending else ""
        )
        say(f"{episode.severity}  {episode.rule}: {episode.label}")
        say(f"  {episode.said}")
        say(f"  {state}, episode {episode.id[:10]}{news}{waits}")
    span = f"{outcome.since:%Y-%m-%d %H:%M} to {outcome.as_of:%Y-%m-%d %H:%M} UTC"
    say(f"{counted(len(outcome.episodes), 'episode')}, {len(outcome.new):,} new; looked at {span}")


def _as_json(outcome: Any, *, dry_run: bool) -> dict[str, Any]:
    return {
        "as_of": outcome.as_of,
        "since": outcome.since,
        "is_dry_run": dry_run,
        "refused_count": outcome.refused_count,
        "rows_read": outcome.rows_read,
        "episodes": [
            {
                "id": episode.id,
                "rule": episode.rule,
                "severity": episode.severity,
                "group": episode.label,
                "started_at": episode.started_at,
                "last_at": episode.last_at,
                "said": episode.said,
                "is_new": episode.id in outcome.new,
                "is_open": outcome.as_of is not None and episode.is_open(outcome.as_of),
                "told": list(episode.delivered),
                "waiting": list(episode.pending),
            }
            for episode in outcome.episodes
        ],
        "sent": [{"destination": name, "episode": episode} for name, episode in outcome.sent],
        "failed": [{"destination": name, "episode": episode} for name, episode in outcome.failed],
    }
