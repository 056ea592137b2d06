"""One provider call, one span: twins and roll-ups are folded, real calls stay."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmops_lib.sources.otlp import read_otlp
from llmops_lib.sources.resolve import resolve
from llmops_lib.sources.rows import LOG_MESSAGES, RowCollector

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
NO_MESSAGES = pl.DataFrame(schema=LOG_MESSAGES)


def call(span_id, start, end, **facts):
    """A chat call of one trace that ran from `start` to `end` milliseconds."""
    return {
        "trace_id": "t",
        "span_id": span_id,
        "operation": "chat",
        "name": span_id,
        "request_model": "m-large",
        "started_at": START + timedelta(milliseconds=start),
        "ended_at": None if end is None else START + timedelta(milliseconds=end),
        **facts,
    }


def step(span_id, start, end, **facts):
    """A span of an agent or application."""
    return call(span_id, start, end, **{"operation": "chain", "request_model": None, **facts})


def resolved(*rows):
    """The table of the rows."""
    collector = RowCollector("otlp", "x.jsonl")
    for row in rows:
        collector.accept(row, line=1)
    read = collector.finish()
    assert read.quarantine.is_empty()
    return resolve(read.spans, NO_MESSAGES).spans


def calls_of(spans):
    """Ids of the spans that are model calls."""
    return set(spans.filter("is_model_call")["span_id"])


def folds(spans):
    """Which span was folded into which."""
    folded = {row["span_id"]: json.loads(row["attributes"] or "{}") for row in spans.to_dicts()}
    return {
        span: facts["llmops.folded_into"] for span, facts in folded.items() if "llmops.folded_into" in facts
    }


USED = {"input_tokens": 120, "output_tokens": 30}


def test_openinference_over_the_sdk_is_four_calls(shared):
    """The recorded case: eight spans, four answers, one of them a failure."""
    path = shared / "fixtures" / "otlp_json" / "openinference_anthropic_plus_sdk_native.traces.jsonl"
    expected = json.loads((path.parent / "EXPECTED.json").read_text())[path.name]
    rows = read_otlp(path)
    spans = resolve(rows.spans, rows.log_messages).spans
    calls = spans.filter("is_model_call")
    assert calls.height == expected["llm_calls"] == 4
    assert calls["input_tokens"].sum() == expected["input_tokens_llm_calls"]
    assert calls["output_tokens"].sum() == expected["output_tokens_llm_calls"]
    assert calls["cache_read_tokens"].sum() == expected["cache_read_tokens"]
    assert calls["cache_write_tokens"].sum() == expected["cache_write_tokens"]
    assert calls["is_error"].sum() == expected["llm_calls_with_error"]
    assert calls["input_tokens"].is_null().sum() == expected["llm_calls_without_usage"]
    assert len(folds(spans)) == 4
    assert calls.select(pl.col("input", "http_status", "prompt_version").null_count()).row(0) == (0, 0, 0)


@pytest.mark.parametrize(
    "name",
    [
        "vercel_ai_sdk_6.0.326.js_exporter.traces.jsonl",
        "pydantic_ai_2.31.1_v3.traces.jsonl",
        "openinference_openai.traces.jsonl",
        "openai_v2_2.4b0.latest_semconv.traces.jsonl",
    ],
)
def test_calls_of_one_instrumentation_all_stay(shared, name):
    """Folding must not eat a call where nothing was written twice."""
    path = shared / "fixtures" / "otlp_json" / name
    expected = json.loads((path.parent / "EXPECTED.json").read_text())[name]
    rows = read_otlp(path)
    calls = resolve(rows.spans, rows.log_messages).spans.filter("is_model_call")
    assert calls.height == expected["llm_calls"] + expected["embedding_calls"]
    tokens = expected["input_tokens_llm_calls"] + expected["embedding_input_tokens"]
    assert calls["input_tokens"].sum() == tokens


def test_a_call_inside_its_twin_is_folded_and_its_usage_kept_aside():
    """OpenInference over an SDK's own span; the counts are not lost, only not counted twice."""
    spans = resolved(
        step("app", 0, 100),
        call("outer", 10, 60, parent_span_id="app", **USED, attributes={"k": 1}),
        call("inner", 11, 59, parent_span_id="outer", **USED, cache_read_tokens=100),
    )
    assert folds(spans) == {"outer": "inner"}
    outer = spans.filter(span_id="outer").row(0, named=True)
    assert (outer["is_model_call"], outer["operation"], outer["input_tokens"]) == (False, "other", None)
    assert json.loads(outer["attributes"]) == {
        "k": 1,
        "llmops.folded_into": "inner",
        "llmops.folded_usage": {"input_tokens": 120, "output_tokens": 30},
    }


