"""`llmops rerun`: real calls made again with another version of their prompt, before it ships."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.options import ColumnsFile, NaiveTimezone, PriceFile
from llmops_lib.cli.paid_calls import breaker_of, judge_key
from llmops_lib.cli.rerun_lines import say_comparison, say_plan
from llmops_lib.cli.screen import progress, say_json


def rerun(
    prompt: Annotated[str, typer.Option(help="NAME or NAME@REF: the version to try.")],
    source: Annotated[str, typer.Option("--from", help="A trace export or a span store with real calls.")],
    against: Annotated[
        str, typer.Option(help="Revision of the version in force; without it, the one that calls carry.")
    ] = "",
    sample: Annotated[int, typer.Option(min=1, help="Calls to draw.")] = 50,
    seed: Annotated[int, typer.Option(help="Another number draws other calls.")] = 0,
    features: Annotated[
        list[str] | None,
        typer.Option("--feature", help="Calls of this feature only, also those that carry no prompt."),
    ] = None,
    given: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=JSON: an input that only the new version has.")
    ] = None,
    model: Annotated[str, typer.Option(help="Model of all calls; without it, that of each version.")] = "",
    suite: Annotated[
        str, typer.Option(help="Suite whose graders grade; without it, that of the prompt, if there is one.")
    ] = "",
    judge: Annotated[str, typer.Option(help="Model that judges, where a grader needs one.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take; make no call.")] = False,
    max_usd: Annotated[float, typer.Option(min=0, help="Refuse where it might cost more; 0: no limit.")] = 0,
    max_minutes: Annotated[float, typer.Option(min=0, help="No new call after this; 0: no limit.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Calls at a time.")] = 8,
    out: Annotated[Path, typer.Option(help="Folder of reruns.")] = Path("reports/reruns"),
    cache: Annotated[Path, typer.Option(help="Folder of answers; a rerun that was stopped goes on.")] = Path(
        "reports/reruns/.answers"
    ),
    fresh: Annotated[bool, typer.Option("--fresh", help="Make every call anew.")] = False,
    prices: PriceFile = None,
    naive_timezone: NaiveTimezone = "",
    columns: ColumnsFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the comparison as JSON.")] = False,
) -> None:
    """Make real calls again with the version in force and another one, side by side, and compare.

    What calls recorded is sent as the policy says (`llmops policy show`): to a vendor with personal data
    replaced, to this machine as it stands but for keys; the plan says how many calls and dollars first. A
    call whose inputs cannot be read back is counted and listed, never guessed.
    The endpoint comes from OPENAI_BASE_URL and OPENAI_API_KEY; without a key, `llmops serve-baseline` serves
    a small extractive answerer. Answers are kept, so the same command goes on after an interruption.
    Exit codes: 0 every call was answered, 1 some were not, 2 bad usage or input.

    Example: llmops rerun --prompt support_answer --against HEAD~1 --from traces --sample 50 --dry-run
    """
    from llmops_lib import load_prompt, open_source, plan_rerun  # noqa: PLC0415 - keeps `llmops --help` fast

    traces = open_source(source, timezone=naive_timezone or None, columns=columns)
    new = load_prompt(prompt)
    old = _version_in_force(traces.spans, new.name, against)
    drawn = _drawn(traces.spans, old, features or [], sample, seed)
    plan = plan_rerun(drawn, old, new, model=model or None, given=_given(given or []))
    said = say_plan(plan, prices, max_usd=max_usd, is_quiet=as_json and not dry_run, as_json=as_json)
    if dry_run:
        return
    if said.over:
        raise typer.BadParameter(said.over, param_hint="--max-usd")
    settings = {
        "cache": None if fresh else cache,
        "concurrency": concurrency,
        "prices": prices,
        "deadline_seconds": max_minutes * 60 or None,
        "max_usd": max_usd,
    }
    done, folder = _run(plan, (suite, judge), out, settings, traces.facts())
    outcome = say_comparison(done, folder, as_json=as_json)
    if as_json:
        say_json(outcome)
    if done.facts["failed_count"]:
        raise typer.Exit(1)


def _version_in_force(spans: Any, name: str, against: str) -> Any:
    from llmops_lib import load_prompt, version_in_force  # noqa: PLC0415 - as above

    return load_prompt(f"{name}@{against}") if against else version_in_force(spans, name)


def _drawn(spans: Any, old: Any, features: list[str], size: int, seed: int) -> Any:
    from llmops_lib import draw_calls  # noqa: PLC0415 - as above

    return draw_calls(
        spans, prompt_name=old.name, prompt_hash=old.prompt_hash, features=features, size=size, seed=seed
    )


def _given(typed: list[str]) -> dict[str, Any]:
    values = {}
    for one in typed:
        name, sign, text = one.partition("=")
        try:
            values[name] = json.loads(text)
        except ValueError:
            sign = ""
        if not sign or not name:
            msg = f"{one[:80]!r} is no NAME=JSON, such as tone='\"formal\"' or limit=3"
            raise typer.BadParameter(msg, param_hint="--set")
    return values


def _run(
    plan: Any, graders: tuple[str, str], out: Path, settings: dict[str, Any], source: dict[str, Any]
) -> tuple[Any, Path]:
    from llmops_lib import EndpointClient, EndpointSettings, Judges, run_rerun, write_rerun  # noqa: PLC0415

    suite_name, judge = graders
    suite = _suite(suite_name, plan.new.name)
    breaker = breaker_of(settings.pop("max_usd"))
    own = EndpointSettings(spans_file=out / "spans.jsonl", breaker=breaker, **settings)
    with EndpointClient(settings=own) as client, progress("asking") as advance:
        judges = Judges(client.chat_all, judge, judge_key(settings["cache"] or out)) if judge else None
        done = run_rerun(plan, client, suite=suite, judges=judges, on_call=advance)
    return done, write_rerun(done, out, source=source)


def _suite(name: str, prompt: str) -> Any:
    from llmops_lib import load_suite  # noqa: PLC0415 - as above
    from llmops_lib.evals.suites import suites_of  # noqa: PLC0415 - as above
    from llmops_lib.reruns.grading import reference_free  # noqa: PLC0415 - as above

    if name:
        return load_suite(name)
    # Suites of attacks grade by what was asked for, which real calls do not say.
    found = [one for one in suites_of(prompt) if reference_free(one, has_judge=True)]
    return found[0] if len(found) == 1 else None
