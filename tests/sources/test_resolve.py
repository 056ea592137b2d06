"""Rows of many files as one table."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.schema import SPANS, conform, validate
from llmops_lib.sources.resolve import resolve
from llmops_lib.sources.rows import LOG_MESSAGES, ROW_SCHEMA, RowCollector

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
NO_MESSAGES = pl.DataFrame(schema=LOG_MESSAGES)
PLACE = ["source_file", "source_line"]


def span(span_id, parent=None, *, at=0, **facts):
    """A span of one trace that starts `at` seconds after the first and takes one."""
    started_at = START + timedelta(seconds=at)
    return {
        "trace_id": "t",
        "span_id": span_id,
        "parent_span_id": parent,
        "started_at": started_at,
        "ended_at": started_at + timedelta(seconds=1),
        **facts,
    }


def rows_of(*spans, source_file="a.jsonl"):
    """The rows as a reader returns them, each on a line of its own."""
    collector = RowCollector("otlp", source_file)
    for line, row in enumerate(spans, start=1):
        collector.accept(row, line=line)
    return collector.finish().spans


def table_of(*spans):
    """The table that the rows make."""
    return resolve(rows_of(*spans), NO_MESSAGES).spans


def column(spans, name):
    """One column by span."""
    return dict(spans.select("span_id", name).rows())


def message(span_id, line, **contents):
    """A log record with messages of a span."""
    record = dict.fromkeys(LOG_MESSAGES) | {"trace_id": "t", "span_id": span_id, "source_file": "logs.jsonl"}
    return {**record, "source_line": line, "raw": "{}", **contents}


def messages(*records):
    """Log records as a reader returns them."""
    return pl.DataFrame(records, schema=LOG_MESSAGES)


def test_the_nearest_ancestor_gives_what_a_span_does_not_state():
    """Session and user stand on the root; a nested agent may have its own."""
    spans = table_of(
        span("root", session_id="s1", user_id="u1", tenant="acme", release="1.2"),
        span("agent", "root", user_id="u2"),
        span("call", "agent", operation="chat"),
    )
    assert column(spans, "session_id") == {"root": "s1", "agent": "s1", "call": "s1"}
    assert column(spans, "user_id") == {"root": "u1", "agent": "u2", "call": "u2"}
    assert column(spans, "tenant")["call"] == "acme"
    assert column(spans, "release")["call"] == "1.2"


def test_prompts_and_tags_are_not_inherited():
    """They say something of one span, and would be counted for all below it."""
    spans = table_of(span("root", prompt_name="p", tags=["x"]), span("call", "root"))
    assert spans.filter(span_id="call").select("prompt_name", "tags").row(0) == (None, None)


def test_nothing_is_inherited_upwards_or_sideways():
    """A tool's user is not the user of the request."""
    spans = table_of(span("root"), span("a", "root", user_id="u1"), span("b", "root"))
    assert column(spans, "user_id") == {"root": None, "a": "u1", "b": None}


def test_a_stated_feature_is_stronger_than_any_hint():
    """An agent's name close by says less than the feature that the application states at the root."""
    spans = table_of(
        span("root", feature="support"),
        span("agent", "root", feature_hint="planner"),
        span("call", "agent"),
        span("other", None, feature_hint="cron"),
        span("below", "other"),
    )
    assert column(spans, "feature") == {
        "root": "support",
        "agent": "support",
        "call": "support",
        "other": "cron",
        "below": "cron",
    }


def test_order_does_not_matter_for_inheritance():
    """Exporters write children before parents."""
    spans = table_of(span("call", "agent"), span("agent", "root"), span("root", session_id="s1", at=-1))
    assert column(spans, "session_id") == {"call": "s1", "agent": "s1", "root": "s1"}


@pytest.mark.parametrize("parent", ["a", "b", "absent"])
def test_a_cycle_or_an_absent_parent_ends_the_search(parent):
    """A broken tree must not hang the report."""
    spans = table_of(span("a", parent, session_id="s1"), span("b", "a", at=1))
    assert column(spans, "session_id") == {"a": "s1", "b": "s1"}


def test_of_two_versions_the_later_one_is_kept_and_the_other_counted():
    """An open span is exported again when it ends."""
    rows = rows_of(
        span("a", ended_at=None),
        span("a", output_tokens=7),
        span("a", ended_at=START, input_tokens=1, tags=["x"]),
    )
    result = resolve(rows, NO_MESSAGES)
    assert result.spans["output_tokens"].to_list() == [7]
    assert result.quarantine.select("source_line", "reason").sort("source_line").rows() == [
        (1, "duplicate"),
        (3, "duplicate"),
    ]


def test_of_two_versions_of_one_time_the_fuller_one_is_kept():
    """A score that came later makes the row fuller, not later."""
    spans = table_of(span("a"), span("a", feedback_score=0.5), span("a"))
    assert spans["feedback_score"].to_list() == [0.5]


