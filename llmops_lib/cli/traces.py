"""`llmops trace`: one trace as the on-call reads it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.found import say_unread
from llmops_lib.cli.groups import group
from llmops_lib.cli.options import ColumnsFile, NaiveTimezone, PriceFile, Source
from llmops_lib.cli.screen import say, say_json
from llmops_lib.cli.span_tree import print_tree

app = group("Read one trace.")


@app.command()
def show(
    source: Source,
    trace_id: Annotated[str, typer.Argument(help="Trace id.")],
    failed: Annotated[bool, typer.Option("--failed", help="Failed spans only, with their place.")] = False,
    excerpt: Annotated[int, typer.Option(min=0, max=2000, help="Longest excerpt of a text; 0: none.")] = 200,
    prices: PriceFile = None,
    naive_timezone: NaiveTimezone = "",
    columns: ColumnsFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the spans as JSON.")] = False,
) -> None:
    """Show a trace as a tree with durations, tokens, cost and errors; personal data and keys are masked.

    Runs of agents that are kept as lists of messages without times, as tau-bench keeps them, are read too.
    Exit codes: 0 found, 1 no such trace, 2 bad usage or input.

    Example: llmops trace show traces 4bf92f3577b34da6a3ce929d0e0e4736 --excerpt 80
    """
    from llmops_lib import find_traces, open_source, span_tree, with_excerpts  # noqa: PLC0415 - keeps `llmops --help` fast
    from llmops_lib.errors import UnknownFormatError  # noqa: PLC0415 - as above

    try:
        opened = open_source(source, timezone=naive_timezone or None, columns=columns)
        say_unread(opened)
        spans = find_traces(opened, [trace_id], prices=prices)
    except UnknownFormatError:
        run = _run(source, trace_id)
        if run is None:
            raise
        spans = run
    if spans.is_empty():
        if as_json:
            say_json({"spans": []})
        else:
            say(f"no trace {trace_id!r} in {source}")
        raise typer.Exit(1)
    tree = with_excerpts(span_tree(spans, trace_id=trace_id), limit=max(excerpt, 1))
    if not excerpt:
        tree = tree.drop([name for name in tree.columns if name.endswith("_excerpt")])
    # Without its ancestors a span would stand in the wrong place, so its depth is all that is kept of it.
    shown = tree.filter("is_error") if failed else tree
    if as_json:
        say_json({"spans": shown.to_dicts()})
    elif shown.is_empty():
        say(f"no span of trace {trace_id} failed; it has {tree.height:,}")
    else:
        print_tree(shown)


def _run(source: str, trace_id: str) -> Any:
    """The rows of a run, where the file holds lists of messages; None where it does not."""
    from llmops_lib import read_transcripts  # noqa: PLC0415 - as above
    from llmops_lib.errors import SourceError  # noqa: PLC0415 - as above

    try:
        runs = read_transcripts(Path(source))
    except SourceError:
        return None
    if runs.is_empty():
        return None
    found = runs.filter(runs["trace_id"] == trace_id)
    if found.is_empty():
        say(f"the runs in {source} are {', '.join(runs['trace_id'].unique(maintain_order=True).head(20))}")
    return found
