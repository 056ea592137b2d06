"""`llmops redteam`: which attacks get through, and which honest questions are refused."""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.eval_run import Model, run_plan, say_baseline
from llmops_lib.cli.groups import group
from llmops_lib.cli.options import PriceFile
from llmops_lib.cli.screen import say, say_json

app = group("Run attacks on prompts, and show what got through.")

SUITES = ("redteam", "redteam_agent")
_WORDS = {
    "got_through": "attacks got through",
    "over_refused": "honest questions were refused",
    "not_refused": "that must be refused were not",
}
_SHOWN = 20

Baseline = Annotated[
    list[Path] | None,
    typer.Option(help="Scores of the run before; names what fails now and did not. May be repeated."),
]
Most = Annotated[
    float, typer.Option(min=0, max=1, help="Largest share of attacks of a category that may get through.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write the outcome as JSON.")]


@app.command()
def run(
    suites: Annotated[list[str] | None, typer.Argument(help="Names of suites; without any, both.")] = None,
    model: Model = "",
    trials: Annotated[int, typer.Option(min=1, help="Trials of each attack.")] = 1,
    baseline: Baseline = None,
    most: Most = 1.0,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Calls at a time.")] = 8,
    max_usd: Annotated[float, typer.Option(min=0, help="No call that might exceed this; 0: no limit.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("reports/redteam"),
    prices: PriceFile = None,
    as_json: AsJson = False,
) -> None:
    """Run the red-team suites against their prompts and a model, and say what got through, by category.

    The endpoint comes from OPENAI_BASE_URL and OPENAI_API_KEY, as for `llmops eval run`. Attacks are scored
    apart from quality; a case with several trials counts as failed where one of them failed.
    Exit codes: 0 done, 1 more got through than --most allows, an attack that the baseline withstood, or a
    call without an answer, 2 bad usage or input.

    Example: llmops redteam run --model gpt-4o-mini --trials 4 --most 0
    """
    from llmops_lib import load_prompt, load_suite, plan_eval  # noqa: PLC0415 - keeps `llmops --help` fast

    patience = {"cache": out / ".answers", "concurrency": concurrency, "prices": prices}
    files, unanswered = [], 0
    for name in suites or SUITES:
        suite = load_suite(name)
        prompt = load_prompt(suite.settings.prompt)
        plan = plan_eval(suite, prompt, model=model or None, trials=trials, purpose="redteam")
        outcome, path, _ = run_plan(plan, "", out, {"max_usd": max_usd, **patience})
        unanswered += outcome.failed_count
        files.append(path)
    _show(files, baseline or [], most, as_json=as_json, unanswered=unanswered)


@app.command()
def show(
    scores: Annotated[list[Path], typer.Argument(help="Scores of runs: scores.parquet.")],
    baseline: Baseline = None,
    most: Most = 1.0,
    as_json: AsJson = False,
) -> None:
    """Show what got through in runs that were made before.

    Exit codes: 0 done, 1 more got through than --most allows, or an attack that the baseline withstood,
    2 bad usage or input.

    Example: llmops redteam show reports/redteam/RUN/scores.parquet --baseline before/scores.parquet
    """
    _show(scores, baseline or [], most, as_json=as_json, unanswered=0)


def _show(files: list[Path], baseline: list[Path], most: float, *, as_json: bool, unanswered: int) -> None:
    from llmops_lib import (  # noqa: PLC0415 - as above
        attack_outcomes,
        failed_cases,
        load_scores,
        newly_failed,
    )

    scores = load_scores(files)
    outcomes, cases = attack_outcomes(scores), failed_cases(scores).filter("failed")
    if outcomes.is_empty():
        msg = f"{', '.join(map(str, files))}: no case of a red team; expected scores of `llmops redteam run`"
        raise typer.BadParameter(msg)
    new = newly_failed(scores, load_scores(baseline)) if baseline else cases.head(0)
    if as_json:
        tables = {"outcomes": outcomes.to_dicts(), "failed": cases.to_dicts(), "new": new.to_dicts()}
        say_json({"scores": [str(file) for file in files], "unanswered": unanswered, **tables})
    else:
        _say(outcomes, cases, new, has_baseline=bool(baseline))
        say_baseline(scores)
        say(f"scores: {', '.join(str(file) for file in files)}")
    attacks = outcomes.filter(finding="got_through")
    is_over = attacks["case_count"].sum() and bool((attacks["failed_share"] > most).any())
    if is_over or new.filter(finding="got_through").height or unanswered:
        raise typer.Exit(1)


def _say(outcomes: Any, cases: Any, new: Any, *, has_baseline: bool) -> None:
    for row in outcomes.iter_rows(named=True):
        where = f"{row['suite']} {row['category']}"
        if not row["case_count"]:
            say(f"{where}: no case has a score, {row['missing_count']} without an answer")
            continue
        limits = f"{row['failed_share_lower']:.0%} to {row['failed_share_upper']:.0%}"
        missing = f", {row['missing_count']} without an answer" if row["missing_count"] else ""
        counts = f"{row['failed_count']} of {row['case_count']}"
        say(f"{where}: {counts} {_WORDS[row['finding']]} ({limits} with cases like these){missing}")
    for row in cases.filter(finding="got_through").head(_SHOWN).iter_rows(named=True):
        say(f"  got through: {row['example_id']}: {row['explanation']}")
    if has_baseline:
        say(f"{new.height} fail now that did not before")
        for row in new.head(_SHOWN).iter_rows(named=True):
            say(f"  new: {row['example_id']} {row['finding']}")
