"""The documentation names everything there is, and its generated pages are up to date."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer

import llmops_lib
from llmops_lib.cli import app
from llmops_lib.demo import sample_export
from llmops_lib.schema_page import schema_page

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").rglob("*.md"))]


def commands() -> list[str]:
    """Every command of the command line, as it is typed."""

    def walk(command, name):
        children = getattr(command, "commands", None)
        if not children:
            return [name]
        return [line for child, inner in children.items() for line in walk(inner, f"{name} {child}")]

    return walk(typer.main.get_command(app), "llmops")


def command_of(name):
    """The command of a name such as `llmops eval run`."""
    found = typer.main.get_command(app)
    for part in name.split()[1:]:
        found = found.commands[part]
    return found


@pytest.mark.parametrize("name", llmops_lib.__all__)
def test_every_public_name_is_in_the_readme_and_can_be_imported(name):
    """A name nobody can find is not public."""
    assert re.search(rf"`{name}`", README), f"{name} is missing from the table of public names"
    assert getattr(llmops_lib, name).__doc__


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme_and_tells_an_example_and_its_exit_codes(command):
    """`--help` and the README are where people look, and a script looks at the exit code."""
    assert f"`{command}`" in README
    help_text = command_of(command).help
    assert "Example: llmops" in help_text
    assert re.search(r"Exit\s+codes: ", help_text)


def shown_lines() -> list[str]:
    """Every command line that the help, the block of a page or a playbook shows."""
    playbooks = sorted((PROJECT / "llmops_lib" / "playbooks").glob("*.md"))
    pages = "\n".join(page.read_text(encoding="utf-8") for page in [*PAGES, *playbooks])
    blocks = re.findall(r"```\n(.*?)```", pages, re.DOTALL)
    rollbacks = re.findall(r"^rollback: (.*)$", pages, re.MULTILINE)
    text = "\n".join([*blocks, *rollbacks, *(command_of(name).help for name in commands())])
    lines = re.findall(r"(?:^|&& |/|Example: )(llmops (?:\\\n|[^\n|>&])*)", text, re.MULTILINE)
    # Brackets stand around what may be left out, three dots for what is cut.
    return sorted({re.sub(r"\\\n|[\[\]]", "", line) for line in lines if "..." not in line})


@pytest.mark.parametrize("line", shown_lines())
def test_a_command_line_that_is_shown_is_one_that_the_command_takes(line):
    """Whoever copies it in an incident has no time to find out what it should have been."""
    _, *words = shlex.split(line, comments=True)
    found = typer.main.get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]
    found.make_context(line, words)


@pytest.mark.parametrize(
    "notebook", sorted((PROJECT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_every_notebook_is_in_the_readme(notebook):
    """The question leads to the notebook."""
    assert f"notebooks/{notebook.name}" in README


def test_the_schema_page_is_up_to_date():
    """It is written with `python -m llmops_lib.schema_page docs/schema.md`."""
    assert (PROJECT / "docs" / "schema.md").read_text(encoding="utf-8") == schema_page()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page):
    """A dead link in the first minute is the last minute."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", ["README.md", "docs/loading.md", "docs/prompts.md", "docs/suites.md"])
def test_the_python_of_the_first_minutes_runs(page, tmp_path, monkeypatch):
    """It is the first thing that a reader pastes; `exports/` is where their own files would be."""
    (tmp_path / "exports").mkdir()
    shutil.copy(sample_export(), tmp_path / "exports" / "export.jsonl")
    monkeypatch.chdir(tmp_path)
    block = re.search(r"```python\n(.*?)```", (PROJECT / page).read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(block[1], page, "exec"), {})  # noqa: S102 - our own documentation


def test_an_unknown_name_lists_the_known_ones():
    """A typo should answer itself."""
    with pytest.raises(AttributeError, match="load_traces"):
        llmops_lib.load_trace  # noqa: B018 - the access is what is tested
