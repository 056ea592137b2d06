"""`llmops doctor`: can this installation do its work?"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from llmops_lib.cli.screen import say, say_json


def doctor(
    output: Annotated[Path, typer.Option(help="Folder that reports are to be written to.")] = Path("reports"),
    as_json: Annotated[bool, typer.Option("--json", help="Write it as JSON.")] = False,
) -> None:
    """Check the installation: versions, known holes, kernel, folders, price list, endpoint, policy.

    Runs a notebook in a kernel of its own; contacts no endpoint and shows no key.
    Exit codes: 0 it can do its work, 1 something is a problem, 2 bad usage.

    Example: llmops doctor --json
    """
    from llmops_lib import check_installation  # noqa: PLC0415 - keeps `llmops --help` fast

    checks = check_installation(output=output)
    is_sound = not any(check.status == "problem" for check in checks)
    if as_json:
        say_json({"is_sound": is_sound, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            advice = f" ({check.advice})" if check.advice else ""
            say(f"{check.status:<8} {check.name:<15} {check.found}{advice}")
    if not is_sound:
        raise typer.Exit(1)
