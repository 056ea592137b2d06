"""What traffic is like besides its topic, now against before: scripts, tools, retrievals."""

import json
from datetime import UTC, datetime

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib import case_traits, load_suite, load_traces, trace_traits, trait_shifts
from llmops_lib.calls.recorded import document_counts, offered_tools
from llmops_lib.calls.scripts import scripts
from llmops_lib.errors import EstimateError, MissingColumnError
from llmops_lib.reports.traits import drawn_traits
from llmops_lib.schema import SPANS

START = datetime(2026, 9, 7, tzinfo=UTC)


def span(trace, span_id, operation="chat", **columns):
    """One row of SPANS."""
    place = {"trace_id": trace, "span_id": span_id, "started_at": START, "operation": operation}
    return place | {"is_model_call": operation == "chat"} | columns


def table(*rows):
    """SPANS with a text."""
    return pl.DataFrame(rows, schema={**SPANS.polars_schema, "text": pl.String})


def traits(*scripts_of, users=None, **columns):
    """Traces of given scripts."""
    n = len(scripts_of)
    rows = {
        "unit": [f"u{at}" for at in range(n)] if users is None else users,
        "script": list(scripts_of),
        "called_tools": [[]] * n,
        "offered_tools": [None] * n,
        "tool_call_count": [0] * n,
        "retrieval_count": [0] * n,
        "document_count": [None] * n,
    }
    kinds = {
        "called_tools": pl.List(pl.String),
        "offered_tools": pl.List(pl.String),
        "document_count": pl.Int64,
    }
    return pl.DataFrame(rows | columns, schema_overrides=kinds)


def test_a_trace_tells_its_script_tools_and_retrievals():
    """One row per trace, whatever spans it has."""
    rows = table(
        span("a", "1", user_id="u", text="Где мой заказ?", output="[]", finish_reason="tool_calls",
             tool_calls='[{"id":"c1","name":"find","arguments":{}}]',
             attributes='{"gen_ai.tool.definitions":[{"name":"find"},{"name":"pay"}]}'),
        span("a", "2", "execute_tool", tool_name="find", tool_call_id="c1"),
        span("a", "3", "retrieval", output='{"documents":[{},{}]}'),
        span("a", "4", "retrieval", output="[{}]"),
    )  # fmt: skip
    found = trace_traits(rows).row(0, named=True)
    assert found["script"] == "Cyrillic"
    assert (found["called_tools"], found["tool_call_count"]) == (["find"], 1)
    assert found["offered_tools"] == ["find", "pay"]
    assert (found["retrieval_count"], found["document_count"]) == (2, 3)
    assert found["unit"] == "u"


@pytest.mark.parametrize("engine", ["lazy", "pandas", "duckdb"])
def test_traits_are_the_same_on_every_engine(engine):
    """Whoever has a store asks it as it is."""
    rows = table(
        span("a", "1", output="[]", finish_reason="stop", text="Where is it?", user_id="u"),
        span("a", "2", "retrieval", output="[{}]"),
        span("b", "1", "execute_tool", tool_name="find"),
    )
    other = {
        "lazy": rows.lazy,
        "pandas": rows.to_pandas,
        "duckdb": lambda: duckdb.from_arrow(rows.to_arrow()),
    }
    assert trace_traits(other[engine]()).equals(trace_traits(rows))


def test_what_is_not_recorded_is_unknown_and_not_none():
    """An export without answers cannot say that no tool was called."""
    rows = table(
        span("silent", "1"),
        span("stopped", "1", finish_reason="stop"),
        span("asked", "1", finish_reason="tool_calls", output="[]"),
        span("answered", "1", output="[]"),
        span("answered", "2", "retrieval"),
    )
    found = {row["trace_id"]: row for row in trace_traits(rows).iter_rows(named=True)}
    tools = {trace: row["called_tools"] for trace, row in found.items()}
    assert tools == {"silent": None, "stopped": [], "asked": None, "answered": []}
    assert (found["answered"]["retrieval_count"], found["answered"]["document_count"]) == (1, None)
    assert found["stopped"]["document_count"] == 0
    assert found["stopped"]["script"] is None


