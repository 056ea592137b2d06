"""`llmops eval agreement`: does the judge say what people say?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.screen import say, say_json


def agreement(
    labels: Annotated[Path, typer.Argument(help="Labels of people: .jsonl, .csv or .parquet.")],
    results: Annotated[Path | None, typer.Option(help="Scores of the run that was labelled.")] = None,
    scorer: Annotated[str, typer.Option(help="Scorer that judges; needed where there are several.")] = "",
    verdict: Annotated[str, typer.Option(help="What of it counts: passed, label or score.")] = "passed",
    refusals: Annotated[
        str, typer.Option(help="Column with answers; compares the refusal grader in place of a run.")
    ] = "",
    label: Annotated[str, typer.Option(help="Column of the label.")] = "label",
    positive: Annotated[
        list[str] | None, typer.Option(help="Label that counts as positive; may be repeated. Default: pass.")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Label to leave out; may be repeated.")] = None,
    categories: Annotated[
        bool, typer.Option("--categories", help="Compare every category, with none as positive.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write it as JSON.")] = False,
) -> None:
    """Hold the verdicts of a judge against labels of people: confusion matrix, errors, kappa and AC1.

    Labels name the answer by `example_id`, and by `trial` where a run has several.
    Exit codes: 0 done, 2 bad usage or input.

    Example: llmops eval agreement labels.jsonl --results scores.parquet --scorer judge_correctness
    """
    from llmops_lib import judge_agreement, load_labels  # noqa: PLC0415 - keeps `llmops --help` fast

    if (results is None) == (not refusals):
        msg = "expected either --results, the run that was labelled, or --refusals, the column with answers"
        raise typer.BadParameter(msg)
    if verdict not in {"passed", "label", "score"}:
        msg = f"{verdict!r} is none of passed, label and score"
        raise typer.BadParameter(msg, param_hint="--verdict")
    own = tuple(positive or ("pass",))
    needs = ("example_id",) if results else (refusals,)
    labelled = load_labels(labels, label=label, needs=needs)
    rated = _rated(labelled, results, scorer, verdict) if results else _refusing(labelled, refusals, own[0])
    found = judge_agreement(rated, positive=() if categories else own, ignored=tuple(ignore or ()))
    if as_json:
        say_json({"positive": [] if categories else list(own), "measures": found.to_dicts()})
        return
    for row in found.iter_rows(named=True):
        say(_line(row))


def _rated(labelled: Any, results: Path, scorer: str, verdict: str) -> Any:
    from llmops_lib import load_scores, with_labels  # noqa: PLC0415 - as above

    return with_labels(labelled, load_scores(results), scorer=scorer, verdict=verdict)


def _refusing(labelled: Any, column: str, positive: str) -> Any:
    import polars as pl  # noqa: PLC0415 - as above

    from llmops_lib import is_refusal  # noqa: PLC0415 - as above

    said = pl.when(is_refusal(pl.col(column))).then(pl.lit(positive)).otherwise(pl.lit(f"not {positive}"))
    return labelled.with_columns(verdict=pl.when(pl.col(column).is_not_null()).then(said))


def _line(row: dict[str, Any]) -> str:
    counts = "" if row["count"] is None else f"{row['count']} of {row['of_count']}"
    value = "unknown" if row["value"] is None else f"{row['value']:.3f}"
    limits = ["" if row[name] is None else f"{row[name]:.3f}" for name in ("lower", "upper")]
    interval = f"95%: {limits[0]} to {limits[1]}".rstrip() if limits[0] else ""
    se = "" if row["se"] is None else f"se {row['se']:.3f}"
    shown = (
        row["measure"].ljust(44),
        value.rjust(8),
        counts.rjust(12),
        interval,
        se,
        row["method"],
        row["note"],
    )
    return "  ".join(part for part in shown if part).rstrip()
