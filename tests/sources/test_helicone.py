"""Helicone's requests: the files of its export tool and single rows."""

import csv
import json

import pytest

from llmops_lib.sources.helicone import matches, read_helicone
from llmops_lib.sources.helicone_rows import unescaped
from llmops_lib.sources.sample import take_sample

REQUEST = {
    "request_id": "r-1",
    "response_id": "chatcmpl-1",
    "request_created_at": "2026-03-02 10:00:00.250",
    "response_created_at": "2026-03-02 10:00:02.000",
    "response_status": 200,
    "request_path": "https://api.openai.com/v1/chat/completions",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "provider": "OPENAI",
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "cost": 0.25,
    "cache_reference_id": "00000000-0000-0000-0000-000000000000",
}
ODD = ([], {}, [[]], {"a": {"b": []}}, 5, -1, 2.5, "x", "{", "[1]", True, None)
THOUGHTS = {"completion_tokens_details": {"reasoning_tokens": 10}}
FILES = ("helicone-export.csv", "helicone-export.json", "helicone-export.jsonl")


def _read(tmp_path, *values):
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(json.dumps(value) for value in values))
    return read_helicone(path)


def _one(tmp_path, **given):
    return _read(tmp_path, {**REQUEST, **given}).spans.row(0, named=True)


@pytest.mark.parametrize("name", FILES[1:])
def test_an_export_has_the_figures_counted_from_it(shared, name):
    """Anthropic's input comes without the cache and gains it; no other count moves."""
    figures = json.loads((shared / "fixtures/helicone/EXPECTED.json").read_text())
    expected = figures["helicone-export.jsonl"]
    rows = read_helicone(shared / "fixtures/helicone" / name)
    spans = rows.spans
    assert rows.rows_read == spans.height == expected["rows"]
    assert (~spans["is_error"]).sum() == expected["ok"]
    assert spans["cache_read_tokens"].sum() == expected["cache_read"]
    assert spans["cache_write_tokens"].sum() == expected["cache_write"]
    claude = spans.filter(provider="anthropic")
    cached = claude["cache_read_tokens"].sum() + claude["cache_write_tokens"].sum()
    assert spans["input_tokens"].sum() == expected["prompt_tokens"] + cached
    assert spans["output_tokens"].sum() == expected["completion_tokens"]
    assert spans["reported_cost_usd"].sum() == pytest.approx(expected["cost"])


def test_the_csv_has_as_many_requests_and_what_its_columns_hold(shared):
    """It has no provider and no cache counts; what it has must agree with the other files."""
    figures = json.loads((shared / "fixtures/helicone/EXPECTED.json").read_text())
    spans = read_helicone(shared / "fixtures/helicone/helicone-export.csv").spans
    other = read_helicone(shared / "fixtures/helicone/helicone-export.jsonl").spans
    assert spans.height == figures["helicone-export.csv"]["data_rows"]
    assert spans["input_tokens"].sum() == figures["helicone-export.jsonl"]["prompt_tokens"]
    same = ["started_at", "latency_ms", "output_tokens", "reported_cost_usd", "is_error", "http_status"]
    same += ["request_id", "session_id", "user_id", "feature", "operation"]
    assert spans.select(same).equals(other.select(same))


def test_a_claude_request_of_a_csv_says_that_its_input_lacks_the_cache(shared):
    """A count that leaves tokens out must not pass for a whole one."""
    spans = read_helicone(shared / "fixtures/helicone/helicone-export.csv").spans
    noted = spans["attributes"].str.contains("exclusive, cache counts absent")
    assert noted.to_list() == spans["model"].str.contains("claude").to_list()


def test_helicone_agrees_with_litellm_on_the_same_calls(shared):
    """Two recorders of one workload; inclusive counts are the same whoever counted."""
    from llmops_lib.sources.litellm import read_litellm

    ours = read_helicone(shared / "fixtures/helicone/helicone-export.jsonl").spans
    other = read_litellm(shared / "fixtures/litellm/spend_logs.jsonl").spans
    same = ["input_tokens", "output_tokens", "reported_cost_usd", "provider", "user_id", "feature"]
    assert ours.select(same).equals(other.select(same))


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_the_tool_is_recognised(shared, name):
    """Its files have nothing else in common with each other."""
    assert matches(take_sample(shared / "fixtures/helicone" / name))


