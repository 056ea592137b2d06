"""Calls that failed and were made again."""

from datetime import UTC, datetime, timedelta

import pytest

from llmops_lib.errors import MissingColumnError
from llmops_lib.frames import collected
from llmops_lib.measures.retries import retry_costs, with_retries

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)


def attempts(calls, *, seconds=(0, 10, 20), errors=(True, True, False), **columns):
    """Calls of one trace and parent that take 5 seconds each."""
    height = len(seconds)
    started_at = [MONDAY + timedelta(seconds=second) for second in seconds]
    plain = {
        "trace_id": ["t"] * height,
        "parent_span_id": ["root"] * height,
        "request_model": ["gpt-4o"] * height,
        "input": ["same"] * height,
        "started_at": started_at,
        "ended_at": [moment + timedelta(seconds=5) for moment in started_at],
        "is_error": list(errors),
    }
    return calls(**(plain | columns))


def flags(table):
    """Both flags by span."""
    flagged = collected(with_retries(table)).sort("span_id")
    return flagged["is_retried"].to_list(), flagged["is_retry"].to_list()


def test_each_failed_attempt_but_the_last_was_made_again(engine, calls):
    """Two failures before an answer are two attempts lost."""
    assert flags(engine(attempts(calls))) == ([True, True, False], [False, True, True])


def test_a_dated_answer_belongs_to_the_model_that_was_asked(engine, calls):
    """A failed call has no response model, so that its model differs from that of the call after it."""
    model = ["gpt-4o", "gpt-4o", "gpt-4o-2024-08-06"]
    assert flags(engine(attempts(calls, model=model)))[0] == [True, True, False]


@pytest.mark.parametrize(
    "other",
    [
        {"trace_id": ["t", "u", "u"]},
        {"parent_span_id": ["root", "step", None]},
        {"request_model": ["gpt-4o", "gpt-5", "o3"]},
        {"input": ["one", "two", "three"]},
        {"is_model_call": [True, False, False]},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_step_is_no_retry(engine, calls, other):
    """An agent goes on after a failure without repeating it."""
    errors = (True, False, False)
    assert flags(engine(attempts(calls, errors=errors, **other)))[0][0] is False


def test_a_call_that_ran_beside_the_failed_one_is_no_retry(engine, calls):
    """Several answers to one question are often sampled at once."""
    assert flags(engine(attempts(calls, seconds=(0, 1, 2))))[0] == [False, False, False]


def test_a_call_repeated_after_a_success_is_no_retry(engine, calls):
    """Asking again what was answered is another matter."""
    assert flags(engine(attempts(calls, errors=(True, False, False))))[1] == [False, True, False]


def test_calls_without_texts_may_or_may_not_be_retries(engine, calls):
    """Most instrumentations record no texts by default; to count on either side would be a guess."""
    retried, retry = flags(engine(attempts(calls, input=[None] * 3)))
    assert retried == [None, None, False]
    assert retry == [False, None, None]


def test_only_the_failed_attempt_is_money_lost(engine, calls):
    """The call that answered at last would have been paid for anyway."""
    row = collected(retry_costs(engine(attempts(calls, cost_usd=[0.5, None, 4.0])))).row(0, named=True)
    assert row == {
        "call_count": 3,
        "retried_count": 2,
        "retried_unpriced_count": 1,
        "retried_spend_usd": 0.5,
        "retry_count": 2,
        "retry_spend_usd": 4.0,
        "unknown_count": 0,
    }


def test_failures_that_nobody_can_tell_are_counted(engine, calls):
    """Zero retries and unknown retries are two answers."""
    row = collected(retry_costs(engine(attempts(calls, input=[None] * 3)))).row(0, named=True)
    assert (row["retried_count"], row["retried_spend_usd"], row["unknown_count"]) == (0, None, 2)


def test_columns_that_tell_a_retry_are_asked_for(engine, calls):
    """Without them every call would look like a first attempt."""
    with pytest.raises(MissingColumnError, match="ended_at"):
        with_retries(engine(attempts(calls).drop("ended_at")))


def test_rows_that_repeat_a_key_are_not_multiplied(engine, calls):
    """A table that was stacked from overlapping exports keeps its number of rows."""
    table = attempts(calls, span_id=["s0", "s1", "s1"])
    assert len(collected(with_retries(engine(table)))) == 3
