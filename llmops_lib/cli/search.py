"""`llmops search`: spans by who made them, what was said, what went wrong, when, cost and latency."""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.found import say_unread, span_lines, typed_moment
from llmops_lib.cli.options import ColumnsFile, NaiveTimezone, PriceFile, Raw, Source
from llmops_lib.cli.screen import say, say_json, writing
from llmops_lib.cli.span_tree import print_tree
from llmops_lib.views.formats import counted

_MOST_TREES = 10


def search(
    source: Source,
    text: Annotated[
        str, typer.Option(help="Text in a name, input, output or error; taken as it stands, in any case.")
    ] = "",
    user: Annotated[str, typer.Option("--user", help="User id.")] = "",
    session: Annotated[str, typer.Option("--session", help="Session (conversation) id.")] = "",
    request: Annotated[str, typer.Option("--request", help="Request id of the provider.")] = "",
    trace: Annotated[str, typer.Option("--trace", help="Trace id.")] = "",
    tenant: Annotated[str, typer.Option(help="Tenant.")] = "",
    feature: Annotated[str, typer.Option(help="Feature.")] = "",
    model: Annotated[str, typer.Option(help="Model that answered or was asked for.")] = "",
    error_type: Annotated[str, typer.Option(help="Error class, such as RateLimitError.")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="Failed spans only.")] = False,
    since: Annotated[str, typer.Option(help="Date (UTC) or time with offset of the earliest start.")] = "",
    until: Annotated[str, typer.Option(help="Date or time from which on spans are left out.")] = "",
    min_cost: Annotated[float | None, typer.Option(help="Least cost of a call, USD.")] = None,
    min_latency: Annotated[float | None, typer.Option(help="Least latency, ms.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many spans to show.")] = 20,
    tree: Annotated[bool, typer.Option("--tree", help="Show the whole trace of each, as a tree.")] = False,
    raw: Raw = False,
    prices: PriceFile = None,
    naive_timezone: NaiveTimezone = "",
    columns: ColumnsFile = None,
    csv: Annotated[Path | None, typer.Option(help="Write the spans as CSV too, without formulas.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write what was found as JSON.")] = False,
) -> None:
    """Find the latest spans that meet every condition; personal data and keys are masked.

    Exit codes: 0 found, 1 nothing found, 2 bad usage or input.

    Example: llmops search traces --error-type RateLimitError --since 2026-11-09

    Example: llmops search traces --trace 4bf92f3577b34da6a3ce929d0e0e4736 --tree
    """
    from llmops_lib import open_source, search_traces, with_excerpts  # noqa: PLC0415 - keeps `llmops --help` fast

    opened = open_source(source, timezone=naive_timezone or None, columns=columns)
    say_unread(opened)
    found = search_traces(
        opened,
        text=text or None,
        user_id=user or None,
        session_id=session or None,
        request_id=request or None,
        trace_id=trace or None,
        tenant=tenant or None,
        feature=feature or None,
        model=model or None,
        error_type=error_type or None,
        is_error=True if failed else None,
        since=typed_moment("--since", since),
        until=typed_moment("--until", until),
        min_cost_usd=min_cost,
        min_latency_ms=min_latency,
        limit=limit + 1,
        prices=prices,
    )
    traces = found.head(limit)["trace_id"].unique(maintain_order=True).to_list()
    if raw:
        _record_unmasking(source, traces)
    shown = with_excerpts(found.head(limit), is_raw=raw)
    if csv is not None:
        _write(csv, shown)
    if tree:
        _show_trees(opened, traces, prices, is_raw=raw, as_json=as_json)
    elif as_json:
        say_json({"spans": shown.to_dicts(), "is_more": found.height > limit})
    else:
        for span in shown.iter_rows(named=True):
            for line in span_lines(span):
                say(line)
        more = "; there are more, raise --limit or narrow the search" if found.height > limit else ""
        say(f"{counted(shown.height, 'span')} of {counted(len(traces), 'trace')}{more}")
    if found.is_empty():
        raise typer.Exit(1)


def _write(path: Path, shown: Any) -> None:
    from llmops_lib import write_csv  # noqa: PLC0415 - as above

    with writing(path, option="--csv"):
        write_csv(shown, path)


def _record_unmasking(source: str, traces: list[str]) -> None:
    from llmops_lib import AuditLog  # noqa: PLC0415 - as above

    AuditLog.of_environment().append(
        "unmasked",
        {"what": "search", "source": source, "trace_ids": traces[:100], "trace_count": len(traces)},
    )


def _show_trees(source: Any, traces: list[str], prices: Path | None, *, is_raw: bool, as_json: bool) -> None:
    from llmops_lib import find_traces, span_tree, with_excerpts  # noqa: PLC0415 - as above

    shown = traces[:_MOST_TREES]
    spans = find_traces(source, shown, prices=prices)
    trees = [with_excerpts(span_tree(spans, trace_id=trace), limit=100, is_raw=is_raw) for trace in shown]
    if as_json:
        say_json({"traces": [tree.to_dicts() for tree in trees], "is_more": len(traces) > len(shown)})
        return
    for tree in trees:
        print_tree(tree)
    more = f"; {len(shown)} are shown, name one with --trace" if len(traces) > len(shown) else ""
    say(f"{counted(len(traces), 'trace')}{more}")