def test_a_new_tool_and_a_new_script_are_found_largest_change_first():
    """The table leads with what changed most, and says how sure that is."""
    before = traits(*["Latin"] * 100)
    fresh = traits(*["Latin"] * 60, *["Thai"] * 40, called_tools=[[]] * 90 + [["pay", "find"]] * 10)
    found = trait_shifts(fresh, before)
    top = found.head(2)
    assert set(top["value"]) == {"Thai", "Latin"}
    assert top["change"].abs().to_list() == pytest.approx([0.4, 0.4])
    assert top["is_clear"].all()
    called = found.filter(trait="tool called", value="pay").row(0, named=True)
    assert (called["before_count"], called["fresh_count"], called["fresh_unit_count"]) == (0, 10, 10)
    assert called["lower"] < called["change"] < called["upper"]


def test_one_talkative_user_is_no_shift():
    """Forty traces of one user are one opinion."""
    before = traits(*["Latin"] * 100)
    users = [*(f"u{at}" for at in range(60)), *["talker"] * 40]
    found = trait_shifts(traits(*["Latin"] * 60, *["Thai"] * 40, users=users), before)
    thai = found.filter(value="Thai").row(0, named=True)
    assert thai["change"] == pytest.approx(0.4)
    assert thai["is_clear"] is False
    assert thai["fresh_unit_count"] == 1


def test_unknown_shares_stand_beside_and_a_trait_nobody_knows_keeps_a_row():
    """A share of the known says nothing where most is unknown, so that is said."""
    fresh = traits(*["Latin"] * 5, *[None] * 15)
    found = trait_shifts(fresh, traits(*["Latin"] * 20))
    latin = found.filter(value="Latin").row(0, named=True)
    assert (latin["fresh_share"], latin["fresh_unknown_share"]) == (1.0, 0.75)
    nobody = found.filter(trait="tool offered").row(0, named=True)
    assert (nobody["value"], nobody["change"], nobody["fresh_unknown_share"]) == (None, None, 1.0)
    assert nobody["reason"] == "not_recorded"


def test_many_tools_are_pooled_and_no_trace_counts_twice():
    """Names of tools come from outside; ten thousand of them must not make a table of as many rows."""
    names = [[f"tool{at}", f"tool{at + 1}"] for at in range(40)]
    found = trait_shifts(traits(*["Latin"] * 40, called_tools=names), traits(*["Latin"] * 40))
    called = found.filter(trait="tool called")
    assert called.height == 13
    assert called.filter(value="all others")["fresh_count"].item() <= 40


def test_documents_are_asked_of_traces_that_retrieve():
    """A trace that never retrieved has no documents, which is no news about retrieval."""
    counts = {"retrieval_count": [0] * 50 + [1] * 10, "document_count": [0] * 50 + [3] * 10}
    found = trait_shifts(traits(*["Latin"] * 60, **counts), traits(*["Latin"] * 60, **counts))
    row = found.filter(trait="documents").row(0, named=True)
    assert (row["value"], row["fresh_share"], row["fresh_known_count"]) == ("3 to 5", 1.0, 10)


def test_no_traces_are_no_row():
    """Without a period before there is nothing that has not changed."""
    assert trait_shifts(traits("Latin"), traits()).is_empty()
    assert trait_shifts(traits(), traits("Latin")).is_empty()


@pytest.mark.parametrize("rows", [1, 4])
def test_too_little_to_compare_gives_no_interval(rows):
    """Five users are the least for one."""
    found = trait_shifts(traits(*["Latin"] * rows), traits(*["Thai"] * 30))
    assert found["lower"].null_count() == found.height
    assert found["reason"].null_count() == 0


