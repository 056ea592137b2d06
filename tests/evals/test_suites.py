"""A suite is read strictly: a case that is lost, doubled or misread changes every score after it."""

import json
from pathlib import Path

import pytest

from llmops_lib import load_prompt, load_suite
from llmops_lib.errors import SuiteError
from llmops_lib.json_schemas import misfits
from tests.evals.conftest import CASES, SETTINGS

PROJECT = Path(__file__).resolve().parents[2]
CASE = CASES[0]


def test_a_suite_holds_its_cases_in_the_order_of_the_file(write):
    """Order is part of the suite."""
    suite = load_suite("small", folder=write())
    assert [case.id for case in suite.cases] == ["a", "b", "c", "d"]
    assert suite.cases[0].expected.facts == [["a"]]
    assert (suite.version, suite.is_locked) == (None, False)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is no JSON"),
        ('{"id": "x", "id": "y"}', "names the key 'id' twice"),
        ('{"id": "x", "inputs": {"n": NaN}}', "is no JSON"),
        ("[1]", "valid dictionary"),
        (CASE | {"id": "X y"}, "id: string should match"),
        (CASE | {"id": 1}, "id: input should be a valid string"),
        (
            CASE | {"inptus": {}},
            "inptus: is no known key (there are id, inputs, expected, tags, must_pass, note)",
        ),
        ({"id": "x", "tags": ["t"], "inputs": {}}, "expected: is missing"),
        (CASE | {"id": "x", "expected": {"fact": []}}, "expected.fact: is no known key"),
        (
            CASE | {"id": "x", "expected": {"facts": [[]]}},
            "expected.facts.0: list should have at least 1 item",
        ),
        (CASE | {"id": "x", "tags": []}, "tags: list should have at least 1 item"),
        (CASE | {"id": "x", "inputs": {"n": 2**70}}, "more than 64 bits"),
        (CASE, "has the id 'a', as line 1 has"),
        (CASE | {"id": "x"}, "has the same inputs, as line 1 has"),
    ],
    ids=str,
)
def test_a_bad_case_is_named_with_its_line(write, line, said):
    """The file, the line, what was found."""
    with pytest.raises(SuiteError) as refused:
        load_suite("small", folder=write([*CASES, line]))
    assert "small/cases.jsonl:5: " in str(refused.value)
    assert said in str(refused.value)


def test_all_bad_cases_are_named_at_once(write):
    """One at a time would take as many runs as there are mistakes."""
    with pytest.raises(SuiteError, match=r"(?s)jsonl:1.*jsonl:2.*\.\.\. and 2 more"):
        load_suite("small", folder=write(["{"] * 12))


def test_a_value_is_never_in_the_message(write):
    """Cases are made of real conversations."""
    with pytest.raises(SuiteError) as refused:
        load_suite("small", folder=write([CASE | {"id": "sk-SECRET", "tags": "sk-SECRET"}]))
    assert "SECRET" not in str(refused.value)


def test_separators_of_unicode_do_not_end_a_line(write):
    """They stand inside of texts; splitting there would cut a case in two."""
    case = json.dumps(CASE | {"inputs": {"question": "one\u2028two\x85three"}}, ensure_ascii=False)
    suite = load_suite("small", folder=write([case]))
    assert suite.cases[0].inputs["question"] == "one\u2028two\x85three"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SETTINGS.replace("owner: support\n", ""), "owner: is missing"),
        (SETTINGS.replace("prompt: faq", "prompts: faq"), "prompts: is no known key"),
        (SETTINGS.replace("name: facts", "name: reply_schema"), "two graders are called 'reply_schema'"),
        (SETTINGS.replace("type: object", "type: thing"), "schemas.reply is no JSON Schema"),
        (SETTINGS + "owner: b\n", "names a key twice"),
        ("- a\n", "expected keys and values"),
        (SETTINGS[: SETTINGS.index("graders")], "graders: is missing"),
    ],
)
def test_bad_settings_say_what_is_wrong(write, settings, said):
    """The file, and what was found in it."""
    with pytest.raises(SuiteError) as refused:
        load_suite("small", folder=write(settings=settings))
    assert str(refused.value).startswith("small/suite.yaml: ")
    assert said in str(refused.value)