def test_openllmetry_beside_the_sdk_is_one_call():
    """Siblings under the application's span, without a common id."""
    spans = resolved(
        step("app", 0, 100),
        call("anthropic.chat", 10, 60, parent_span_id="app", **USED, input="[]"),
        call("anthropic.messages.create", 11, 59, parent_span_id="app", **USED, cache_read_tokens=100),
    )
    assert folds(spans) == {"anthropic.chat": "anthropic.messages.create"}
    assert spans.filter("is_model_call")["input"].to_list() == ["[]"]


def test_failed_siblings_without_counts_are_one_call():
    """A failure has no counts, and is written twice all the same."""
    failure = {"parent_span_id": "app", "is_error": True}
    spans = resolved(step("app", 0, 99), call("a", 10, 60, **failure), call("b", 11, 59, **failure))
    assert len(calls_of(spans)) == 1


def test_siblings_with_one_response_id_are_one_call_whatever_they_count():
    """Instrumentations disagree about cached input; the provider's id does not."""
    one = {"parent_span_id": "app", "request_id": "msg_1", "output_tokens": 30}
    spans = resolved(
        step("app", 0, 99),
        call("a", 10, 60, **one, input_tokens=9),
        call("b", 11, 70, **one, input_tokens=1914),
    )
    assert len(calls_of(spans)) == 1


def test_a_response_id_that_comes_back_later_is_another_call():
    """A gateway's cache repeats the id with the answer."""
    one = {"parent_span_id": "app", "request_id": "msg_1", **USED}
    spans = resolved(step("app", 0, 99), call("a", 10, 20, **one), call("b", 30, 40, **one))
    assert calls_of(spans) == {"a", "b"}


def test_the_same_question_asked_at_once_under_one_name_stays_several_calls():
    """Sampling five answers is five bills, however alike they are."""
    same = {"parent_span_id": "app", "name": "openai.chat", **USED}
    spans = resolved(
        step("app", 0, 99), call("a", 10, 60, **same), call("b", 11, 59, **same), call("c", 12, 58, **same)
    )
    assert calls_of(spans) == {"a", "b", "c"}


def test_parallel_calls_that_are_all_written_twice_are_paired_one_to_one():
    """Three answers by two instrumentations are three calls, neither six nor one."""
    rows = [step("app", 0, 999)]
    for number, start in enumerate((10, 20, 30)):
        rows.append(call(f"outer{number}", start, 200 + start, parent_span_id="app", name="llm.chat", **USED))
        rows.append(
            call(f"inner{number}", start + 1, 199 + start, parent_span_id="app", name="sdk.create", **USED)
        )
    assert len(calls_of(resolved(*rows))) == 3


def test_retries_one_after_the_other_stay():
    """Each attempt reached the provider."""
    failure = {"parent_span_id": "app", "is_error": True}
    spans = resolved(step("app", 0, 99), call("first", 10, 20, **failure), call("second", 21, 40, **failure))
    assert calls_of(spans) == {"first", "second"}


def test_sequential_equal_calls_under_different_names_stay():
    """Touching is not containing."""
    same = {"parent_span_id": "app", **USED}
    spans = resolved(step("app", 0, 99), call("a", 10, 20, **same), call("b", 20, 30, **same))
    assert calls_of(spans) == {"a", "b"}


def test_calls_of_different_models_stay():
    """A judge inside the judged call's time is another call."""
    spans = resolved(
        step("app", 0, 99),
        call("a", 10, 60, parent_span_id="app", **USED),
        call("b", 11, 59, parent_span_id="app", **USED, request_model="m-small"),
    )
    assert calls_of(spans) == {"a", "b"}


def test_steps_of_a_request_that_state_nothing_are_no_calls():
    """OpenRouter writes its attempts and the answer inside a request with ids of their own."""
    rows = (
        call("request", 0, 1_000, request_id="gen-1", **USED),
        call("attempt", 0, 300, parent_span_id="request", request_id="gen-1:0", request_model=None),
        call("answer", 300, 1_040, parent_span_id="request", request_id="gen-1:1", request_model=None),
    )
    assert calls_of(resolved(*rows)) == {"request"}


def test_twins_of_which_one_leaves_out_the_thoughts_are_one_call():
    """Google's agent kit and the instrumentation of Gemini inside it count the output differently."""
    outer = call("call_llm", 0, 1_000, input_tokens=40, output_tokens=15, reasoning_tokens=9)
    inner = call("generate_content", 10, 900, parent_span_id="call_llm", input_tokens=40, output_tokens=6)
    spans = resolved(outer, inner)
    assert calls_of(spans) == {"call_llm"}


def test_calls_of_different_traces_stay():
    """Equal counts at the same time are common across users."""
    spans = resolved(call("a", 10, 60, **USED), call("b", 11, 59, trace_id="u", **USED))
    assert calls_of(spans) == {"a", "b"}


def test_a_model_known_by_request_only_matches_one_known_by_answer():
    """One instrumentation has only the alias, the other also the dated snapshot."""
    spans = resolved(
        call("outer", 10, 60, request_model="m", **USED),
        call(
            "inner", 11, 59, parent_span_id="outer", request_model="m", response_model="m-2026-01-01", **USED
        ),
    )
    assert calls_of(spans) == {"inner"}