def test_messages_of_log_records_fill_their_span():
    """Python's instrumentations of 2025 write content as log records, often to another file."""
    records = messages(
        message("call", 1, input='[{"role":"user"}]', system_instructions='[{"type":"text"}]'),
        message("call", 1, input='[{"role":"tool"}]'),
        message("call", 2, output='[{"role":"assistant"}]'),
        message("absent", 3, input="[]"),
    )
    result = resolve(rows_of(span("call")), records)
    kept = result.spans.select("input", "output", "system_instructions").row(0)
    assert kept == ('[{"role":"user"},{"role":"tool"}]', '[{"role":"assistant"}]', '[{"type":"text"}]')
    reasons = result.quarantine["reason"].str.split(":").list[0].value_counts().sort("reason").rows()
    assert reasons == [("merged", 3), ("not_a_span", 1)]


def test_a_span_keeps_its_own_messages():
    """Both may be recorded; what stands on the span belongs to it for sure."""
    records = messages(message("call", 1, input='["log"]', output='["log"]'))
    spans = resolve(rows_of(span("call", input='["own"]')), records).spans
    assert spans.select("input", "output").row(0) == ('["own"]', '["log"]')


def test_log_records_that_are_read_twice_do_not_repeat_messages():
    """Overlapping exports of logs are as common as those of spans."""
    records = messages(message("call", 1, input='["a","a"]'), message("call", 2, input='["a","a"]'))
    assert resolve(rows_of(span("call")), records).spans["input"].to_list() == ['["a","a"]']


def test_no_rows_make_an_empty_table():
    """A directory of nothing but metrics."""
    result = resolve(pl.DataFrame(schema=ROW_SCHEMA), NO_MESSAGES)
    assert validate(conform(result.spans, SPANS), SPANS).is_empty()


names = st.sampled_from(["a", "b", "c", "d", "e"])
spans_of_any_shape = st.builds(
    span,
    names,
    names | st.none(),
    at=st.integers(0, 3),
    operation=st.sampled_from(["chat", "chain", "embeddings"]),
    name=st.sampled_from(["x", "y"]),
    request_model=st.sampled_from(["m", "n", None]),
    request_id=st.sampled_from(["r", None]),
    input_tokens=st.sampled_from([None, 5, 10]),
    output_tokens=st.sampled_from([None, 1, 2]),
    session_id=st.sampled_from([None, "s1", "s2"]),
    feature_hint=st.sampled_from([None, "h1", "h2"]),
    output=st.sampled_from([None, "[1]"]),
)


@given(spans=st.lists(spans_of_any_shape, min_size=1, max_size=9), data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_and_repetition_of_the_rows_gives_the_same_table(spans, data):
    """What a report says must not depend on how files were split, ordered or copied."""
    shuffled = data.draw(st.permutations(spans + data.draw(st.lists(st.sampled_from(spans), max_size=4))))
    once, again = table_of(*spans), table_of(*shuffled)
    assert again.drop(PLACE).equals(once.drop(PLACE))


@given(spans=st.lists(spans_of_any_shape, min_size=1, max_size=9))
@settings(max_examples=100, deadline=None)
def test_no_row_is_lost_and_no_usage_is_invented(spans):
    """Rows read are spans and quarantined rows, and folding only ever takes usage away."""
    rows = rows_of(*spans)
    result = resolve(rows, NO_MESSAGES)
    assert result.spans.height + result.quarantine.height == len(spans)
    assert result.spans.height == len({row["span_id"] for row in spans})
    assert (result.spans["input_tokens"].sum() or 0) <= (rows["input_tokens"].sum() or 0)
    had_calls = rows["is_model_call"].any()
    assert result.spans["is_model_call"].any() or not had_calls or result.quarantine.height > 0


@pytest.mark.parametrize(
    ("message", "http_status"),
    [
        ("Error code: 429 - {'error': {'message': 'slow down'}}", 429),
        ("RateLimitError: Error code: 429 - slow down", 429),
        ("status_code: 500, model_name: gpt-4o, body: None", 500),
        ("429 RESOURCE_EXHAUSTED. {'error': {'code': 429}}", 429),
        ("429 tokens. {'a': 1} was the answer", None),
        ("Error code: 4291", None),
        ("x" * 400 + "Error code: 429 - {}", None),
        ("the user asked about 429", None),
        (None, None),
    ],
)
def test_the_status_that_an_error_tells_is_its_status(message, http_status):
    """Rate limits are told from outages by it, and hardly any instrumentation writes it down."""
    spans = table_of(span("a", is_error=True, error_message=message))
    assert spans["http_status"].to_list() == [http_status]


def test_the_type_of_an_error_may_be_its_status():
    """The conventions for HTTP name it so where no exception was thrown."""
    spans = table_of(span("a", is_error=True, error_type="429"), span("b", is_error=True, error_type="E429"))
    assert column(spans, "http_status") == {"a": 429, "b": None}


def test_a_status_that_is_stated_stays_and_success_has_none():
    """A message is a weaker witness than an attribute, and of a call that did not fail it is none."""
    spans = table_of(
        span("a", is_error=True, http_status=503, error_message="Error code: 429 - {}"),
        span("b", is_error=False, error_message="Error code: 429 - {}"),
    )
    assert column(spans, "http_status") == {"a": 503, "b": None}
