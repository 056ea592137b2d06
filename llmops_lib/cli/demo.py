"""`llmops demo`: a synthetic export to try everything on."""

from pathlib import Path
from typing import Annotated

import typer

from llmops_lib.cli.screen import progress, say, say_json


def demo(
    path: Annotated[Path, typer.Argument(help="File to write, OTLP/JSON lines.")] = Path("demo-export.jsonl"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same file, byte for byte.")] = 7,
    weeks: Annotated[int, typer.Option(min=2, max=60, help="How many weeks of traffic.")] = 6,
    calls_per_week: Annotated[int, typer.Option(min=100, help="Model calls per week.")] = 8_000,
    last_week: Annotated[str, typer.Option(help="ISO week that the traffic ends with.")] = "2026-W46",
    experiment: Annotated[
        bool, typer.Option("--experiment", help="Run two versions of a prompt side by side, by user.")
    ] = False,
    regression: Annotated[
        bool, typer.Option("--regression", help="Release a prompt in the last week that users rate badly.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write the facts as JSON.")] = False,
) -> None:
    """Write a synthetic export, labelled as such, with incidents planted in its last week.

    Exit codes: 0 written, 2 bad usage, or no file could be written.

    Example: llmops demo reports/demo/export.jsonl --seed 7
    """
    from llmops_lib import write_demo  # noqa: PLC0415 - keeps `llmops --help` fast

    with progress("writing the demo") as advance:
        facts = write_demo(
            path,
            seed=seed,
            weeks=weeks,
            calls_per_week=calls_per_week,
            last_week=last_week,
            has_experiment=experiment,
            has_regression=regression,
            on_progress=advance,
        )
    if as_json:
        say_json({"path": str(facts.path), "spans": facts.span_count, "calls": facts.call_count})
        return
    say(f"{facts.path}: {facts.span_count:,} synthetic spans, {facts.call_count:,} model calls")
    if experiment:
        say(f"next: llmops report prompt-ab {facts.path} --a support_answer@3 --b support_answer@4")
        return
    say(f"next: llmops report weekly {facts.path}")
    for event in facts.events:
        if event.name in ("prompt_regression", "cost_runaway"):
            say(f"or: llmops report postmortem {facts.path} --around {event.start:%Y-%m-%dT%H:%MZ}")
