"""Tool calls by risk: each once, failures and misfits beside them."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl

from llmops_lib.measures.agent_actions import agent_actions_by_risk
from llmops_lib.measures.tool_schemas import checked_tool_calls
from llmops_lib.schema import TOOL_VERSIONS, conform

START = datetime(2026, 11, 9, tzinfo=UTC)
RISKS = {"issue_refund": "high", "lookup_order": "low"}


def risk_of(name):
    """What is declared."""
    return RISKS.get(name, "unknown")


def spans(*rows):
    """Spans of one trace from a few columns each, a minute apart."""
    columns = ("operation", "tool_calls", "tool_name", "tool_call_id", "input", "attributes")
    filled = [
        dict.fromkeys(columns)
        | {"trace_id": "t", "span_id": f"s{place}", "started_at": START + timedelta(minutes=place)}
        | {"is_model_call": "tool_calls" in row, "is_error": False}
        | row
        for place, row in enumerate(rows)
    ]
    return pl.DataFrame(filled, schema_overrides=dict.fromkeys(columns, pl.String))


def asked(name, call_id="c1", **arguments):
    """A model call that asks for a tool."""
    return {
        "operation": "chat",
        "tool_calls": json.dumps([{"id": call_id, "name": name, "arguments": arguments}]),
    }


def ran(name, call_id="c1", *, is_error=False):
    """A span that executed a tool."""
    return {"operation": "execute_tool", "tool_name": name, "tool_call_id": call_id, "is_error": is_error}


def counts(table):
    """Risk, tool and the counts."""
    return table.drop("trace_id", "span_id").rows()


def test_tools_of_high_risk_come_first_and_undeclared_ones_next(engine):
    """What nobody has declared may be anything; the same on every engine."""
    table = spans(
        asked("lookup_order"), ran("lookup_order"), asked("lookup_order", "c2"), asked("mystery", "c3"),
        asked("issue_refund", "c4"), ran("issue_refund", "c4", is_error=True),
    )  # fmt: skip
    assert counts(agent_actions_by_risk(engine(table), risk_of)) == [
        ("high", "issue_refund", 1, 1, 1, 0, 0, 1),
        ("unknown", "mystery", 1, 0, 0, 0, 0, 1),
        ("low", "lookup_order", 2, 1, 0, 0, 0, 2),
    ]


def test_a_run_that_no_model_asked_for_counts_by_itself():
    """Exports of agents may hold the runs of tools only, with or without ids."""
    table = spans(ran("issue_refund", None, is_error=True), ran("issue_refund", "c9"))
    assert counts(agent_actions_by_risk(table, risk_of)) == [("high", "issue_refund", 2, 2, 1, 0, 0, 2)]


def test_calls_that_fit_no_schema_are_counted_and_the_last_call_is_named():
    """An agent that makes up arguments is the one to look at."""
    table = spans(
        asked("issue_refund", order="7-4471"), asked("issue_refund", "c2", order=7), asked("mystery", "c3")
    )
    schema = {"type": "object", "properties": {"order": {"type": "string"}}}
    tool = {"tool_name": ["issue_refund"], "schema_hash": ["ab12"], "parameters": [json.dumps(schema)]}
    types = {name: TOOL_VERSIONS.polars_schema[name] for name in tool}
    tools = conform(pl.DataFrame(tool, schema=types), TOOL_VERSIONS)
    rows = agent_actions_by_risk(table, risk_of, checked=checked_tool_calls(table, tools))
    assert counts(rows) == [
        ("high", "issue_refund", 2, 0, 0, 0, 1, 0),
        ("unknown", "mystery", 1, 0, 0, 1, 0, 0),
    ]
    assert rows["span_id"].to_list() == ["s1", "s2"]


def test_traffic_without_tools_has_no_actions():
    """Most applications are no agents."""
    assert agent_actions_by_risk(spans({"operation": "chat", "is_model_call": True}), risk_of).is_empty()
