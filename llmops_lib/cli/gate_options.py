"""Options of the gate that several of its commands have."""

from typing import Annotated

import typer

Metrics = Annotated[list[str] | None, typer.Option("--metric", help="Metric that gates; all without.")]
Alpha = Annotated[float, typer.Option(help="Chance of blocking a harmless change, over all metrics.")]
Margin = Annotated[float, typer.Option(help="Largest drop that still passes.")]
MetricMargins = Annotated[
    list[str] | None, typer.Option("--metric-margin", help="METRIC=MARGIN for one metric; may be repeated.")
]
MostLatency = Annotated[float | None, typer.Option(help="Largest 95th percentile of latency.")]
MostCost = Annotated[float | None, typer.Option(help="Largest mean cost of a call.")]
Unlocked = Annotated[
    bool, typer.Option("--unlocked", help="Compare runs of suites without a lock too, as of other tools.")
]
Escalate = Annotated[
    bool, typer.Option("--escalate", help="Look at the first 2, 4 and 8 trials; stop where it knows.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write it as JSON.")]


def margins_of(given: list[str]) -> dict[str, float]:
    """Margins by metric, of texts such as `facts=0.02`.

    Args:
        given: The texts.

    Raises:
        typer.BadParameter: If one is no margin.

    Example:
        >>> margins_of(["facts=0.02"])
        {'facts': 0.02}
    """
    found = {}
    for text in given:
        name, equals, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            equals = ""
        if not equals or not name:
            msg = f"{text!r} is no margin of a metric; expected one such as facts=0.02"
            raise typer.BadParameter(msg, param_hint="--metric-margin")
    return found


def record_unlocked(baseline: object, candidate: object) -> None:
    """Records that runs were compared although their suites need not be locked."""
    from llmops_lib import AuditLog  # noqa: PLC0415 - keeps `llmops --help` fast

    details = {"what": "--unlocked", "baseline": str(baseline), "candidate": str(candidate)}
    AuditLog.of_environment().append("gate_overridden", details)
