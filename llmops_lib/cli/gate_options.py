"""Options of the gate that several of its commands have."""

from typing import Annotated

import typer

_ALPHA, _MARGIN = 0.05, 0.05

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
Why = Annotated[str, typer.Option(help="Why the gate is loosened, for the audit log.")]
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


def loosened(
    *,
    alpha: float,
    margin: float,
    margins: dict[str, float],
    metrics: list[str],
    is_unlocked: bool = False,
) -> dict[str, object]:
    """Which options let changes pass that the gate as it comes may block.

    Args:
        alpha: As the option has it.
        margin: As the option has it.
        margins: By metric.
        metrics: Those that gate; all where there are none.
        is_unlocked: Whether suites need not be locked.

    Example:
        >>> loosened(alpha=0.05, margin=0.1, margins={"facts": 0.02}, metrics=[])
        {'margin': 0.1}
    """
    wider = {name: own for name, own in margins.items() if own > _MARGIN}
    found = {
        "unlocked": is_unlocked or None,
        "alpha": alpha if alpha < _ALPHA else None,
        "margin": margin if margin > _MARGIN else None,
        "metric_margin": wider or None,
        "metric": metrics or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def record_overrides(found: dict[str, object], *, baseline: object, candidate: object, why: str) -> None:
    """Records that a gate was loosened, before it says anything; a gate as it comes is not recorded.

    Args:
        found: What `loosened` says.
        baseline: What it is held against.
        candidate: What is judged.
        why: The reason given.
    """
    from llmops_lib import AuditLog  # noqa: PLC0415 - keeps `llmops --help` fast

    if found:
        runs = {"baseline": str(baseline), "candidate": str(candidate)}
        details = {"what": found, **runs, "why": why or "not stated"}
        AuditLog.of_environment().append("gate_overridden", details)
