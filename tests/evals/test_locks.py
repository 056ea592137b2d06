"""A lock names every change, and a changed suite is not the suite of its version."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops_lib import load_suite, lock_suite, suite_changes
from llmops_lib.errors import LockedSuiteError, RevisionError, SuiteError
from tests.evals.conftest import CASES, SETTINGS


@pytest.fixture
def locked(write):
    """The folder of a suite that was locked."""
    lock_suite(load_suite("small", folder=write()))
    return write


def changes(folder):
    """What is not as it was locked, in words."""
    return [str(change) for change in suite_changes(load_suite("small", folder=folder))]


def edited(number, **fields):
    """The cases with one of them changed."""
    return [case | fields if place == number else case for place, case in enumerate(CASES)]


def test_a_suite_that_was_just_locked_is_as_locked(locked):
    """Version 1, and nothing to name."""
    suite = load_suite("small", folder=locked())
    assert (suite.version, suite.is_locked) == (1, True)
    assert changes(locked()) == []


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        (edited(1, inputs={"question": "What is B?"}), ["case b changed"]),
        (edited(1, inputs={"question": "What  is b?"}), ["case b changed"]),
        (edited(1, expected={"facts": [["b", "B"]]}), ["case b changed"]),
        (edited(1, must_pass=True), ["case b changed"]),
        (edited(1, tags=["other"]), ["case b changed"]),
        (CASES[:3], ["case d removed"]),
        ([*CASES, CASES[0] | {"id": "e", "inputs": {}}], ["case e added"]),
        ([CASES[0], CASES[2], CASES[3], CASES[1]], ["order b moved"]),
        ([CASES[1], CASES[0], *CASES[2:]], ["order b moved"]),
        (edited(0, id="z"), ["case z added", "case a removed"]),
    ],
)
def test_a_change_of_a_case_is_named(locked, cases, said):
    """Edit, white space in a text, expectation, removal, addition, order, name."""
    assert changes(locked(cases)) == said
    assert not load_suite("small", folder=locked(cases)).is_locked


def test_another_form_of_the_same_letters_is_a_change(write):
    """A composed and a decomposed ü look the same and are other tokens."""
    folder = write(edited(0, inputs={"question": "\u00fc"}))
    lock_suite(load_suite("small", folder=folder))
    assert changes(write(edited(0, inputs={"question": "u\u0308"}))) == ["case a changed"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: facts", "kind: exact", ["grader facts changed"]),
        ("must_pass: true", "must_pass: false", ["grader reply_schema changed"]),
        ("  - {name: facts, kind: facts}\n", "", ["grader facts removed"]),
        ("prompt: faq", "prompt: other", ["settings changed: prompt or schemas"]),
        ("required: [answer]", "required: []", ["settings changed: prompt or schemas"]),
    ],
)
def test_a_change_of_grader_prompt_or_schema_is_named(locked, old, new, said):
    """They decide about scores as much as the cases do."""
    assert changes(locked(settings=SETTINGS.replace(old, new))) == said


def test_what_decides_about_no_score_is_no_change(locked):
    """Owner, description, notes, the order of keys and blank lines may be tidied."""
    tidied = SETTINGS.replace("owner: support", "owner: other").replace("Small", "Tiny")
    reordered = [json.dumps(dict(reversed(case.items())) | {"note": "why"}) for case in CASES]
    assert changes(locked([*reordered, ""], tidied)) == []


def test_a_changed_suite_is_not_locked_again_without_asking(locked):
    """A new version is a decision: earlier results can no longer be compared."""
    suite = load_suite("small", folder=locked(CASES[:3]))
    with pytest.raises(LockedSuiteError, match=r"(?s)version 1.*case d removed.*--bump"):
        lock_suite(suite)
    assert lock_suite(suite, is_bump=True).version == 2
    assert load_suite("small", folder=locked(CASES[:3])).version == 2


def test_locking_again_without_a_change_keeps_the_version(locked):
    """A bump of nothing would end comparisons for nothing."""
    suite = load_suite("small", folder=locked())
    before = (suite.path / "suite.lock").read_bytes()
    assert lock_suite(suite, is_bump=True).version == 1
    assert (suite.path / "suite.lock").read_bytes() == before


def test_a_suite_that_was_never_locked_says_so(write):
    """Its results can be compared with nothing."""
    assert changes(write()) == ["lock is missing; run `llmops eval lock small`"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace('"version": 1', '"version": 2'),
        lambda text: text.replace('"version": 1', '"version": 0'),
        lambda text: text.replace('"version": 1', '"version": true'),
        lambda text: text.replace('    "a": "', '    "a": "0'),
        lambda text: text.replace('"suite": "small"', '"suite": "small", "extra": 1'),
        lambda text: text.replace("}", "", 1),
        lambda _: "",
        lambda _: "[]",
        lambda text: f"<<<<<<< ours\n{text}",
    ],
)
def test_a_lock_that_was_edited_by_hand_is_refused(locked, edit):
    """A merge that went wrong, or somebody in a hurry."""
    path = locked() / "small" / "suite.lock"
    path.write_text(edit(path.read_text()))
    with pytest.raises(SuiteError, match=r"suite\.lock"):
        load_suite("small", folder=locked())


def test_suite_and_lock_edited_together_are_found_against_the_base(locked, commit):
    """A lock alone does not stop whoever deletes it and locks anew."""
    commit()
    folder = locked(CASES[:3])
    (folder / "small" / "suite.lock").unlink()
    lock_suite(load_suite("small", folder=folder))
    suite = load_suite("small", folder=folder)
    assert suite_changes(suite) == []
    found = [str(change) for change in suite_changes(suite, against="HEAD")]
    assert found == ["version 1 is that of the base, whose content was another; use --bump", "case d removed"]


def test_an_explicit_new_version_passes_against_the_base(locked, commit):
    """That is what the version is for."""
    commit()
    lock_suite(load_suite("small", folder=locked(CASES[:3])), is_bump=True)
    assert suite_changes(load_suite("small", folder=locked(CASES[:3])), against="HEAD") == []


def test_a_lower_version_than_the_base_is_found(locked, commit):
    """Two branches that both bumped, or a revert of the lock alone."""
    lock_suite(load_suite("small", folder=locked(CASES[:3])), is_bump=True)
    commit()
    folder = locked()
    (folder / "small" / "suite.lock").unlink()
    lock_suite(load_suite("small", folder=folder))
    found = suite_changes(load_suite("small", folder=folder), against="HEAD")
    assert [str(change) for change in found] == ["version 1 is lower than 2 of the base"]


def test_a_new_suite_passes_against_a_base_that_does_not_have_it(write, commit, prompts):
    """There is nothing to compare it with."""
    (prompts / "tools" / "kept").write_text("x")
    commit()
    lock_suite(load_suite("small", folder=write()))
    assert suite_changes(load_suite("small", folder=write()), against="HEAD") == []


def test_an_unknown_base_is_an_error_and_no_pass(locked, commit):
    """A shallow clone of CI does not have the base branch."""
    commit()
    with pytest.raises(RevisionError, match="origin/main"):
        suite_changes(load_suite("small", folder=locked()), against="origin/main")


@given(
    order=st.permutations(range(4)),
    kept=st.sets(st.integers(0, 3), min_size=1),
    edit=st.sets(st.integers(0, 3)),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_suite_is_as_locked_exactly_where_nothing_changed(locked, order, kept, edit):
    """Whatever is moved, removed and edited at once: each is named, and nothing else is."""
    now = [CASES[n] | ({"must_pass": True} if n in edit else {}) for n in order if n in kept]
    found = {
        (change.part, change.name, change.what)
        for change in suite_changes(load_suite("small", folder=locked(now)))
    }
    names = [case["id"] for case in now]
    assert {name for part, name, what in found if (part, what) == ("case", "removed")} == {
        "a",
        "b",
        "c",
        "d",
    } - set(names)
    assert {name for part, name, what in found if what == "changed"} == {
        case["id"] for case in now if "must_pass" in case
    }
    assert any(part == "order" for part, _, _ in found) is (names != sorted(names))
