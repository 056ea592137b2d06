"""`llmops prompts`: what the prompts are, how they came to be, and what carried them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.groups import group
from llmops_lib.cli.screen import say, say_json
from llmops_lib.cli.tables import say_rows

app = group("List, compare and trace prompts and tools, kept as files in git.")

Name = Annotated[str, typer.Argument(help="Name of a prompt, or NAME@REVISION as git knows it.")]
Folder = Annotated[
    Path | None, typer.Option(help="Folder of prompts; without it, prompts/ below the working directory.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write it as JSON.")]

_SHORT = 12
"""Characters of a hash or commit on a terminal."""


@app.command("list")
def list_prompts(folder: Folder = None, as_json: AsJson = False) -> None:
    """List the prompts, with their hash, model, owner and the outcome of their tests.

    Exit codes: 0 all are in order, 1 one cannot be read or fails a test of its own, 2 bad usage.

    Example: llmops prompts list --json
    """
    from llmops_lib.registry.overview import prompt_overview  # noqa: PLC0415 - keeps `llmops --help` fast

    rows = prompt_overview(folder)
    if as_json:
        say_json({"prompts": rows})
    else:
        columns = (
            "prompt_name",
            "prompt_version",
            "prompt_hash",
            "declared_model",
            "owner",
            "is_dirty",
            "test_count",
        )
        say_rows([row | {"prompt_hash": _short(row["prompt_hash"])} for row in rows], columns)
        for row in rows:
            for failure in row["failures"]:
                say(f"failed: {row['prompt_name']}: {failure}")
    if any(row["failures"] for row in rows):
        raise typer.Exit(1)


@app.command()
def show(
    prompt: Name,
    test: Annotated[str, typer.Option(help="Render the inputs of this test of the prompt.")] = "",
    inputs: Annotated[Path | None, typer.Option(help="Render the inputs in this JSON file.")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show a prompt, or the messages that it makes of inputs.

    Exit codes: 0 shown, 2 no such prompt, or inputs that do not fit.

    Example: llmops prompts show support_answer@HEAD~1 --test "two passages"
    """
    from llmops_lib import load_prompt  # noqa: PLC0415 - as above
    from llmops_lib.registry.overview import inputs_of, prompt_facts  # noqa: PLC0415 - as above

    found = load_prompt(prompt, folder=folder)
    facts = prompt_facts(found)
    if test or inputs:
        messages = found.render(**inputs_of(found, test=test, file=inputs))
    else:
        messages = [{"role": one.role, "template": one.template} for one in found.messages]
    if as_json:
        say_json(facts | {"messages": messages})
        return
    for key, value in facts.items():
        say(f"{key}: {value if isinstance(value, str) else json.dumps(value)}")
    for message in messages:
        role, text = message.values()
        for line in ("", f"[{role}]", *text.split("\n")):
            say(line)


@app.command()
def diff(
    old: Name,
    new: Annotated[str, typer.Argument(help="Later version; without it, the file as it is now.")] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions of a prompt: settings, templates, and the text they make of its tests.

    Exit codes: 0 compared, whether or not they differ, 2 no such prompt or revision.

    Example: llmops prompts diff support_answer@HEAD~1
    """
    from llmops_lib import load_prompt  # noqa: PLC0415 - as above
    from llmops_lib.registry.diffs import prompt_diff  # noqa: PLC0415 - as above

    before = load_prompt(old, folder=folder)
    after = load_prompt(new or old.partition("@")[0], folder=folder)
    parts = prompt_diff(before, after)
    hashes = {"old_hash": before.prompt_hash, "new_hash": after.prompt_hash}
    if as_json:
        differences = [{"part": one.part, "name": one.name, "lines": list(one.lines)} for one in parts]
        say_json(hashes | {"is_same": not parts, "differences": differences})
        return
    say(
        f"{_short(before.prompt_hash)} -> {_short(after.prompt_hash)}"
        + ("" if parts else ": nothing changed")
    )
    for one in parts:
        for line in ("", f"{one.part}{': ' + one.name if one.name else ''}", *one.lines):
            say(line)


@app.command()
def log(prompt: Name, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the commits that changed what a prompt sends, newest first.

    Exit codes: 0 listed, 2 no such prompt.

    Example: llmops prompts log support_answer
    """
    from llmops_lib import prompt_versions  # noqa: PLC0415 - as above

    rows = prompt_versions(prompt, folder=folder).to_dicts()
    if as_json:
        say_json({"versions": rows})
        return
    short = [
        row
        | {
            "commit": _short(row["commit"]) or "not committed",
            "prompt_hash": _short(row["prompt_hash"]),
            "subject": row["error"] or row["subject"],
        }
        for row in rows
    ]
    say_rows(short, ("commit", "committed_at", "prompt_hash", "prompt_version", "declared_model", "subject"))


@app.command()
def lineage(
    prompt: Annotated[str, typer.Argument(help="Name of a prompt; without it, all prompts.")] = "",
    scores: Annotated[
        list[str] | None, typer.Option(help="Eval results: files, folders or patterns; may be repeated.")
    ] = None,
    source: Annotated[str, typer.Option("--from", help="A span store, or a trace export.")] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Join commits, prompt hashes, tool hashes and models to the eval runs and calls that carried them.

    Without a name, calls and runs of prompts that are in no folder are listed too.
    Exit codes: 0 listed, 2 bad usage or input.

    Example: llmops prompts lineage support_answer --from traces --scores "evals/runs/**"
    """
    from llmops_lib import load_scores, open_source, prompt_lineage, prompt_versions  # noqa: PLC0415 - as above

    table = prompt_lineage(
        prompt_versions(prompt or None, folder=folder),
        spans=open_source(source).spans if source else None,
        scores=load_scores(scores) if scores else None,
    )
    rows = [row for row in table.to_dicts() if not prompt or row["prompt_name"] == prompt]
    if as_json:
        say_json({"lineage": rows})
        return
    columns = ("prompt_name", "prompt_hash", "prompt_version", "commit", "tool_schema_hash", "declared_model",
               "model", "matched_by", "eval_run_count", "call_count", "last_call_at")  # fmt: skip
    hashes = ("prompt_hash", "commit", "tool_schema_hash")
    say_rows([row | {name: _short(row[name]) for name in hashes} for row in rows], columns)


@app.command()
def tools(
    file: Annotated[Path, typer.Argument(help="Your Python file of pydantic models; it is run.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where the JSON is written; without it, beside it.")
    ] = None,
    is_check: Annotated[bool, typer.Option("--check", help="Write nothing; say what differs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the definitions of tools, JSON Schema, from the pydantic models in a file of yours.

    Exit codes: 0 written, or in step, 1 `--check` found a definition that is not in step, 2 bad input.

    Example: llmops prompts tools prompts/tools/support.py --check
    """
    from llmops_lib.registry.tool_code import tool_models  # noqa: PLC0415 - as above
    from llmops_lib.registry.tools import write_tools  # noqa: PLC0415 - as above

    changed = write_tools(tool_models(file), folder or file.parent, is_check=is_check)
    if as_json:
        say_json({"changed": [str(path) for path in changed], "is_written": not is_check})
    for path in () if as_json else changed:
        say(f"{'not in step' if is_check else 'written'}: {path}")
    if is_check and changed:
        raise typer.Exit(1)


def _short(text: Any) -> str:
    return text[:_SHORT] if text else ""