def test_an_alpha_that_cannot_be_and_a_table_without_traits_are_refused():
    """The error names what is wrong."""
    with pytest.raises(EstimateError, match="alpha"):
        trait_shifts(traits("Latin"), traits("Latin"), alpha=0)
    with pytest.raises(MissingColumnError, match="script"):
        trait_shifts(pl.DataFrame({"unit": ["u"]}), traits("Latin"))


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["Latin", "Thai", None]), max_size=30), st.integers(0, 8))
def test_shares_of_the_values_of_a_script_sum_to_one(names, others):
    """Each trace has one script, so nothing is lost and nothing counts twice."""
    found = trait_shifts(traits(*names), traits(*["Latin"] * others)).filter(trait="script")
    known = found.drop_nulls("value")
    for side in ("fresh", "before"):
        assert known.is_empty() or known[f"{side}_share"].sum() == pytest.approx(1)
        assert known.is_empty() or known[f"{side}_count"].sum() == known[f"{side}_known_count"][0]


@settings(max_examples=10)
@given(st.lists(st.text(max_size=40) | st.none(), max_size=30))
def test_every_text_has_one_script(texts):
    """Whatever is written: `none` without letters, never a guess where there is no text."""
    found = scripts(pl.Series(texts, dtype=pl.String))
    assert found.is_null().to_list() == [text is None for text in texts]
    assert (found != "none").to_list() == [
        None if text is None else any(map(str.isalpha, text)) for text in texts
    ]


def test_placeholders_of_masked_texts_are_no_latin_letters():
    """Masking happens before anything is counted."""
    found = scripts(pl.Series(["<EMAIL_1> где <PHONE_2>", "ok где мой заказ", "注文はどこ", "请问订单"]))
    assert found.to_list() == ["Cyrillic", "Cyrillic", "Japanese", "Han"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    )
)
def test_no_shape_of_json_is_too_odd(value):
    """Everything in a trace is written by others."""
    text = pl.Series([json.dumps(value), json.dumps({"llm.tools": value, "retrieval.documents": value}), "{"])
    assert len(document_counts(text, text)) == len(offered_tools(text)) == 3


def test_cases_of_a_suite_are_held_against_traffic():
    """A case knows its question and its passages, and not what an application does around it."""
    cases = case_traits(load_suite("support_quality"))
    assert cases["script"].unique().to_list() == ["Latin"]
    assert (cases["document_count"].null_count(), cases["document_count"].max() > 1) == (0, True)
    assert cases["called_tools"].null_count() == cases.height
    other = case_traits(load_suite("support_quality"), field="nothing", documents="question")
    assert other["script"].null_count() == other["document_count"].null_count() == other.height


def test_more_traces_than_are_looked_at_are_drawn_the_same_every_time():
    """A report is the same from the same rows, in any order."""
    rows = table(*(span(f"t{at}", "1", text=None) for at in range(30))).drop("text")
    found = drawn_traits(rows.lazy(), most=10)
    mixed = rows.sample(fraction=1.0, shuffle=True, seed=3)
    assert found.height == 10
    assert drawn_traits(mixed.lazy(), most=10).equals(found)
    assert drawn_traits(rows.with_columns(feature=pl.lit("faq")).lazy(), feature="other").is_empty()


@pytest.mark.parametrize(
    ("file", "documents", "tools"),
    [
        ("phoenix/support-rag.spans.jsonl", 2, ["get_weather"]),
        ("langsmith/sdk_runs.runs.jsonl", 1, None),
        ("mlflow/traces.jsonl", 1, None),
    ],
)
def test_documents_and_tools_of_real_exports_are_found(shared, file, documents, tools):
    """Each tool writes them in its own place."""
    found = trace_traits(load_traces(shared / "fixtures" / file))
    assert documents in found["document_count"].to_list()
    assert tools is None or tools in found["offered_tools"].to_list()
