"""`llmops eval drift`: what people ask against what a suite asks."""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.screen import progress, say, say_json


def drift(
    sample: Annotated[Path, typer.Argument(help="Sample that `llmops eval sample` wrote.")],
    suite: Annotated[str, typer.Option(help="Suite to compare with.")],
    feature: Annotated[str, typer.Option(help="Feature that the suite is for; all calls without.")] = "",
    field: Annotated[str, typer.Option(help="Input of the prompt that users write.")] = "question",
    candidates: Annotated[
        Path | None, typer.Option(help="Write inputs that the suite lacks as cases for review (JSON Lines).")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder of suites.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write it as JSON.")] = False,
) -> None:
    """Compare sampled inputs with a suite, and propose cases for its next version; the suite stays as it is.

    Drift is said where an effect is above its floor and sure (users permuted). Texts are masked.
    Exit codes: 0 no drift, 1 drift, 2 bad usage or input.

    Example: llmops eval drift reports/evals/samples/2026-W46 --suite support_quality --feature faq_rag
    """
    from llmops_lib import (  # noqa: PLC0415 - keeps `llmops --help` fast
        input_drift,
        load_sample,
        load_suite,
        suite_inputs,
        with_input_text,
        write_candidates,
    )

    with progress("comparing"):
        calls = load_sample(sample)
        wanted = calls.filter(feature=feature) if feature else calls
        cases = suite_inputs(load_suite(suite, folder=folder), field=field)
        found = input_drift(with_input_text(wanted), cases)
    written = None if candidates is None else write_candidates(found.proposals, candidates, field=field)
    if as_json:
        say_json(_facts(found) | {"candidate_count": written})
    else:
        _say(found, candidates, written)
    if found.features["is_drift"].any():
        raise typer.Exit(1)


def _facts(found: Any) -> dict[str, Any]:
    tables = {
        name: getattr(found, name).to_dicts() for name in ("features", "topics", "proposals", "feedback")
    }
    names = ("uncovered_share", "suite_count", "fresh_count", "unit_count")
    return {name: getattr(found, name) for name in names} | tables


def _say(found: Any, candidates: Path | None, written: int | None) -> None:
    say(f"{found.fresh_count:,} inputs of {found.unit_count:,} users against {found.suite_count:,} cases")
    for row in found.features.iter_rows(named=True):
        value = "unknown" if row["value"] is None else f"{row['value']:.3f}"
        sure = row["reason"] or f"adjusted p {row['p_adjusted']:.3f}"
        word = "drift" if row["is_drift"] else "no drift"
        say(f"  {row['feature']:<8} {row['effect']:<4} {value:>7}  floor {row['floor']}, {sure}: {word}")
    share = "unknown" if found.uncovered_share is None else f"{found.uncovered_share:.0%}"
    say(f"  nothing in the suite is like {share} of the inputs; about 5% where they are alike")
    for row in found.topics.filter("is_new").head(5).iter_rows(named=True):
        say(f"  new topic: {row['terms']} ({row['fresh_count']:,} inputs of {row['unit_count']:,} users)")
    if written is not None:
        say(f"{candidates}: {written:,} cases for review")
