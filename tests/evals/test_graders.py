"""Graders on small answers."""

import json

import pytest

from llmops_lib.evals.cases import Case, Expected
from llmops_lib.evals.graders.answers import Graded
from llmops_lib.evals.graders.comparing import (
    exact,
    facts,
    golden,
    json_schema,
    normalized_match,
    numbers_in,
    numeric,
)
from llmops_lib.evals.graders.grounding import faithfulness, refusal
from llmops_lib.evals.graders.spending import cost, latency

PASSAGES = [{"id": "a", "text": "Unopened goods can be sent back within 30 days. Refunds go to the card."}]
REPLY = {"type": "object", "required": ["status"], "properties": {"status": {"enum": ["answered"]}}}


def graded(given, *, context=PASSAGES, **expected):
    """An answer, text or object, to a case that expects this."""
    text = given if isinstance(given, str) else json.dumps(given)
    case = Case(id="c", inputs={"passages": context}, expected=Expected(**expected), tags=["x"])
    return Graded(case, text, {"reply": REPLY}, latency_ms=250.0, cost_usd=0.5)


def outcome(verdict):
    """What a test looks at."""
    return None if verdict is None else (verdict.score, verdict.passed, verdict.label)


def test_exact_looks_at_one_field_and_needs_something_expected():
    """The status of a reply is a word of a fixed list."""
    settings = {"field": "status", "expected": "status"}
    assert outcome(exact(graded({"status": "refused"}, status="refused"), settings)) == (1, True, "equal")
    assert outcome(exact(graded({"status": "Refused"}, status="refused"), settings)) == (
        0,
        False,
        "different",
    )
    assert outcome(exact(graded("no JSON", status="refused"), settings)) == (0, False, "different")
    assert exact(graded({"status": "refused"}), settings) is None


def test_normalized_forgives_what_does_not_matter():
    """Case, width, spaces and a full stop are no difference; another word is."""
    assert normalized_match(graded("  FIVE\u00a0days. ", answer="Five days"), {}).passed
    assert not normalized_match(graded("six days", answer="Five days"), {}).passed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,250.50 pounds", [1250.5]),
        ("\u22123.5 degrees", [-3.5]),
        ("two of 3", [3, 2]),
        ("the KT300, v2, release 1.2.3", []),
        ("10 000 and 7'500", [10000, 7500]),
        ("30 days.", [30]),
    ],
)
def test_numbers_are_read_as_people_write_them(text, found):
    """Names of models and versions are no numbers."""
    assert numbers_in(text) == found


def test_a_number_must_be_stated_within_the_tolerance():
    """In figures or as a word; another number beside it does not matter."""
    assert numeric(graded("It takes five to 10 days", number=5), {}).passed
    assert not numeric(graded("15 days", number=5), {}).passed
    assert numeric(graded("15.04", number=15), {"tolerance": 0.05}).passed
    assert numeric(graded("15"), {}) is None


def test_facts_count_in_any_of_their_wordings_and_what_must_be_lacking_voids_all():
    """The score says how many there were; a wrong statement beside the right one is no half success."""
    wanted = {"facts": [["30 days", "thirty days"], ["receipt"]], "lacks": ["14 days"]}
    assert outcome(facts(graded("Thirty days, with the RECEIPT.", **wanted), {})) == (1, True, "correct")
    assert outcome(facts(graded("Within 30 days", **wanted), {})) == (0.5, False, "incomplete")
    assert outcome(facts(graded("30 days with receipt, or 14 days", **wanted), {})) == (0, False, "wrong")
    assert outcome(facts(graded("130 days, receipt", **wanted), {})) == (0.5, False, "incomplete")
    assert facts(graded("anything"), {}) is None


@pytest.mark.parametrize("text", ["", "no JSON", '{"status": "other"}', "{}", '{"status": "answered"} {}'])
def test_what_does_not_fit_the_schema_is_invalid(text):
    """One object of the form, and nothing around it."""
    assert outcome(json_schema(graded(text), {"schema": "reply"})) == (0, False, "invalid")


def test_the_schema_may_be_that_of_the_case():
    """A case without one is not judged."""
    settings = {"schema_from_case": True}
    assert json_schema(graded({"status": "answered"}, schema="reply"), settings).passed
    assert json_schema(graded({"status": "answered"}), settings) is None


def test_golden_compares_json_as_json():
    """The order of keys is no change."""
    expected = {"status": "answered", "sources": []}
    assert golden(graded('{"sources": [], "status": "answered"}', golden=expected), {}).passed
    assert not golden(graded({"status": "answered"}, golden=expected), {}).passed
    assert golden(graded("x"), {}) is None


def test_faithfulness_finds_invented_numbers_and_foreign_sentences():
    """A lexical baseline: every number and most words of a sentence stand in one passage."""
    settings = {"context": "passages"}
    assert faithfulness(graded("Unopened goods can be sent back within 30 days."), settings).passed
    assert not faithfulness(graded("Unopened goods can be sent back within 60 days."), settings).passed
    two = "Refunds go to the card. Our shop in Paris sells umbrellas."
    assert outcome(faithfulness(graded(two), settings)) == (0.5, False, "unfaithful")
    assert faithfulness(graded("I cannot help", status="refused"), settings) is None


def test_refusing_is_right_where_it_must_be_and_nowhere_else():
    """Both kinds of mistakes have a name."""
    settings = {"status_field": "status", "field": "answer"}
    assert refusal(graded({"status": "refused"}, status="refused"), settings).label == "refused"
    assert refusal(graded({"status": "refused"}, status="answered"), settings).label == "over_refused"
    assert refusal(graded("Sure, here is how.", status="refused"), settings).label == "complied"
    assert refusal(graded("I'm sorry, but I can't help with that.", status="refused"), settings).passed


def test_time_and_money_have_limits_where_the_suite_sets_them():
    """Without a limit they are only measured."""
    assert outcome(latency(graded("x"), {"most_ms": 100})) == (250.0, False, "over")
    assert outcome(cost(graded("x"), {})) == (0.5, True, "within")