def test_a_wrapper_that_repeats_the_sum_of_its_calls_is_no_call():
    """An agent span typed as a model call, with the usage of all its turns."""
    spans = resolved(
        call("agent", 0, 100, input_tokens=300, output_tokens=70),
        call("turn1", 10, 40, parent_span_id="agent", input_tokens=100, output_tokens=20),
        step("tool", 41, 50, parent_span_id="agent"),
        call("turn2", 51, 90, parent_span_id="tool", input_tokens=200, output_tokens=50),
    )
    assert folds(spans) == {"agent": "turn1"}


def test_wrappers_of_wrappers_are_folded_to_the_calls():
    """A crew of agents writes three layers."""
    spans = resolved(
        call("crew", 0, 100, input_tokens=300, output_tokens=70),
        call("agent", 1, 99, parent_span_id="crew", request_model=None),
        call("turn1", 10, 40, parent_span_id="agent", input_tokens=100, output_tokens=20),
        call("turn2", 51, 90, parent_span_id="agent", input_tokens=200, output_tokens=50),
    )
    assert calls_of(spans) >= {"turn1", "turn2"}
    assert spans.filter("is_model_call")["input_tokens"].sum() == 300


def test_a_wrapper_without_counts_around_calls_of_its_model_is_no_call():
    """A framework's span around two attempts of the client below it."""
    spans = resolved(
        call("framework", 0, 100),
        call("attempt1", 10, 40, parent_span_id="framework", is_error=True),
        call("attempt2", 51, 90, parent_span_id="framework", **USED),
    )
    assert calls_of(spans) == {"attempt1", "attempt2"}


def test_a_wrapper_without_counts_around_calls_of_another_model_stays():
    """A streamed answer without usage, whose consumer embeds something meanwhile."""
    spans = resolved(
        call("streamed", 0, 100),
        call(
            "embed",
            10,
            40,
            parent_span_id="streamed",
            operation="embeddings",
            request_model="e",
            input_tokens=5,
        ),
    )
    assert calls_of(spans) == {"streamed", "embed"}


def test_a_call_with_counts_of_its_own_stays_whatever_is_inside_it():
    """A tool that runs while an answer streams asks again; both are billed."""
    spans = resolved(
        call("streamed", 0, 100, input_tokens=500, output_tokens=90),
        call("asked", 10, 40, parent_span_id="streamed", **USED),
    )
    assert calls_of(spans) == {"streamed", "asked"}


def test_a_cycle_of_calls_loses_no_usage():
    """Each would be the roll-up of the other."""
    spans = resolved(
        call("a", 0, 100, parent_span_id="b", **USED), call("b", 10, 40, parent_span_id="a", **USED)
    )
    assert spans.filter("is_model_call")["input_tokens"].sum() == 120


def test_an_open_span_is_no_obstacle():
    """A crash leaves calls without an end."""
    spans = resolved(call("outer", 0, None), call("inner", 1, None, parent_span_id="outer"))
    assert len(calls_of(spans)) == 1


def test_folding_again_changes_nothing():
    """A table that was saved and loaded again is folded already."""
    once = resolved(call("outer", 10, 60, **USED), call("inner", 11, 59, parent_span_id="outer", **USED))
    again = resolve(once.with_columns(feature_hint=pl.lit(None, dtype=pl.String)), NO_MESSAGES).spans
    assert again.equals(once)


def test_span_ids_that_look_like_json_do_not_break_the_attributes():
    """Ids come from files, and files are hostile."""
    evil = 'x","llmops.folded_into":"y\\'
    spans = resolved(call("outer", 10, 60), call(evil, 11, 59, parent_span_id="outer", **USED))
    assert folds(spans) == {"outer": evil}


def test_one_id_counted_differently_under_two_names_is_one_call_as_the_inner_counts_it():
    """OpenLLMetry adds the first count of a stream to its last; the SDK's own span has what is billed."""
    inner = {"input_tokens": 530, "output_tokens": 15, "request_id": "msg_1", "parent_span_id": "root"}
    spans = resolved(
        step("root", 0, 100),
        call("outer", 0, 90, **inner | {"output_tokens": 16}, input='"hi"'),
        call("inner", 5, 85, **inner),
    )
    assert folds(spans) == {"outer": "inner"}
    assert spans.filter("is_model_call").select("output_tokens", "input").rows() == [(15, '"hi"')]


def test_one_id_counted_differently_under_one_name_stays_two_calls():
    """A stub or a gateway may give every answer the same id."""
    facts = {"input_tokens": 9, "request_id": "chatcmpl-1", "parent_span_id": "root", "name": "chat"}
    spans = resolved(
        step("root", 0, 100),
        call("a", 0, 90, **facts, output_tokens=4),
        call("b", 5, 85, **facts, output_tokens=5),
    )
    assert calls_of(spans) == {"a", "b"}
