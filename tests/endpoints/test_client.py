"""Calls to an endpoint that throttles, breaks down, lies, or is asked the same again."""

import json
import threading
import time

import pytest

from llmops_lib import Breaker, BreakerPolicy
from llmops_lib.chat import ChatRequest
from llmops_lib.sources.load import load_traces
from tests.endpoints.conftest import KEY, completion, echo, request, scripted
from tests.sources.fetch.conftest import BUSY_S, reply


def test_results_come_in_the_order_of_the_requests(serve, client_of):
    """However many calls run side by side, each answer belongs to its question."""
    texts = [f"question {number}" for number in range(40)]
    seen = []
    client = client_of(serve(echo), concurrency=8)
    results = client.chat_all([request(text) for text in texts], on_call=lambda *call: seen.append(call))
    assert [result.answer.text for result in results] == texts
    assert seen[-1] == (40, 40, "answered")


def test_calls_run_side_by_side_but_not_more_than_set(serve, client_of):
    """Endpoints limit how many calls they take at a time."""
    lock, running, most = threading.Lock(), [0], [0]
    four_are_there = threading.Barrier(4)

    def together(asked):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        four_are_there.wait(BUSY_S / 2)
        with lock:
            running[0] -= 1
        return echo(asked)

    results = client_of(serve(together), concurrency=4).chat_all(
        [request(str(number)) for number in range(16)]
    )
    assert {result.attempt_count for result in results} == {1}
    assert most[0] == 4


def test_the_faults_of_the_shared_list_end_as_it_states(shared, serve, client_of):
    """Scripts of statuses, headers, cut and lost connections and odd answers, each with its outcome."""
    lines = (shared / "corpora" / "api_faults.jsonl").read_text(encoding="utf-8").splitlines()
    held = 0
    for case in map(json.loads, lines):
        if not all(isinstance(step, list) for step in case["script"]):
            continue  # pages of an export are no chat
        held += 1
        server = serve(echo)
        server.faults = [scripted(*step) for step in case["script"]]
        began = time.monotonic()
        result = client_of(server).chat(request())
        wanted, waited = case["expect"], time.monotonic() - began
        kind, _, flag = wanted["result"].partition(":")
        assert (result.answer is None) == (kind == "error"), case["name"]
        assert len(server.asked) == result.attempt_count == wanted["calls"], case["name"]
        assert waited >= wanted.get("min_wait_s", 0), case["name"]
        assert waited <= wanted.get("max_wait_s", 10) + BUSY_S, case["name"]
        assert wanted.get("never_contains", "\0") not in str(result), case["name"]
        assert not flag or flag in result.answer.flags, case["name"]
    assert held >= 15


@pytest.mark.parametrize(
    "answer",
    [
        {"choices": []},
        {"choices": [{"message": "Paris"}]},
        {"choices": None},
        [],
        {"error": {"message": f"wrong key {KEY}"}},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"content": "ok"}}], "usage": {"prompt_tokens": "many"}},
    ],
)
def test_an_answer_of_another_shape_is_asked_for_again_and_never_shown(serve, client_of, answer):
    """Gateways answer 200 with errors in the body; what stands in it may be a key."""
    server = serve(echo)
    server.faults = [reply(answer)]
    assert client_of(server).chat(request()).attempt_count == 2
    server.faults = [reply(answer)] * 4
    failed = client_of(server).chat(request())
    assert failed.error_type == "no_answer"
    assert KEY not in failed.error


def test_the_same_request_is_not_paid_twice(serve, client_of, tmp_path):
    """A run that was stopped goes on; another parameter, message or trial is another request."""
    server = serve(echo)
    first = client_of(server, cache=tmp_path / "answers").chat(request())
    again = client_of(server, cache=tmp_path / "answers").chat(request())
    assert (first.is_cached, again.is_cached) == (False, True)
    assert (again.answer, again.started_at, again.trace_id) == (
        first.answer,
        first.started_at,
        first.trace_id,
    )
    assert len(server.asked) == 1
    others = [request("Other?"), request(trial=1), request(parameters={"temperature": 1})]
    others.append(ChatRequest("gpt-4o", request().messages))
    assert not any(
        result.is_cached for result in client_of(server, cache=tmp_path / "answers").chat_all(others)
    )


def test_failures_are_not_kept(serve, client_of, tmp_path):
    """The next run tries them again."""
    server = serve(echo)
    server.faults = [reply({}, 400)]
    assert client_of(server, cache=tmp_path).chat(request()).error_type == "400"
    assert client_of(server, cache=tmp_path).chat(request()).answer is not None


def test_a_damaged_answer_is_asked_for_again(serve, client_of, tmp_path):
    """A full disk leaves half a file."""
    server = serve(echo)
    client_of(server, cache=tmp_path).chat(request())
    (kept,) = tmp_path.rglob("*.json")
    kept.write_bytes(kept.read_bytes()[:40])
    assert client_of(server, cache=tmp_path).chat(request()).answer.text.startswith("What")


