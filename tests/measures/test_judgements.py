"""Scores of traces on the calls that earned them."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmops_lib import with_judgements, with_trace_feedback
from llmops_lib.errors import ParameterError
from llmops_lib.frames import collected

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


def scores(*rows):
    """Rows of scorer, trace and score."""
    return pl.DataFrame(rows, schema={"scorer": str, "trace_id": str, "score": float}, orient="row")


@pytest.fixture
def traces(calls):
    """An agent of one model, one of two, and an embedding before its answer."""
    models = ["large", "large", "large", "small", "embedding", "small"]
    return calls(
        trace_id=["one", "one", "two", "two", "three", "three"],
        model=models,
        operation=["chat"] * 4 + ["embeddings", "chat"],
        started_at=[MONDAY + timedelta(seconds=row) for row in range(6)],
    )


def test_the_last_answer_of_a_trace_earns_its_score(engine, traces):
    """Where two models answered, nobody knows which of them did."""
    given = scores(
        ("judge", "one", 1.0), ("judge", "one", 0.5), ("judge", "two", 1.0), ("judge", "three", 0.25)
    )
    found = collected(with_judgements(engine(traces), engine(given))).sort("span_id")
    assert found["judgement_score"].to_list() == [None, 0.75, None, None, None, 0.25]


def test_the_scorer_is_named_where_there_are_several(traces):
    """Faithfulness and politeness are not added up."""
    given = scores(("kind", "one", 1.0), ("right", "one", 0.0), ("right", "three", 1.0))
    found = with_judgements(traces, given, scorer="right")
    assert found["judgement_score"].sum() == 1
    with pytest.raises(ParameterError, match=r"no scorer named; expected one of .*: kind, right"):
        with_judgements(traces, given)
    with pytest.raises(ParameterError, match="scorer 'fast'"):
        with_judgements(traces, given, scorer="fast")


def test_feedback_on_the_root_of_a_trace_goes_to_its_answer(engine, traces):
    """Langfuse writes it there; a call's own feedback stays, and a trace of two models earns none."""
    rated = {"one": 1.0, "two": 0.0, "three": 0.5}
    roots = traces.unique("trace_id", keep="first", maintain_order=True).with_columns(
        pl.concat_str(pl.lit("root-"), "trace_id").alias("span_id"),
        pl.col("trace_id").replace_strict(rated).alias("feedback_score"),
        is_model_call=False,
    )
    own = traces.with_columns(pl.when(pl.col("span_id") == "s5").then(0.75).alias("feedback_score"))
    found = collected(with_trace_feedback(engine(pl.concat([own, roots])))).filter(pl.col("is_model_call"))
    assert dict(found.select("span_id", "feedback_score").drop_nulls().rows()) == {"s1": 1.0, "s5": 0.75}


def test_scores_without_a_trace_leave_nothing_to_judge_by(traces):
    """An eval suite that was not run on traffic says nothing of it."""
    with pytest.raises(ParameterError, match="none"):
        with_judgements(traces, scores(("right", None, 1.0)))
