"""The command tree."""

from importlib.metadata import version
from typing import Annotated

import typer

from llmops_lib.cli.alerts import app as alerts
from llmops_lib.cli.audit import app as audit
from llmops_lib.cli.budgets import app as budgets
from llmops_lib.cli.continuous_evals import continuous_evals
from llmops_lib.cli.demo import demo
from llmops_lib.cli.doctor import doctor
from llmops_lib.cli.evals import app as evals
from llmops_lib.cli.fetch import app as fetches
from llmops_lib.cli.gate import app as gates
from llmops_lib.cli.groups import group
from llmops_lib.cli.ingest import ingest_exports
from llmops_lib.cli.policy import app as policy
from llmops_lib.cli.prompt_ab import prompt_ab
from llmops_lib.cli.prompts import app as prompts
from llmops_lib.cli.redteam import app as redteam
from llmops_lib.cli.report import app as reports
from llmops_lib.cli.rerun import rerun
from llmops_lib.cli.reviews import eval_review, rerun_review, safety_review
from llmops_lib.cli.search import search
from llmops_lib.cli.serve_baseline import serve_baseline
from llmops_lib.cli.traces import app as traces
from llmops_lib.cli.what_ifs import budget_what_if, caching_what_if, routing_what_if

app = group(
    "Turn the traces of an LLM application into reports, on this machine and with no server.\n\n"
    "Exit codes: 0 done, 1 the check says no, 2 bad usage or input, 130 stopped by Ctrl-C.\n\n"
    "Example: llmops report weekly EXPORT_OR_STORE",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo)
app.command("doctor")(doctor)
app.add_typer(fetches, name="fetch")
app.command("ingest")(ingest_exports)
reports.command("prompt-ab")(prompt_ab)
reports.command("routing-what-if")(routing_what_if)
reports.command("budget-what-if")(budget_what_if)
reports.command("caching-what-if")(caching_what_if)
reports.command("eval-review")(eval_review)
reports.command("rerun-review")(rerun_review)
reports.command("safety-review")(safety_review)
reports.command("continuous-evals")(continuous_evals)
app.add_typer(reports, name="report")
app.command("search")(search)
app.add_typer(traces, name="trace")
app.add_typer(alerts, name="alerts")
app.add_typer(budgets, name="budgets")
app.add_typer(prompts, name="prompts")
app.add_typer(evals, name="eval")
app.add_typer(gates, name="gate")
app.command("rerun")(rerun)
app.add_typer(redteam, name="redteam")
app.add_typer(policy, name="policy")
app.add_typer(audit, name="audit")
app.command("serve-baseline")(serve_baseline)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"llmops {version('llmops-workbench')}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Hold the options that stand before a command."""
