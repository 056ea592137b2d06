"""`llmops eval canary`: the same prompt and model again, against what they answered when they were pinned."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.asking import asking
from llmops_lib.cli.eval_run import Concurrency, MaxUsd, Model, Only
from llmops_lib.cli.gate_answers import Strict, answer, leave
from llmops_lib.cli.gate_options import Alpha, AsJson, Margin
from llmops_lib.cli.options import PriceFile
from llmops_lib.cli.screen import say, writing


def canary(
    suite: Annotated[str, typer.Argument(help="Name of a suite.")],
    pinned: Annotated[Path, typer.Option(help="Scores that are pinned; --pin writes them.")],
    pin: Annotated[bool, typer.Option("--pin", help="Write this run as what is pinned from now on.")] = False,
    prompt: Annotated[str, typer.Option(help="NAME or NAME@REF; without it, that of the suite.")] = "",
    model: Model = "",
    only: Only = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials of each case; pin with more, such as 8.")] = 2,
    judge: Annotated[str, typer.Option(help="Model that judges, where a grader needs one.")] = "",
    alpha: Alpha = 0.05,
    margin: Margin = 0.05,
    max_usd: MaxUsd = 0,
    concurrency: Concurrency = 8,
    out: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("reports/canaries"),
    prices: PriceFile = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Ask the cases of a suite again, and say whether the model behind the endpoint became another or worse.

    For a schedule: prompt, suite and model name are those of the pinned run, so what differs is the
    provider's. Every call is made anew.
    Exit codes: as of `llmops gate`, and 1 too where another model answers than was pinned.

    Example: llmops eval canary support_quality --only near_miss --pinned evals/baselines/canary.parquet
    """
    from llmops_lib import load_prompt, load_suite, plan_eval  # noqa: PLC0415 - keeps `llmops --help` fast

    found = load_suite(suite)
    asked = load_prompt(prompt or found.settings.prompt)
    plan = plan_eval(found, asked, model=model or None, trials=trials, only=only or ())
    before = None if pin else _pinned(pinned, plan)
    own = {"cache": None, "concurrency": concurrency, "prices": prices, "max_usd": max_usd}
    with asking(judge, out, own) as run_one:
        outcome, path = run_one(plan)
    if before is None:
        _pin(path, pinned, outcome)
        return
    _compare(before, path, {"alpha": alpha, "margin": margin}, is_strict=strict, as_json=as_json)


def _pinned(path: Path, plan: Any) -> Any:
    """The pinned scores, once they are those of the same prompt and model name."""
    from llmops_lib import load_scores  # noqa: PLC0415 - as above

    scores = load_scores(path)
    for column, now in (("prompt_hash", plan.prompt.prompt_hash), ("model", plan.model)):
        then = scores[column].unique().to_list()
        if then != [now]:
            msg = f"{path}: was pinned with {column} {', '.join(map(str, then))} and this run has {now}; "
            msg += "a canary asks the same again: pin this one (--pin), or name what was pinned"
            raise typer.BadParameter(msg, param_hint="--pinned")
    examples = {call.case.id for call in plan.calls}
    return scores.filter(scores["example_id"].is_in(examples))


def _pin(path: Path, pinned: Path, outcome: Any) -> None:
    if outcome.failed_count:
        say(f"{outcome.failed_count} calls have no answer, so nothing is pinned; the scores are in {path}")
        raise typer.Exit(1)
    with writing(pinned, option="--pinned"):
        pinned.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, pinned)
    models = ", ".join(_answered_by(outcome.scores))
    say(f"{pinned}: {outcome.call_count:,} calls pinned, answered by {models}")


def _compare(before: Any, path: Path, rules: dict[str, Any], *, is_strict: bool, as_json: bool) -> None:
    from llmops_lib import gate, load_scores  # noqa: PLC0415 - as above

    scores = load_scores(path)
    then, now = _answered_by(before), _answered_by(scores)
    is_other = set(now) - set(then)
    results = {"baseline": gate(before, scores, **rules)}
    if not as_json:
        told = (
            f"{', '.join(now)} answers where {', '.join(then)} did" if is_other else f"{', '.join(now)} still"
        )
        say(f"{path}: {told}")
    answer(
        results,
        junit=None,
        markdown=None,
        as_json=as_json,
        facts={"scores": str(path), "pinned_models": then, "response_models": now},
    )
    leave(results, is_strict=is_strict)
    if is_other:
        raise typer.Exit(1)


def _answered_by(scores: Any) -> list[str]:
    models = scores["metadata"].str.json_path_match("$.response_model")
    return sorted(models.fill_null("an unnamed model").unique().to_list())
