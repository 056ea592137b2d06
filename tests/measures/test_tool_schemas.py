"""Tool calls of production are held to the schema that was in force, and doubt is no verdict."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from llmops_lib.errors import SchemaError
from llmops_lib.measures.tool_schemas import checked_tool_calls, tool_schema_validity
from llmops_lib.schema import TOOL_VERSIONS, conform

DAYS = [datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 8)]
ORDER = json.dumps({"type": "object", "required": ["order"], "additionalProperties": False,
                    "properties": {"order": {"type": "string"}}})  # fmt: skip
NUMBER = ORDER.replace('"string"', '"integer"')
OLD, NEW = "0" * 64, "1" * 64


def tools(**columns):
    """TOOL_VERSIONS from a few columns; one tool that holds always, unless they say more."""
    plain = {"tool_name": ["lookup_order"], "schema_hash": [OLD], "parameters": [ORDER]}
    given = plain | columns
    return conform(
        pl.DataFrame(given, schema={name: TOOL_VERSIONS.polars_schema[name] for name in given}), TOOL_VERSIONS
    )


CHANGED = tools(
    tool_name=["lookup_order"] * 2,
    schema_hash=[OLD, NEW],
    parameters=[ORDER, NUMBER],
    in_force_at=[DAYS[1], DAYS[3]],
)


def asked(arguments, name="lookup_order", call_id="c1"):
    """The list of calls of one answer."""
    return json.dumps([{"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}])


def verdicts(spans, versions):
    """Validity and reason of each call."""
    return checked_tool_calls(spans, versions).select("is_valid", "reason").rows()


def test_calls_are_counted_by_tool_with_their_reasons(engine, calls):
    """The same on every engine."""
    spans = calls(
        tool_calls=[
            asked({"order": "7-4471"}),
            asked({"id": 7}),
            asked("{order"),
            asked(None),
            asked({}, name="drop_table"),
            None,
        ]
    )
    table = tool_schema_validity(engine(spans), tools())
    columns = ["tool_name", "call_count", "valid_count", "invalid_count", "unknown_count", "valid_share"]
    assert table.select(columns).rows() == [
        ("lookup_order", 4, 1, 2, 1, 1 / 3),
        ("drop_table", 1, 0, 1, 0, 0.0),
    ]
    reasons = ["unknown_tool_count", "invalid_json_count", "schema_mismatch_count", "not_recorded_count"]
    assert table.select(reasons).rows() == [(0, 1, 1, 1), (1, 0, 0, 0)]
    assert "lacks 'order'" in table["commonest_misfit"][0] or "no JSON" in table["commonest_misfit"][0]


def test_the_schema_is_the_one_in_force_at_the_time(calls):
    """A call of last week must not fail by the rule of today."""
    at = [DAYS[0], DAYS[1], DAYS[2], DAYS[3], DAYS[4]]
    spans = calls(tool_calls=[asked({"order": "7-4471"})] * 5, started_at=at)
    assert verdicts(spans, CHANGED) == [
        (None, "no_schema_in_force"),
        (True, None),
        (True, None),
        (False, "schema_mismatch"),
        (False, "schema_mismatch"),
    ]


def test_after_its_removal_no_schema_is_in_force(calls):
    """The call may have come from an instance that was not updated yet; nobody can tell."""
    removed = tools(
        tool_name=["lookup_order"] * 2,
        schema_hash=[OLD, None],
        parameters=[ORDER, None],
        in_force_at=[DAYS[1], DAYS[3]],
    )
    spans = calls(tool_calls=[asked({"order": "7"})], started_at=[DAYS[4]])
    assert verdicts(spans, removed) == [(None, "no_schema_in_force")]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [(OLD, (True, None)), (NEW, (False, "schema_mismatch")), ("f" * 64, (None, "unknown_schema"))],
)
def test_a_stated_hash_goes_before_the_time(calls, stated, expected):
    """The span knows better than the date of a commit."""
    spans = calls(
        operation=["execute_tool"],
        is_model_call=[False],
        tool_name=["lookup_order"],
        input=['{"order": "7-4471"}'],
        attributes=[json.dumps({"llmops.tool_schema_hash": stated})],
        started_at=[DAYS[4]],
    )
    assert verdicts(spans, CHANGED) == [expected]


def test_the_prompt_that_a_call_carries_goes_before_the_time(calls):
    """The old prompt still runs somewhere after the commit that changed its tool."""
    prompts = pl.DataFrame(
        {"prompt_hash": ["h1", "h2"], "tool_hashes": [json.dumps({"lookup_order": OLD}), None]}
    )
    late = [DAYS[4]] * 3
    spans = calls(tool_calls=[asked({"order": "7"})] * 3, started_at=late, prompt_hash=["h1", "h2", None])
    verdict = checked_tool_calls(spans, CHANGED, prompts=prompts).select("is_valid", "schema_hash").rows()
    assert verdict == [(True, OLD), (False, NEW), (False, NEW)]
    table = tool_schema_validity(spans, CHANGED, "prompt_hash", prompts=prompts)
    assert table.select("prompt_hash", "valid_share").rows() == [("h1", 1.0), ("h2", 0.0), (None, 0.0)]


def test_text_that_quotes_the_attribute_states_no_hash(calls):
    """Attributes hold what users wrote."""
    quoted = json.dumps({"note": f'"llmops.tool_schema_hash": "{OLD}"'})
    spans = calls(
        operation=["execute_tool"], is_model_call=[False], tool_name=["lookup_order"],
        input=['{"order": "7-4471"}'], attributes=[quoted], started_at=[DAYS[4]],
    )  # fmt: skip
    assert verdicts(spans, CHANGED) == [(False, "schema_mismatch")]


def test_a_call_counts_once_though_two_spans_tell_of_it(calls):
    """One asks for it, one executes it."""
    spans = calls(
        trace_id=["t", "t", "t", "u"],
        operation=["chat", "execute_tool", "execute_tool", "execute_tool"],
        is_model_call=[True, False, False, False],
        tool_calls=[asked({"order": "7"}), None, None, None],
        tool_name=[None, "lookup_order", "lookup_order", "lookup_order"],
        tool_call_id=[None, "c1", "c2", "c1"],
        input=[None, '{"order": "7"}', '{"order": "8"}', '{"order": "9"}'],
    )
    table = checked_tool_calls(spans, tools())
    assert table.select("trace_id", "tool_call_id").rows() == [("t", "c1"), ("t", "c2"), ("u", "c1")]


def test_without_ids_executions_of_a_tool_that_was_asked_for_are_not_counted_again(calls):
    """Which of the two it was cannot be told, and twice would be wrong."""
    spans = calls(
        trace_id=["t", "t", "t"],
        operation=["chat", "execute_tool", "execute_tool"],
        is_model_call=[True, False, False],
        tool_calls=[asked({"order": "7"}, call_id=None), None, None],
        tool_name=[None, "lookup_order", "find_parcel"],
        input=[None, '{"order": "7"}', "{}"],
    )
    assert checked_tool_calls(spans, tools())["tool_name"].to_list() == ["lookup_order", "find_parcel"]


@pytest.mark.parametrize("text", ["not json", '{"name": "lookup_order"}', "[1]", '["x"]'])
def test_a_list_of_calls_that_cannot_be_read_is_one_bad_call(calls, text):
    """It is counted, under no tool."""
    table = tool_schema_validity(calls(tool_calls=[text]), tools())
    assert table.select("tool_name", "call_count", "invalid_count").rows() == [(None, 1, 1)]


def test_the_shape_of_openai_is_read_too(calls):
    """Plain tables carry it as it was sent."""
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "lookup_order", "arguments": '{"order": "7"}'},
    }
    assert verdicts(calls(tool_calls=[json.dumps([call])]), tools()) == [(True, None)]


def test_a_detail_never_quotes_the_arguments(calls):
    """They may hold what a user wrote."""
    spans = calls(tool_calls=[asked({"order": 7, "sk-secret": "sk-secret"})])
    detail = checked_tool_calls(spans, tools())["detail"][0]
    assert "order: is not of type string" in detail
    assert "secret" not in detail


def test_groups_are_kept_apart(calls):
    """Which model writes bad calls is the question."""
    spans = calls(tool_calls=[asked({"order": "7"}), asked({})], model=["a", "b"])
    assert tool_schema_validity(spans, tools(), "model").select("model", "valid_share").rows() == [
        ("a", 1.0),
        ("b", 0.0),
    ]


def test_no_calls_give_no_rows(calls):
    """And no answer that carries an empty list is a call."""
    assert tool_schema_validity(calls(tool_calls=["[]", None]), tools()).height == 0


def test_a_tool_that_is_no_json_schema_is_refused(calls):
    """Everything would fit it, or nothing."""
    with pytest.raises(SchemaError, match="lookup_order"):
        tool_schema_validity(calls(tool_calls=[asked({})]), tools(parameters=['{"type": "text"}']))