def test_requests_of_which_the_answers_have_no_id_are_recognised(tmp_path):
    """Whoever asks the API for some of the fields has the requests all the same."""
    path = tmp_path / "requests.json"
    path.write_text(json.dumps([{name: REQUEST[name] for name in REQUEST if name != "response_id"}]))
    assert matches(take_sample(path))
    assert read_helicone(path).spans.select("span_id", "request_id").row(0) == ("r-1", None)


def test_a_comma_after_the_last_request_is_read_over(tmp_path):
    """The older tool writes one, and no JSON reader takes it."""
    path = tmp_path / "old.json"
    path.write_text(f"[\n{json.dumps(REQUEST)},\n{json.dumps(REQUEST)},\n]\n")
    assert read_helicone(path).spans["input_tokens"].to_list() == [120, 120]


def test_a_page_of_the_api_is_read(tmp_path):
    """The query builder wraps its rows in an object."""
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"data": [REQUEST], "error": None}))
    assert matches(take_sample(path))
    assert read_helicone(path).spans["span_id"].to_list() == ["r-1"]


@pytest.mark.parametrize(
    ("provider", "model", "total"),
    [
        ("ANTHROPIC", "claude-sonnet-4-5", 190),
        ("AWS", "us.anthropic.claude-sonnet-4-5", 190),
        ("VERTEX_AI", "claude-sonnet-4-5", 190),
        ("OPENAI", "gpt-4o", 120),
        ("OPENROUTER", "anthropic/claude-sonnet-4-5", 120),
    ],
)
def test_the_input_gains_the_cache_where_the_provider_leaves_it_out(tmp_path, provider, model, total):
    """Wrong in one direction bills cached tokens twice, in the other not at all."""
    cached = {"prompt_cache_read_tokens": 50, "prompt_cache_write_tokens": 20}
    row = _one(tmp_path, provider=provider, request_model=model, response_model=model, **cached)
    assert row["input_tokens"] == total


def test_more_cache_than_input_proves_that_the_input_lacks_it(tmp_path):
    """Whatever the provider, a part is never larger than its whole."""
    assert _one(tmp_path, provider="CUSTOM", prompt_cache_read_tokens=500)["input_tokens"] == 620


def test_what_a_cache_answered_is_no_model_call(tmp_path):
    """It is not billed; as a call it would be priced."""
    row = _one(tmp_path, cache_reference_id="5f0c2b6e-8a56-4b53-9d3a-6d8b7f6c0a11")
    assert (row["is_model_call"], row["input_tokens"]) == (False, 120)


@pytest.mark.parametrize(
    ("status", "is_error", "http_status", "error_type"),
    [
        (200, False, 200, None),
        ("200", False, 200, None),
        (429, True, 429, "rate_limit"),
        ("503.0", True, 503, "rate_limit"),
        (-2, False, None, None),
        (-3, True, None, "rate_limit"),
    ],
)
def test_a_status_tells_whether_a_request_failed(tmp_path, status, is_error, http_status, error_type):
    """A request that is pending has not failed; one that was cancelled has."""
    body = {"error": {"type": "rate_limit", "message": "slow down"}}
    row = _one(tmp_path, response_status=status, response_body=body)
    assert (row["is_error"], row["http_status"], row["error_type"]) == (is_error, http_status, error_type)


def test_a_cancelled_request_is_named_so_where_no_body_tells_more(tmp_path):
    """Helicone's own statuses are no HTTP status."""
    assert _one(tmp_path, response_status=-3)["error_type"] == "cancelled"


def test_properties_tell_session_and_dimensions(tmp_path):
    """Helicone has no other place for them."""
    properties = {"Helicone-Session-Id": "s-9", "Helicone-Session-Name": "checkout", "tenant": "acme"}
    row = _one(tmp_path, request_properties=properties)
    assert (row["session_id"], row["trace_id"], row["tenant"]) == ("s-9", "s-9", "acme")
    assert row["feature_hint"] == "checkout"
    as_headers = {"helicone-session-id": "s-9", "Feature": "faq", "Environment": "production"}
    row = _one(tmp_path, request_properties=as_headers)
    assert (row["session_id"], row["feature"], row["environment"]) == ("s-9", "faq", "production")


