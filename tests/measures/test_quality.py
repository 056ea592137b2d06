"""What the export does not say."""

import pytest

from llmops_lib.errors import MissingColumnError
from llmops_lib.evidence.families import orphan_spans
from llmops_lib.frames import collected
from llmops_lib.measures.quality import calls_without_usage, missing_share, nested_calls


def test_share_of_unknown_values_per_column(engine, calls):
    """A breakdown by a column that is mostly unknown is a breakdown of the rest."""
    table = calls(
        model=["a", "b", "b", "c", None],
        tenant=[None, "acme", None, None, None],
        latency_ms=[1.0, 2.0, None, 4.0, None],
        is_model_call=[True, True, True, True, False],
    )
    assert collected(missing_share(engine(table), ["model", "latency_ms", "tenant"])).rows() == [
        ("tenant", 4, 3, 0.75),
        ("latency_ms", 4, 1, 0.25),
        ("model", 4, 0, 0.0),
    ]


def test_usual_columns_are_looked_at_by_default(engine, calls):
    """One call shows what an export lacks."""
    shares = collected(missing_share(engine(calls(model=["a"], feature=["chat"]))))
    known = shares.filter(missing_count=0)["column"].to_list()
    assert known == ["feature", "model"]


def test_share_over_no_calls_is_unknown(engine, calls):
    """Nothing is missing from nothing."""
    table = engine(calls(model=["a"]).clear())
    assert collected(missing_share(table, "model")).rows() == [("model", 0, 0, None)]


def test_unknown_column_is_an_error(engine, calls):
    """A misspelt column must not read as missing everywhere."""
    with pytest.raises(MissingColumnError, match="modle"):
        missing_share(engine(calls(model=["a"])), "modle")


def test_calls_without_usage_are_told_from_failed_ones(engine, calls):
    """A refused call uses nothing; a finished call without tokens hides its cost."""
    table = calls(
        source_format=["otlp", "otlp", "otlp", "langfuse", "langfuse"],
        provider=["openai", "openai", "openai", None, None],
        input_tokens=[5, None, None, None, 3],
        output_tokens=[1, None, None, 2, None],
        is_error=[False, True, False, False, False],
    )
    assert collected(calls_without_usage(engine(table))).rows() == [
        ("langfuse", None, 2, 0, 0.0, 0),
        ("otlp", "openai", 3, 2, pytest.approx(2 / 3), 1),
    ]


def test_spans_whose_parent_is_absent_are_orphans(engine, calls):
    """Ids are unique within a trace only: the root of another trace is no parent."""
    table = calls(
        trace_id=["t1", "t1", "t2", "t2"],
        span_id=["root", "leaf", "lost", "own"],
        parent_span_id=[None, "root", "root", "lost"],
        is_model_call=[False, True, True, False],
    )
    orphans = collected(orphan_spans(engine(table)))
    assert orphans.select("trace_id", "span_id", "parent_span_id").rows() == [("t2", "lost", "root")]
    assert orphans.columns == [
        "trace_id",
        "span_id",
        "parent_span_id",
        "name",
        "operation",
        "started_at",
        "source_format",
        "source_file",
        "source_line",
    ]


def test_calls_inside_calls_are_named(calls, engine):
    """Two instrumentations may write two counts for one call; only a reader can tell."""
    table = calls(
        trace_id=["t1", "t1", "t1", "t2"],
        span_id=["outer", "inner", "other", "inner"],
        parent_span_id=[None, "outer", None, "outer"],
        model=["large", "large", "small", "large"],
        input_tokens=[14, 62, 7, 3],
        output_tokens=[43, 85, 5, 1],
    )
    assert collected(nested_calls(engine(table))).rows() == [(None, "large", 1, 14, 43)]
