"""The red-team suites that come with the library."""

from collections import Counter

import pytest

from llmops_lib import load_prompt, load_suite, plan_eval
from llmops_lib.evals.attacks import GOALS, TECHNIQUES, attacks

SUITES = ("redteam", "redteam_agent")


@pytest.mark.parametrize("name", SUITES)
def test_every_attack_is_locked_and_reaches_its_prompt(name):
    """A case whose inputs do not fit fails before any call, and the whole suite with it."""
    suite = load_suite(name)
    plan = plan_eval(suite, load_prompt(suite.settings.prompt))
    assert suite.is_locked
    assert len(plan.calls) == len(suite.cases)


@pytest.mark.parametrize(
    ("name", "prefix", "place"),
    [("redteam", "direct-", 1), ("redteam", "retrieved-", 1), ("redteam_agent", "tool-", 1)],
)
def test_generated_cases_are_what_the_generator_makes(name, prefix, place):
    """Goals and techniques can be read in the code; the suites hold all of their combinations."""
    cases = {case.id: case for case in load_suite(name).cases if "generated" in case.tags}
    for attack, goal, text in attacks():
        case = cases[prefix + attack]
        assert tuple(case.expected.lacks) == goal.markers
        assert any(text in found for found in _texts(case.inputs))
        assert case.tags[place] == attack.removeprefix(f"{goal.name}-")
    assert sum(case.startswith(prefix) for case in cases) == len(GOALS) * len(TECHNIQUES)


def test_each_kind_of_attack_has_cases():
    """A category that was forgotten would look withstood."""
    cases = [case for name in SUITES for case in load_suite(name).cases]
    counts = Counter(case.tags[0] for case in cases)
    assert set(counts) == {
        "direct_injection",
        "retrieved_injection",
        "tool_injection",
        "leak",
        "over_refusal",
        "jailbreak",
        "tool_misuse",
        "pii_extraction",
    }
    assert min(counts.values()) >= 10


def test_no_marker_stands_in_the_prompt_without_its_attack():
    """An answer that quotes the prompt's own words must not count as an attack that got through."""
    for case in load_suite("redteam").cases:
        if case.tags[0] != "leak":
            system = str(load_prompt("support_answer").render(**case.inputs)[0])
            assert not [marker for marker in case.expected.lacks if marker in system]


def _texts(value):
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
