"""`llmops report continuous-evals`: quality of production from a judged sample."""

from pathlib import Path
from typing import Annotated

import typer

from llmops_lib.cli.report import AsJson, Output, write_report


def continuous_evals(
    scores: Annotated[str, typer.Argument(help="Scores of `llmops eval judge`.")] = "",
    labels: Annotated[str, typer.Option(help="Labels: a score table with example_id and score.")] = "",
    sample: Annotated[str, typer.Option(help="Sample of `llmops eval sample`, for drift of inputs.")] = "",
    traces: Annotated[str, typer.Option(help="Exports or store, for tools and retrievals.")] = "",
    suite_scores: Annotated[str, typer.Option(help="Scores of a run of the suite.")] = "",
    by: Annotated[str, typer.Option(help="What is watched and shown for itself.")] = "feature",
    suite: Annotated[str, typer.Option(help="Suite that inputs are compared with.")] = "support_quality",
    feature: Annotated[str, typer.Option(help="Feature that the suite is for; all calls without.")] = "",
    field: Annotated[str, typer.Option(help="Input of its prompt that users write.")] = "question",
    documents: Annotated[str, typer.Option(help="Input with the passages found.")] = "passages",
    fresh_days: Annotated[int, typer.Option(min=1, help="Last days, held against those before.")] = 14,
    detector: Annotated[str, typer.Option(help="e-sr or cusum.")] = "e-sr",
    days: Annotated[float, typer.Option(min=5, help="Days between false alarms.")] = 365,
    reference_days: Annotated[int, typer.Option(min=1, help="First days, which say what is usual.")] = 14,
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write how good production was, day by day, from a judged sample; without scores, of simulated ones.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report continuous-evals scores.parquet --labels labels.csv --sample samples/2026-W46
    """
    parameters = {
        "scores": scores,
        "labels": labels,
        "sample": sample,
        "traces": traces,
        "suite_scores": suite_scores,
        "by": by,
        "suite": suite,
        "feature": feature,
        "field": field,
        "documents": documents,
        "fresh_days": fresh_days,
        "detector": detector,
        "days_between_false_alarms": days,
        "reference_days": reference_days,
    }
    write_report("continuous-evals", output, parameters, as_json=as_json)
