"""`llmops eval`: suites, the locks that hold them still, and samples of production."""

from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.eval_agreement import agreement
from llmops_lib.cli.eval_canary import canary
from llmops_lib.cli.eval_drift import drift
from llmops_lib.cli.eval_judge import judge
from llmops_lib.cli.eval_run import run
from llmops_lib.cli.eval_sample import sample
from llmops_lib.cli.groups import group
from llmops_lib.cli.screen import say, say_json

app = group("Run, lock and judge: suites of eval cases, and samples of production.")

Folder = Annotated[
    Path | None, typer.Option(help="Folder of suites; without it, evals/ below the working directory.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write it as JSON.")]


app.command("run")(run)
app.command("sample")(sample)
app.command("judge")(judge)
app.command("agreement")(agreement)
app.command("drift")(drift)
app.command("canary")(canary)


@app.command()
def lock(
    suite: Annotated[str, typer.Argument(help="Name of a suite.")],
    is_bump: Annotated[bool, typer.Option("--bump", help="Accept what changed, as a new version.")] = False,
    why: Annotated[str, typer.Option(help="Why the suite changes, for the audit log.")] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Lock a suite: write the hash of every case, of their order and of every grader beside it.

    A suite that changed since is refused, with what changed, unless `--bump` makes it a new version, which
    the audit log records with --why.
    Exit codes: 0 locked, 1 it changed, 2 no such suite, or one that cannot be read.

    Example: llmops eval lock support_quality --bump
    """
    from llmops_lib import AuditLog, load_suite, lock_suite, suite_changes  # noqa: PLC0415 - keeps --help fast
    from llmops_lib.errors import LockedSuiteError  # noqa: PLC0415 - as above

    found = load_suite(suite, folder=folder)
    changes = suite_changes(found) if found.lock else []
    if is_bump and changes:
        accepted = {"what": "eval lock --bump", "suite": found.name, "change_count": len(changes)}
        AuditLog.of_environment().append("gate_overridden", {**accepted, "why": why or "not stated"})
    try:
        written = lock_suite(found, is_bump=is_bump)
    except LockedSuiteError as error:
        if as_json:
            say_json(_facts(found.name, found.version, changes))
        else:
            say(str(error))
        raise typer.Exit(1) from None
    if as_json:
        say_json(_facts(found.name, written.version, []) | {"accepted": [str(change) for change in changes]})
        return
    for change in changes:
        say(f"accepted: {change}")
    say(f"{found.name}: version {written.version}, {len(written.cases)} cases, {written.suite_hash[:12]}")


@app.command()
def verify(
    suites: Annotated[list[str] | None, typer.Argument(help="Names of suites; without any, all.")] = None,
    against: Annotated[
        str, typer.Option(help="Revision whose lock counts too, such as origin/main; finds edits of both.")
    ] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Check that suites are as they were locked, and name each case, order or grader that is not.

    Exit codes: 0 all are, 1 one is not, or was never locked, 2 no such suite, or one that cannot be read.

    Example: llmops eval verify support_quality --against origin/main
    """
    from llmops_lib import load_suite, suite_changes  # noqa: PLC0415 - as above
    from llmops_lib.errors import SuiteError  # noqa: PLC0415 - as above
    from llmops_lib.evals.suites import suite_names  # noqa: PLC0415 - as above
    from llmops_lib.registry.folders import found_folder  # noqa: PLC0415 - as above

    names = suites or suite_names(found_folder(folder, "evals", SuiteError))
    if not names:
        msg = "found no suite; expected folders with a suite.yaml"
        raise SuiteError(msg)
    loaded = [load_suite(name, folder=folder) for name in names]
    found = {suite.name: suite_changes(suite, against=against) for suite in loaded}
    if as_json:
        say_json({"suites": [_facts(suite.name, suite.version, found[suite.name]) for suite in loaded]})
    else:
        for suite in loaded:
            state = "as locked" if not found[suite.name] else "not as locked"
            say(f"{suite.name}: version {suite.version or 'none'}, {len(suite.cases)} cases, {state}")
            for change in found[suite.name]:
                say(f"  {change}")
    if any(found.values()):
        raise typer.Exit(1)


def _facts(name: str, version: int | None, changes: list[Any]) -> dict[str, Any]:
    listed = [{"part": change.part, "name": change.name, "what": change.what} for change in changes]
    return {"suite": name, "version": version, "is_locked": not changes, "changes": listed}