def test_bodies_become_messages(tmp_path):
    """They are there only if the export was asked for them."""
    bodies = {
        "request_body": {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "stream": True},
        "response_body": {"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]},
    }
    row = _one(tmp_path, **bodies)
    assert json.loads(row["input"])[0]["parts"] == [{"type": "text", "content": "hi"}]
    assert json.loads(row["output"])[0]["parts"] == [{"type": "text", "content": "hello"}]
    assert (row["finish_reason"], row["is_streaming"]) == ("stop", True)


def test_a_table_that_pandas_wrote_says_as_much_as_the_requests(tmp_path):
    """Helicone's script for Python writes objects in Python's notation and counts with fractions."""
    body = {"messages": [{"role": "user", "content": "it's"}]}
    given = {"prompt_tokens": 120.0, "delay_ms": 1750.0, "response_status": 200, "time_to_first_token": 0.0}
    row = {**REQUEST, **given, "request_body": body, "request_properties": {"feature": "faq", "x": None}}
    path = tmp_path / "requests.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerows([row, {**row, "request_id": "r-2", "prompt_tokens": "", "completion_tokens": ""}])
    rows = read_helicone(path)
    assert rows.quarantine.is_empty()
    names = ["input_tokens", "feature", "is_streaming", "time_to_first_token_ms"]
    assert rows.spans.select(names).rows() == [(120, "faq", None, None), (None, "faq", None, None)]
    assert json.loads(rows.spans["input"][0])[0]["parts"] == [{"type": "text", "content": "it's"}]


def test_bodies_that_were_fetched_apart_are_the_bodies(tmp_path):
    """The API gives an address of them; tools put what they found there into a field of its own."""
    bodies = {
        "request": {"messages": [{"role": "user", "content": "hi"}]},
        "response": {"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]},
    }
    row = _one(tmp_path, request_body={}, response_body=None, signed_body_content=bodies)
    assert json.loads(row["output"])[0]["parts"] == [{"type": "text", "content": "hello"}]
    assert (row["finish_reason"], "signed_body_content" in row["attributes"]) == ("stop", False)
    own = _one(tmp_path, request_body={"prompt": "mine"}, signed_body_content=bodies)
    assert json.loads(own["input"]) == "mine"
    assert "signed_body_content" in own["attributes"]


@pytest.mark.parametrize(
    ("given", "operation"),
    [
        ({"request_body": {"_type": "tool", "toolName": "lookup"}}, "execute_tool"),
        ({"request_model": "vector_db:search"}, "retrieval"),
        ({"request_model": "data:rows"}, "other"),
    ],
)
def test_events_that_an_application_logs_by_itself_are_no_calls(tmp_path, given, operation):
    """Helicone keeps them beside the requests; as calls of a model they would be counted and unpriced."""
    row = _one(tmp_path, request_path="custom-model-nopath", provider="CUSTOM", **given)
    assert (row["operation"], row["is_model_call"]) == (operation, False)


def test_quotes_that_were_doubled_twice_are_taken_apart():
    """The tool doubles them before the CSV writer does."""
    assert unescaped('{""a"":""b""}') == {"a": "b"}
    assert unescaped('{"a": ""}') == {"a": ""}


ODD_CELLS = (
    "{1: {2}}",
    "[b'x', 1j, ...]",
    "{'usage_object': {None: 1}}",
    "{'a': 10**30}",
    "{'a': '\\ud800'}",
)


@pytest.mark.parametrize("cell", [*ODD_CELLS, "{'n': 99999999999999999999}", "[" * 300 + "]" * 300])
def test_no_notation_of_python_stops_the_reader(tmp_path, cell):
    """It can write what JSON has no word for, and anybody can write into a table."""
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, dict.fromkeys([*REQUEST, "request_properties"]))
        writer.writeheader()
        writer.writerow({**REQUEST, "request_properties": cell})
    rows = read_helicone(path)
    assert rows.rows_read == 1 == rows.spans.height + rows.quarantine.height


def test_no_value_of_a_field_stops_the_reader(tmp_path):
    """Every row read is a span or stands in the quarantine."""
    more = ["request_properties", "request_body", "response_body", "time_to_first_token", "delay_ms"]
    odd = [{**REQUEST, name: value} for name in [*REQUEST, *more] for value in ODD]
    rows = _read(tmp_path, *odd, *ODD)
    assert rows.rows_read == len(odd) + len(ODD)
    assert rows.rows_read == rows.spans.height + rows.quarantine.height


def test_thoughts_of_gemini_are_output(tmp_path):
    """They are billed as output; the total says that the count of the answer leaves them out."""
    usage = {"promptTokenCount": 120, "candidatesTokenCount": 30, "thoughtsTokenCount": 50}
    body = {"candidates": [], "usageMetadata": usage}
    row = _one(tmp_path, provider="GOOGLE", response_body=body, total_tokens=200)
    assert (row["output_tokens"], row["reasoning_tokens"]) == (80, 50)
    assert _one(tmp_path, response_body=body, total_tokens=150)["output_tokens"] == 30


@pytest.mark.parametrize(
    ("given", "input_tokens"),
    [
        ({"reasoning_tokens": 0}, 200),
        ({"reasoning_tokens": 0, "request_created_at": "2025-11-02 10:00:00.250"}, 120),
        ({"reasoning_tokens": 0, "provider": "CUSTOM"}, 120),
        ({}, 120),
        ({"response_body": {"usage": {"prompt_tokens": 200}}}, 200),
        ({"response_body": {"usage": {"input_tokens": 120}}, "reasoning_tokens": 0}, 120),
        ({"response_body": {"usage": {"prompt_tokens": "many"}}}, 120),
    ],
)
def test_newer_releases_take_the_cache_out_of_every_providers_input(tmp_path, given, input_tokens):
    """The answer tells; else the field for thoughts, which came with the release that did so for all."""
    row = _one(tmp_path, prompt_cache_read_tokens=80, **given)
    assert (row["input_tokens"], row["cache_read_tokens"]) == (input_tokens, 80)


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ({"reasoning_tokens": 50, "total_tokens": 200}, (80, 50)),
        ({"reasoning_tokens": 50}, (80, 50)),
        ({"reasoning_tokens": 20, "total_tokens": 150}, (30, 20)),
        ({"reasoning_tokens": 30, "total_tokens": 180}, (30, 30)),
        ({"response_body": {"usage": {"completion_tokens": 40, **THOUGHTS}}}, (40, 10)),
        ({"response_body": {"usage": {"completion_tokens": 30, **THOUGHTS}}}, (30, 10)),
        ({"response_body": {"usage": {"completion_tokens": 99, **THOUGHTS}}}, (30, None)),
    ],
)
def test_thoughts_that_stand_in_a_field_of_their_own_are_output(tmp_path, given, counts):
    """An answer that is all thoughts is the one whose count repeats them."""
    row = _one(tmp_path, **given)
    assert (row["output_tokens"], row["reasoning_tokens"]) == counts


def test_a_note_in_place_of_a_body_is_no_text(tmp_path):
    """The programming interface answers with one wherever the bodies wait behind an address."""
    note = {"helicone_message": "behind the address"}
    row = _one(tmp_path, request_body=json.dumps(note), response_body=note)
    assert (row["input"], row["output"]) == (None, None)
    assert json.loads(row["attributes"])["helicone.message"] == "behind the address"
    fetched = {"request": {"prompt": "mine"}, "response": {"choices": [{"text": "yours"}]}}
    row = _one(tmp_path, request_body=note, response_body=note, signed_body_content=fetched)
    assert "mine" in row["input"]
    assert "yours" in row["output"]


def test_requests_without_a_path_have_the_address_they_went_to(tmp_path):
    """So it is in what the programming interface answers."""
    url = "https://api.openai.com/v1/images/generations"
    row = _one(tmp_path, request_path=None, target_url=url, request_model="gpt-image-1")
    assert (row["operation"], row["is_model_call"]) == ("other", False)