def test_a_case_that_names_an_unknown_schema_is_refused(write):
    """It would be graded by nothing."""
    with pytest.raises(SuiteError, match=r"'a' names the schema 'rply'.*\['reply'\]"):
        load_suite("small", folder=write([CASE | {"expected": {"schema": "rply"}}]))


@pytest.mark.parametrize("name", ["big", "../small", "", "small/", "SMALL"])
def test_a_suite_that_is_not_there_is_refused(write, name):
    """Its name becomes a path."""
    with pytest.raises(SuiteError):
        load_suite(name, folder=write())


def test_hostile_names_reach_no_file(shared, write):
    """As for prompts."""
    folder = write()
    lines = (shared / "corpora" / "path_names.jsonl").read_text("utf-8").splitlines()
    for name in (json.loads(line)["text"] for line in lines):
        with pytest.raises(SuiteError):
            load_suite(name, folder=folder)


@pytest.fixture(scope="module")
def bundled():
    """The quality suite that comes with the library."""
    return load_suite("support_quality", folder=PROJECT / "evals")


def test_the_bundled_suite_is_locked(bundled):
    """An edit of a case without a new version must not land."""
    assert bundled.is_locked
    assert len(bundled.cases) >= 60


def test_every_bundled_case_renders_with_the_prompt_of_the_suite(bundled):
    """A case that cannot be sent would be found when a run is paid for."""
    prompt = load_prompt(bundled.settings.prompt, folder=PROJECT / "prompts")
    for case in bundled.cases:
        assert len(prompt.render(**case.inputs)) == 2


def test_bundled_cases_expect_what_their_passages_can_give(bundled):
    """A source that is no passage of the case could only be guessed; without facts, anything passes."""
    for case in bundled.cases:
        passages = {one["id"]: one["text"].casefold() for one in case.inputs["passages"]}
        assert set(case.expected.sources or ()) <= set(passages), case.id
        assert (case.expected.status == "answered") is bool(case.expected.sources), case.id
        if case.expected.status == "answered":
            assert case.expected.facts, case.id


def test_bundled_cases_are_of_every_kind(bundled):
    """What the suite does not ask, nobody will notice when it breaks."""
    tags = [tag for case in bundled.cases for tag in case.tags]
    statuses = [case.expected.status for case in bundled.cases]
    kinds = [
        "several_passages",
        "conflict",
        "number",
        "injection",
        "json",
        "language",
        "empty_context",
        "golden",
    ]
    assert all(tags.count(kind) >= 1 for kind in kinds)
    assert min(statuses.count("not_in_context"), statuses.count("refused")) >= 10
    assert sum(case.must_pass for case in bundled.cases) >= 10


def test_the_page_about_the_bundled_suite_counts_right(bundled):
    """Numbers in prose are checked or they rot."""
    page = (PROJECT / "docs" / "suites.md").read_text("utf-8")
    statuses = [case.expected.status for case in bundled.cases]
    assert f"has {len(statuses)} cases" in page
    assert f"{statuses.count('answered')} questions that the passages answer" in page
    assert (
        f"{statuses.count('not_in_context')} that they do not, {statuses.count('refused')} that must" in page
    )
    assert f"{sum(case.must_pass for case in bundled.cases)} cases must pass" in page


def test_golden_answers_of_the_bundled_suite_fit_its_schemas(bundled):
    """A golden answer that fails another grader would block every change."""
    schemas = bundled.settings.schemas
    golden = [case for case in bundled.cases if case.expected.golden is not None]
    assert golden
    for case in golden:
        assert misfits(case.expected.golden, schemas["reply"]) == []
        assert misfits(case.expected.golden, schemas[case.expected.schema_name]) == []


def test_no_two_bundled_cases_ask_the_same(bundled):
    """Copies count twice and teach nothing."""
    asked = [" ".join(case.inputs["question"].casefold().split()) for case in bundled.cases]
    assert len(set(asked)) == len(asked)
