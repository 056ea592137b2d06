"""A prompt knows its commit, whether it changed since, and what it was."""

import pytest

from llmops_lib import load_prompt, load_tools, prompt_diff, prompt_versions, tool_versions
from llmops_lib.errors import PromptError, RevisionError
from tests.registry.conftest import PROMPT, TOOL

LONGER = PROMPT.replace("Answer briefly.", "Answer at length.")
WITH_TOOL = PROMPT.replace("tests:", "tools: [lookup_order]\ntests:")


def test_outside_a_repository_commit_and_change_are_unknown(write):
    """Unknown is not clean."""
    prompt = load_prompt("faq", folder=write())
    assert (prompt.commit, prompt.is_dirty) == (None, None)


def test_a_committed_prompt_is_clean_until_it_changes(write, commit):
    """A run of a changed prompt must not claim the commit."""
    write()
    sha = commit()
    clean = load_prompt("faq", folder=write())
    dirty = load_prompt("faq", folder=write(LONGER))
    assert (clean.commit, clean.is_dirty) == (sha, False)
    assert (dirty.commit, dirty.is_dirty) == (sha, True)


def test_a_change_of_its_tool_makes_a_prompt_dirty(write, commit, prompts):
    """The tool is part of what is sent."""
    (prompts / "tools" / "lookup_order.json").write_text(TOOL)
    write(WITH_TOOL)
    commit()
    (prompts / "tools" / "lookup_order.json").write_text(TOOL.replace("an order", "one order"))
    assert load_prompt("faq", folder=prompts).is_dirty


def test_a_prompt_that_git_ignores_is_not_called_clean(write, commit, prompts):
    """The commit does not hold it."""
    (prompts.parent / ".gitignore").write_text("faq.md\n")
    commit()
    assert load_prompt("faq", folder=write()).is_dirty


def test_a_revision_gives_the_prompt_as_it_was(write, commit):
    """With its tools as they were; no code of that revision runs."""
    write()
    first = commit()
    write(LONGER)
    commit()
    for revision in ("HEAD~1", first, first[:10]):
        old = load_prompt(f"faq@{revision}", folder=write("broken now"))
        assert old.render(question="Why?")[0]["content"] == "Answer briefly."
        assert (old.commit, old.is_dirty) == (first, False)


@pytest.mark.parametrize("revision", ["nothing", "--help", "-c", "HEAD; id", "HEAD:prompts/faq.md", "$(id)"])
def test_what_is_no_revision_is_refused(write, commit, revision):
    """It goes to a command line."""
    write()
    commit()
    with pytest.raises(RevisionError, match="is no commit"):
        load_prompt(f"faq@{revision}", folder=write())


def test_a_revision_outside_a_repository_says_so(write):
    """The reader learns that the folder is the reason."""
    with pytest.raises(RevisionError, match="not a git repository"):
        load_prompt("faq@HEAD", folder=write())


def test_a_repository_cannot_make_git_run_a_program(write, commit, prompts, tmp_path):
    """A checkout of somebody else's branch must be safe to look at."""
    write()
    commit()
    canary = tmp_path / "ran"
    config = prompts.parent / ".git" / "config"
    config.write_text(f"{config.read_text()}\n[core]\n\tfsmonitor = touch {canary}; false\n")
    load_prompt("faq", folder=prompts)
    assert not canary.exists()


def test_versions_are_the_commits_that_changed_what_is_sent(write, commit):
    """A new owner is no version; a change that is not committed is one."""
    write()
    first = commit("first", day=1)
    write(PROMPT.replace("owner: support", "owner: other"))
    commit("owner only", day=2)
    write(LONGER)
    third = commit("longer", day=3)
    table = prompt_versions("faq", folder=write(LONGER.replace("at length", "in verse")))
    assert table["commit"].to_list() == [None, third, first]
    assert table["subject"].to_list() == [None, "longer", "first"]
    assert table["prompt_hash"].n_unique() == 3


def test_versions_name_the_tools_that_they_offer(write, commit, prompts):
    """So that a call that carries the prompt is held to the schema that the model was told."""
    (prompts / "tools" / "lookup_order.json").write_text(TOOL)
    write(WITH_TOOL)
    commit()
    known = tool_versions(folder=prompts)["schema_hash"][0]
    assert prompt_versions("faq", folder=prompts)["tool_hashes"].to_list() == [
        f'{{"lookup_order":"{known}"}}'
    ]


def test_a_commit_that_breaks_a_prompt_is_listed_with_its_error(write, commit):
    """A gap in the history would be worse."""
    write()
    commit(day=1)
    write("broken")
    commit(day=2)
    table = prompt_versions("faq", folder=write())
    assert table["error"].is_null().to_list() == [True, False, True]


def test_versions_of_a_prompt_that_never_was_are_an_error(write, commit):
    """As for loading it."""
    write()
    commit()
    with pytest.raises(PromptError, match=r"\['faq'\]"):
        prompt_versions("faqs", folder=write())


def test_tool_versions_hold_from_their_commit_on(commit, prompts):
    """Calls of production are held to what was in force, removals included."""
    file = prompts / "tools" / "lookup_order.json"
    file.write_text(TOOL)
    commit(day=1)
    file.write_text(TOOL.replace('"required": ["order"], ', ""))
    commit(day=2)
    file.unlink()
    commit(day=3)
    table = tool_versions(folder=prompts)
    assert [at.day for at in table["in_force_at"]] == [1, 2, 3]
    assert table["parameters"].is_null().to_list() == [False, False, True]


def test_a_tool_without_a_commit_holds_always(prompts):
    """There is one version of it, and no time is known."""
    (prompts / "tools" / "lookup_order.json").write_text(TOOL)
    table = tool_versions(folder=prompts)
    assert table.select("tool_name", "in_force_at").rows() == [("lookup_order", None)]
    assert table["schema_hash"].to_list() == [tool.schema_hash for tool in load_tools(folder=prompts)]


def test_a_diff_shows_settings_template_and_rendered_text(write, commit):
    """A change of the template may change no text, and the other way about."""
    write()
    commit()
    write(LONGER.replace("model: gpt-4o-mini", "model: gpt-4o"))
    parts = prompt_diff(load_prompt("faq@HEAD", folder=write()), load_prompt("faq", folder=write(LONGER)))
    assert [(part.part, part.name) for part in parts] == [("template", ""), ("rendered", "a question")]
    assert "+Answer at length." in parts[1].lines
    assert "-Answer briefly." in parts[1].lines


def test_a_rewording_of_the_template_alone_changes_no_rendered_text(write):
    """So a reviewer sees at once that nothing else is sent."""
    folder = write()
    old = load_prompt("faq", folder=folder)
    new = load_prompt("faq", folder=write(PROMPT.replace("{{ question }}", "{{ question|default('') }}")))
    assert [part.part for part in prompt_diff(old, new)] == ["template"]


def test_inputs_that_one_version_cannot_render_are_said(write):
    """A new required input is the change that hurts."""
    old = load_prompt("faq", folder=write())
    new = load_prompt(
        "faq", folder=write(PROMPT.replace("required: [question]", "required: [question, passages]"))
    )
    rendered = next(part for part in prompt_diff(old, new) if part.part == "rendered")
    assert any("cannot be rendered" in line for line in rendered.lines)
