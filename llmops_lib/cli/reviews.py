"""`llmops report ...-review`: a finished run as a document, one command per notebook."""

from pathlib import Path
from typing import Annotated

import typer

from llmops_lib.cli.options import Columns, Month, MonthZone, NaiveTimezone, Source
from llmops_lib.cli.report import AsJson, Output, write_report


def eval_review(
    run: Annotated[Path, typer.Argument(help="Scores of a run, or its folder; any known format.")],
    baseline: Annotated[Path | None, typer.Option(help="Scores of the run to compare with.")] = None,
    run_id: Annotated[str, typer.Option(help="The run, where the scores hold several.")] = "",
    baseline_id: Annotated[str, typer.Option(help="The run to compare with, where there are several.")] = "",
    unlocked: Annotated[
        bool, typer.Option("--unlocked", help="Compare runs of suites without a lock too, as of other tools.")
    ] = False,
    top: Annotated[int, typer.Option(min=1, max=100, help="How many cases each list shows.")] = 10,
    columns: Columns = "",
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write the review of an eval run: gate verdict, pass rates, failing and flaky cases, what changed.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report eval-review reports/evals/RUN --baseline evals/baselines/RUN
    """
    parameters = {
        "run": str(run),
        "baseline": str(baseline or ""),
        "run_id": run_id,
        "baseline_id": baseline_id,
        "unlocked": unlocked,
        "top": top,
        "columns": columns,
    }
    write_report("eval-review", output, parameters, as_json=as_json)


def rerun_review(
    run: Annotated[Path, typer.Argument(help="Folder of a rerun, as `llmops rerun` writes it.")],
    top: Annotated[int, typer.Option(min=1, max=100, help="How many changed answers are shown.")] = 20,
    alpha: Annotated[
        float, typer.Option(help="Chance of a false better or worse, over all metrics together.")
    ] = 0.05,
    margin: Annotated[float, typer.Option(help="Change of a score that counts as none.")] = 0.05,
    ratio_margin: Annotated[
        float, typer.Option(help="Change of cost, latency or length that counts as none, as a share.")
    ] = 0.1,
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write the comparison of a rerun: verdict, effects, the answers that changed most.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report rerun-review reports/reruns/RUN --top 40
    """
    parameters = {
        "run": str(run),
        "top": top,
        "alpha": alpha,
        "margin": margin,
        "ratio_margin": ratio_margin,
    }
    write_report("rerun-review", output, parameters, as_json=as_json)


def safety_review(
    source: Source,
    redteam: Annotated[str, typer.Option(help="Scores of the last red-team run.")] = "",
    redteam_before: Annotated[str, typer.Option(help="Scores of the run before.")] = "",
    policy: Annotated[
        str, typer.Option(help="Policy file; else policy.yaml here, else the packaged one.")
    ] = "",
    risks: Annotated[
        str, typer.Option(help="Risks of tools; else tool_risks.yaml here, else the packaged ones.")
    ] = "",
    prompts: Annotated[str, typer.Option(help="Folder of prompts whose tools calls are held to.")] = "",
    audit: Annotated[str, typer.Option(help="Folder of an audit log to verify.")] = "",
    month: Month = "",
    top: Annotated[int, typer.Option(min=1, max=100, help="How many groups each list shows.")] = 10,
    timezone: MonthZone = "UTC",
    naive_timezone: NaiveTimezone = "",
    columns: Columns = "",
    output: Output = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write what calls carried, what left against the policy, what agents did and which attacks get through.

    Exit codes: 0 written, 2 bad usage or input.

    Example: llmops report safety-review traces --redteam reports/redteam/RUN --policy policy.yaml
    """
    parameters = {
        "source": source,
        "redteam": redteam,
        "redteam_before": redteam_before,
        "policy": policy,
        "risks": risks,
        "prompts": prompts,
        "audit": audit,
        "month": month,
        "top": top,
        "timezone": timezone,
        "naive_timezone": naive_timezone,
        "columns": columns,
    }
    write_report("safety-review", output, parameters, as_json=as_json)
