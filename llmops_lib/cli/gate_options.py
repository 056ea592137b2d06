"""Options of the gate that several of its commands have."""

from typing import Annotated

import typer

Metrics = Annotated[list[str] | None, typer.Option("--metric", help="Metric that gates; all without.")]
Alpha = Annotated[float, typer.Option(help="Chance of blocking a harmless change, over all metrics.")]
Margin = Annotated[float, typer.Option(help="Largest drop that still passes.")]
Unlocked = Annotated[
    bool, typer.Option("--unlocked", help="Compare runs of suites without a lock too, as of other tools.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write it as JSON.")]