def test_every_call_is_a_span_that_loads(serve, client_of, spans_file):
    """Answered and failed calls come back as model calls with tokens, texts, prompt and error."""
    server = serve(echo)
    carried = {"gen_ai.prompt.name": "geo", "gen_ai.prompt.version": "3", "prompt.hash": "abc"}
    client = client_of(server, spans_file=spans_file, concurrency=1)
    asked = ChatRequest(
        "gpt-4o-mini",
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Capital?"}],
        {"temperature": 0},
        carried=carried,
    )
    server.faults = [None, reply({}, 401)]
    answered, failed = client.chat_all([asked, request()])
    spans = load_traces(spans_file)
    first, second = spans.sort("started_at").to_dicts()
    assert (first["trace_id"], second["trace_id"]) == (answered.trace_id, failed.trace_id)
    assert spans["is_model_call"].all()
    assert (first["request_model"], first["model"]) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert (first["input_tokens"], first["output_tokens"], first["finish_reason"]) == (12, 3, "stop")
    assert [first[name] for name in ("prompt_name", "prompt_version", "prompt_hash")] == ["geo", "3", "abc"]
    assert first["latency_ms"] == pytest.approx(answered.latency_ms, abs=0.01)
    assert "Be brief." in first["system_instructions"]
    assert "Capital?" in first["input"]
    assert "Capital?" in first["output"]
    assert (second["is_error"], second["error_type"]) == (True, "401")
    assert KEY not in spans_file.read_text()


def test_the_cost_is_by_the_price_list_and_unknown_without_tokens(serve, client_of):
    """Nothing is guessed where the endpoint does not say what it used."""
    server = serve(lambda _: reply(completion(usage=(1_000_000, 100_000))))
    assert client_of(server).chat(request()).cost_usd == pytest.approx(0.21)
    server.faults = [reply(completion(usage=None))]
    assert client_of(server).chat(request()).cost_usd is None


def test_calls_after_the_deadline_are_not_made_and_say_so(serve, client_of):
    """A run that may take a minute ends after a minute, with every call accounted for."""

    def slow(asked):
        time.sleep(0.1)
        return echo(asked)

    server = serve(slow)
    client = client_of(server, concurrency=1, deadline_seconds=0.25)
    results = client.chat_all([request(str(number)) for number in range(8)])
    late = [result for result in results if result.error_type == "deadline"]
    assert 0 < len(late) == 8 - len(server.asked)
    assert all(result.attempt_count == 0 for result in late)


def test_an_interrupt_makes_no_further_calls(serve, client_of):
    """Ctrl-C ends a run at once, not after the other thousand calls."""

    def slow_later(asked):
        time.sleep(0.02 if len(server.asked) > 3 else 0)
        return echo(asked)

    server = serve(slow_later)

    def interrupt(done, *_):
        if done == 3:
            raise KeyboardInterrupt

    client = client_of(server, concurrency=1)
    with pytest.raises(KeyboardInterrupt):
        client.chat_all([request(str(number)) for number in range(1_000)], on_call=interrupt)
    # All of them would take 20 seconds.
    assert len(server.asked) < 500


def test_the_key_goes_in_the_header_and_shows_nowhere(serve, client_of):
    """Representations end in tracebacks and notebooks."""
    server = serve(echo)
    client = client_of(server)
    result = client.chat(request())
    assert server.asked[0].authorization == f"Bearer {KEY}"
    assert KEY not in server.asked[0].path
    assert KEY not in repr([client.endpoint, result, vars(client)])


def test_two_hundred_calls_at_once_never_spend_more_than_the_limit(serve, client_of):
    """What each call can cost at most is set aside before it is sent."""
    server = serve(lambda _: reply(completion(usage=(20, 50))))
    policy = BreakerPolicy(limit_usd=0.001, window="rolling 1h", reserve_usd=0.001)
    client = client_of(server, concurrency=50, breaker=Breaker(policy))
    results = client.chat_all([request(str(number), parameters={"max_tokens": 50}) for number in range(200)])
    made = [result for result in results if result.answer is not None]
    refused = [result for result in results if result.error_type == "budget"]
    assert len(made) == len(server.asked)
    assert len(made) + len(refused) == 200
    assert len(made) > 10
    assert sum(result.cost_usd for result in made) <= 0.001


def test_a_call_that_the_endpoint_refuses_is_not_held_against_the_limit(serve, client_of):
    """A wrong parameter a hundred times costs nothing; silence may have been billed."""
    server = serve(echo)
    own = Breaker(BreakerPolicy(limit_usd=1, window="day", reserve_usd=0.1))
    client = client_of(server, concurrency=1, breaker=own, attempts=1)
    server.faults = [reply({}, 400)] * 5
    client.chat_all([request(str(number)) for number in range(5)])
    assert own.used_usd({}) == 0
    server.faults = [reply({}, 500)]
    client.chat(request())
    assert own.used_usd({}) == 0.1
