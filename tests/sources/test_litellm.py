"""LiteLLM's logs: their shapes, attempts and cache hits."""

import csv
import json

import pytest

from llmops_lib.sources.litellm import matches, read_litellm
from llmops_lib.sources.litellm_answers import answer_columns, request_messages
from llmops_lib.sources.sample import take_sample

LOG = {
    "request_id": "chatcmpl-1",
    "call_type": "acompletion",
    "spend": 0.25,
    "startTime": "2026-03-02T10:00:00+00:00",
    "endTime": "2026-03-02T10:00:02+00:00",
    "completionStartTime": "2026-03-02T10:00:02+00:00",
    "model": "gpt-4o",
    "custom_llm_provider": "azure",
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "session_id": "t-1",
    "status": "success",
    "metadata": "{}",
}
FAILED = {"request_id": "call-1", "litellm_call_id": "call-1", "status": "failure", "spend": 0}
ODD = ([], {}, [[]], {"a": {"b": []}}, 5, -1, 2.5, "x", "{", "[1]", True, None)


def _write(tmp_path, *values, name="log.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(value) for value in values))
    return path


def _read(tmp_path, *values):
    return read_litellm(_write(tmp_path, *values))


def _one(tmp_path, **given):
    return _read(tmp_path, {**LOG, **given}).spans.row(0, named=True)


@pytest.mark.parametrize("whole", [[LOG, {**LOG, "request_id": "b"}], {"data": [LOG, LOG], "total": 2}])
def test_answers_of_the_api_are_read_like_lines(tmp_path, whole):
    """The proxy returns a bare list or a page of it."""
    path = _write(tmp_path, whole)
    assert matches(take_sample(path))
    assert read_litellm(path).spans["input_tokens"].to_list() == [120, 120]


def test_a_dump_of_the_database_is_read(tmp_path):
    """All cells of a CSV are text."""
    path = tmp_path / "dump.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, LOG)
        writer.writeheader()
        writer.writerow(LOG)
    assert matches(take_sample(path))
    found = read_litellm(path).spans.select("input_tokens", "reported_cost_usd", "provider").row(0)
    assert found == (120, 0.25, "azure.ai.openai")


def test_a_table_that_pandas_wrote_says_as_much_as_the_rows_of_the_proxy(tmp_path):
    """It writes objects in Python's notation; failures and the cache would be lost with them."""
    usage = {"prompt_tokens": 120, "cache_read_input_tokens": 50, "prompt_tokens_details": None}
    error = {"error_class": "Timeout", "error_code": "408", "error_message": "it's late"}
    metadata = {"status": "failure", "usage_object": usage, "error_information": error}
    path = tmp_path / "dump.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*LOG, "request_tags"])
        writer.writeheader()
        writer.writerow({**LOG, "status": "", "metadata": metadata, "request_tags": ["a"]})
    names = ["cache_read_tokens", "is_error", "error_type", "http_status", "error_message", "tags"]
    found = read_litellm(path).spans.select(names).row(0)
    assert found == (50, True, "Timeout", 408, "it's late", ["a"])


@pytest.mark.parametrize(
    ("dropped", "added"),
    [
        (("call_type",), {"api_key": "hash"}),
        (("request_id", "spend"), {"id": "a", "response_cost": 0.25}),
        (("request_id", "spend"), {"id": "a", "modelParameters": {}}),
    ],
)
def test_rows_of_every_release_and_of_short_queries_are_recognised(tmp_path, dropped, added):
    """Which fields there are changed from year to year, and a query names the columns it wants."""
    row = {name: value for name, value in LOG.items() if name not in dropped} | added
    path = _write(tmp_path, row)
    assert matches(take_sample(path))
    assert read_litellm(path).spans["input_tokens"].to_list() == [120]


def test_usage_in_a_column_of_its_own_counts(tmp_path):
    """Rows of early 2024 have no columns of counts."""
    row = {name: value for name, value in LOG.items() if not name.endswith("_tokens")}
    usage = json.dumps({"prompt_tokens": 11, "completion_tokens": 7})
    spans = _read(tmp_path, {**row, "usage": usage}).spans
    assert spans.select("input_tokens", "output_tokens").row(0) == (11, 7)


def test_a_cost_that_could_not_be_computed_is_unknown(tmp_path):
    """LiteLLM writes 0 for a model without a price, and that it failed; 0 would pass for free."""
    why = {"error_str": "This model isn't mapped yet"}
    assert _one(tmp_path, spend=0.0, response_cost_failure_debug_info=why)["reported_cost_usd"] is None
    assert _one(tmp_path, spend=0.5, response_cost_failure_debug_info=why)["reported_cost_usd"] == 0.5
    assert _one(tmp_path, spend=0.0)["reported_cost_usd"] == 0.0


def test_what_a_cache_answered_is_no_model_call(tmp_path):
    """It has tokens and cost nothing; as a call it would be priced."""
    row = _one(tmp_path, cache_hit="True", spend=0)
    assert (row["is_model_call"], row["input_tokens"], row["reported_cost_usd"]) == (False, 120, 0.0)


def test_attempts_that_share_an_id_are_rows_of_their_own(tmp_path):
    """A retry is a call that happened; the proxy gives all attempts of a request one id."""
    second = "2026-03-02T10:00:03+00:00"
    attempts = [{**LOG, **FAILED}, {**LOG, **FAILED, "startTime": second, "endTime": second}]
    ids = _read(tmp_path, *attempts).spans["span_id"].to_list()
    assert ids == ["call-1", "call-1@2026-03-02T10:00:03.000000Z"]


def test_a_row_that_is_exported_twice_keeps_its_id(tmp_path):
    """Overlapping exports are told by it."""
    assert _read(tmp_path, LOG, LOG).spans["span_id"].to_list() == ["chatcmpl-1", "chatcmpl-1"]


def test_a_status_in_the_metadata_counts(tmp_path):
    """Logs before mid-2025 have no column for it."""
    about = {"status": "failure", "error_information": {"error_class": "Timeout", "error_code": "408"}}
    row = _one(tmp_path, status=None, metadata=json.dumps(about))
    assert (row["is_error"], row["error_type"], row["http_status"]) == (True, "Timeout", 408)


def test_counts_that_are_all_zero_are_unknown(tmp_path):
    """LiteLLM writes them for want of a count."""
    row = _one(tmp_path, prompt_tokens=0, completion_tokens=0, status="failure", spend=0)
    assert (row["input_tokens"], row["output_tokens"], row["reported_cost_usd"]) == (None, None, 0.0)


def test_cache_and_reasoning_are_parts_of_the_counts(tmp_path):
    """LiteLLM's counts are inclusive, so nothing is added to them."""
    usage = {
        "prompt_tokens": 120,
        "prompt_tokens_details": {
            "cached_tokens": 40,
            "cache_creation_token_details": {"ephemeral_1h_input_tokens": 16},
        },
        "cache_creation_input_tokens": 20,
        "completion_tokens_details": {"reasoning_tokens": 8},
        "service_tier": "priority",
    }
    row = _one(tmp_path, metadata=json.dumps({"usage_object": usage}))
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    assert [row[name] for name in names] == [120, 40, 20, 8]
    attributes = json.loads(row["attributes"])
    assert attributes["anthropic.usage.cache_creation.ephemeral_1h_input_tokens"] == 16
    assert attributes["openai.response.service_tier"] == "priority"


@pytest.mark.parametrize(
    ("call_type", "operation"),
    [
        ("completion", "chat"),
        ("atext_completion", "text_completion"),
        ("aembedding", "embeddings"),
        ("arerank", "rerank"),
        ("aresponses", "chat"),
        ("anthropic_messages", "chat"),
        ("pass_through_endpoint", "chat"),
        ("", "chat"),
        ("aimage_generation", "other"),
        ("aget_responses", "other"),
        ("call_mcp_tool", "execute_tool"),
    ],
)
def test_the_call_type_says_what_a_call_does(tmp_path, call_type, operation):
    """Only calls of a text model have counts of text tokens."""
    assert _one(tmp_path, call_type=call_type)["operation"] == operation


def test_the_first_token_counts_only_where_the_answer_was_streamed(tmp_path):
    """The proxy writes the end into the field otherwise."""
    whole = _one(tmp_path)
    streamed = _one(tmp_path, completionStartTime="2026-03-02T10:00:00.500+00:00")
    assert (whole["time_to_first_token_ms"], streamed["time_to_first_token_ms"]) == (None, 500.0)


@pytest.mark.parametrize(
    "given",
    [
        {"completionStartTime": "2026-03-02T10:00:01.999+00:00"},
        {"completionStartTime": "2026-03-02T10:00:01.500+00:00", "stream": None},
        {"completionStartTime": "2026-03-02T10:00:01.500+00:00", "stream": False},
    ],
)
def test_a_whole_answer_has_no_first_token(tmp_path, given):
    """The database rounds the end and the start of the answer apart; a payload says what was streamed."""
    row = _one(tmp_path, **given)
    assert (row["time_to_first_token_ms"], bool(row["is_streaming"])) == (None, False)


def test_an_error_of_which_there_is_only_the_text_is_named_by_it(tmp_path):
    """Payloads of 2024 have no other word of it."""
    row = _one(tmp_path, **FAILED, error_str="litellm.RateLimitError: slow down")
    assert (row["error_type"], row["error_message"]) == (
        "RateLimitError",
        "litellm.RateLimitError: slow down",
    )
    assert _one(tmp_path, **FAILED, error_str="the network is down")["error_type"] is None


def test_what_the_responses_api_was_asked_is_the_input(tmp_path):
    """The spend logs keep the request of such a call, and no messages."""
    row = _one(tmp_path, call_type="aresponses", messages="{}", proxy_server_request={"input": "hello"})
    assert json.loads(row["input"]) == "hello"
    assert _one(tmp_path, proxy_server_request={"model": "gpt-4o"})["input"] is None


def test_the_end_user_comes_before_the_owner_of_the_key(tmp_path):
    """The key is often one service's for all its users."""
    assert _one(tmp_path, user="service", end_user="u-7")["user_id"] == "u-7"
    assert _one(tmp_path, user="service", end_user="")["user_id"] == "service"


def test_sums_by_day_are_refused(tmp_path):
    """Under the same address the proxy can answer with sums, which are no calls."""
    rows = _read(tmp_path, LOG, {"startTime": "2026-03-02", "spend": 4.0, "users": {}})
    assert rows.spans.height == 1
    assert rows.quarantine["reason"].str.starts_with("schema").all()


def test_a_payload_inside_the_arguments_of_a_callback_is_read(tmp_path):
    """Callbacks that dump all their arguments hold it under a name."""
    path = _write(tmp_path, {"standard_logging_object": LOG, "other": 1})
    assert matches(take_sample(path))
    assert read_litellm(path).spans["span_id"].to_list() == ["chatcmpl-1"]


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
        writer = csv.DictWriter(file, dict.fromkeys([*LOG, "metadata"]))
        writer.writeheader()
        writer.writerow({**LOG, "metadata": cell})
    rows = read_litellm(path)
    assert rows.rows_read == 1 == rows.spans.height + rows.quarantine.height


def test_no_value_of_a_field_stops_the_reader(tmp_path):
    """Every row read is a span or stands in the quarantine."""
    names = [*LOG, "response", "messages", "request_tags", "error_information", "trace_id", "cache_hit"]
    odd = [{**LOG, name: value} for name in names for value in ODD]
    rows = _read(tmp_path, *odd, *ODD)
    assert rows.rows_read == len(odd) + len(ODD)
    assert rows.rows_read == rows.spans.height + rows.quarantine.height


@pytest.mark.parametrize(
    ("answer", "text", "reason"),
    [
        ({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}, "hi", "stop"),
        (
            {"role": "assistant", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end"},
            "hi",
            "end",
        ),
        ({"output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]}, "hi", None),
        ({"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]}, "hi", "STOP"),
    ],
)
def test_answers_of_every_api_become_messages(answer, text, reason):
    """A proxy logs what the provider's API returned."""
    columns = answer_columns(answer)
    assert columns["output"][0]["parts"] == [{"type": "text", "content": text}]
    assert columns.get("finish_reason") == reason


def test_a_system_prompt_beside_the_messages_is_the_first_of_them():
    """Anthropic's API has it outside the list."""
    found = request_messages({"system": "be brief", "messages": [{"role": "user", "content": "hi"}]})
    assert [message["role"] for message in found] == ["system", "user"]


@pytest.mark.parametrize(
    ("details", "has_usage_object", "prompt", "total"),
    [
        ({"cached_tokens": 200}, False, 1500, 1500),
        ({"cached_tokens": 200}, True, 1200, 1500),
        ({"cached_tokens": 200, "cache_creation_tokens": 300}, True, 1500, 1500),
    ],
)
def test_cache_writes_are_in_the_input_whichever_release_counted(
    tmp_path, details, has_usage_object, prompt, total
):
    """Of 1,000 tokens, 200 more read and 300 more written, releases 1.65 to 1.76 left the 300 out."""
    usage = {
        "prompt_tokens": prompt,
        "prompt_tokens_details": details,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 300,
    }
    name = "usage_object" if has_usage_object else "additional_usage_values"
    row = _one(tmp_path, prompt_tokens=prompt, total_tokens=prompt + 30, metadata={name: usage})
    counts = (row["input_tokens"], row["cache_read_tokens"], row["cache_write_tokens"])
    assert counts == (total, 200, 300)


def test_writes_that_were_left_out_do_not_add_the_reads_again(tmp_path):
    """The reads are in the input already, although reads and writes together are more than it."""
    usage = {
        "prompt_tokens": 2009,
        "prompt_tokens_details": {"cached_tokens": 2000},
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 2074,
    }
    row = _one(tmp_path, prompt_tokens=2009, total_tokens=2039, metadata={"usage_object": usage})
    assert row["input_tokens"] == 9 + 2000 + 2074
    assert "made inclusive" in row["attributes"]


def test_a_count_in_the_words_of_anthropic_leaves_the_cache_out(tmp_path):
    """What is passed through keeps its usage as it came, and a small cache proves nothing by its size."""
    usage = {"input_tokens": 120, "cache_read_input_tokens": 50, "output_tokens": 30}
    assert _one(tmp_path, total_tokens=150, response={"usage": usage})["input_tokens"] == 170
    own = {**usage, "prompt_tokens": 120}
    assert _one(tmp_path, total_tokens=150, response={"usage": own})["input_tokens"] == 120
    inclusive = _one(tmp_path, prompt_tokens=170, total_tokens=200, response={"usage": usage})
    assert inclusive["input_tokens"] == 170


def test_a_tool_of_a_server_has_its_name_and_what_went_in_and_out(tmp_path):
    """The name of the kind of call is the same for every tool."""
    tool = {"name": "weather", "arguments": {"city": "Paris"}, "result": {"celsius": 21}}
    row = _one(tmp_path, call_type="call_mcp_tool", metadata={"mcp_tool_call_metadata": tool})
    assert (row["name"], row["operation"]) == ("weather", "execute_tool")
    assert (json.loads(row["input"]), json.loads(row["output"])) == ({"city": "Paris"}, {"celsius": 21})
    row = _one(tmp_path, call_type="call_mcp_tool", mcp_namespaced_tool_name="maps/route")
    assert row["name"] == "maps/route"


def test_a_model_that_litellm_did_not_look_for_is_unknown(tmp_path):
    """It is no name of a model, and the answer may hold the right one."""
    row = _one(tmp_path, call_type="pass_through_endpoint", model="unknown", response={"model": "gpt-4o"})
    assert (row["request_model"], row["model"]) == (None, "gpt-4o")


def test_counts_of_older_releases_leave_cache_and_thoughts_out(tmp_path):
    """A cache read of 1905 is not in 9 tokens of input: nearly all of a call would cost nothing."""
    usage = {"usage_object": {"prompt_tokens": 9, "completion_tokens": 20, "cache_read_input_tokens": 1905}}
    assert _one(tmp_path, prompt_tokens=9, metadata=usage)["input_tokens"] == 1914
    usage = {"usage_object": {"completion_tokens_details": {"reasoning_tokens": 20}}}
    row = _one(tmp_path, total_tokens=170, metadata=usage)
    assert (row["output_tokens"], row["reasoning_tokens"]) == (50, 20)
    assert _one(tmp_path, total_tokens=150, metadata=usage)["output_tokens"] == 30
