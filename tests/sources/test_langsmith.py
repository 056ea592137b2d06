"""LangSmith's runs: their shapes, operations, usage and ids."""

import csv
import json

import pytest

from llmops_lib.sources.langsmith import matches, read_langsmith
from llmops_lib.sources.langsmith_usage import token_columns
from llmops_lib.sources.sample import take_sample

RUN = {
    "id": "r-2",
    "trace_id": "r-1",
    "parent_run_id": "r-1",
    "dotted_order": "20260302T100000000000Zr-1.20260302T100001000000Zr-2",
    "name": "ChatAnthropic",
    "run_type": "llm",
    "start_time": "2026-03-02T10:00:01",
    "end_time": "2026-03-02T10:00:03.500",
    "status": "success",
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "total_cost": "0.25",
    "session_id": "project-1",
    "extra": {"metadata": {"ls_provider": "anthropic", "thread_id": "s-1"}},
}
ODD = ([], {}, [[]], {"a": {"b": []}}, 5, -1, 2.5, "x", "{", "[1]", True, None)


def _write(tmp_path, *values):
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(json.dumps(value) for value in values))
    return path


def _read(tmp_path, *values):
    return read_langsmith(_write(tmp_path, *values))


def _one(tmp_path, **given):
    return _read(tmp_path, {**RUN, **given}).spans.row(0, named=True)


@pytest.mark.parametrize(
    ("run_type", "operation"),
    [
        ("llm", "chat"),
        ("LLM", "chat"),
        ("embedding", "embeddings"),
        ("chain", "chain"),
        ("tool", "execute_tool"),
        ("retriever", "retrieval"),
        ("prompt", "other"),
        ("parser", "other"),
    ],
)
def test_the_run_type_says_what_a_run_does(tmp_path, run_type, operation):
    """The API of 2026 writes it in capitals."""
    assert _one(tmp_path, run_type=run_type)["operation"] == operation


def test_usage_of_an_ancestor_stays_an_attribute(tmp_path):
    """It repeats the runs inside, and adding it would double the money."""
    row = _one(tmp_path, run_type="chain")
    assert (row["input_tokens"], row["reported_cost_usd"], row["is_model_call"]) == (None, None, False)
    assert json.loads(row["attributes"])["langsmith.prompt_tokens"] == 120


def test_the_session_is_the_conversation_and_not_the_project(tmp_path):
    """`session_id` of a run names its project."""
    assert _one(tmp_path)["session_id"] == "s-1"


@pytest.mark.parametrize(
    "given",
    [
        {"parent_run_id": None},
        {"parent_run_id": None, "dotted_order": None, "parent_run_ids": ["r-0", "r-1"]},
    ],
)
def test_a_parent_that_is_not_stated_is_found(tmp_path, given):
    """Operations name no parent and the API of 2026 lists all ancestors."""
    assert _one(tmp_path, **given)["parent_span_id"] == "r-1"


def test_runs_that_name_no_trace_are_in_that_of_their_topmost_ancestor(tmp_path):
    """A query that selects fields may leave out the trace, and the row would be lost with it."""
    bare = {name: RUN[name] for name in ("name", "run_type", "start_time", "end_time", "status")}
    order = "20260302T100000000000Z.1"
    runs = [
        {**bare, "id": "r-3", "parent_run_id": "r-2", "dotted_order": order},
        {**bare, "id": "r-2", "parent_run_id": "r-1"},
        {**bare, "id": "r-1", "parent_run_id": None},
        {**bare, "id": "r-9", "parent_run_id": "elsewhere"},
    ]
    spans = _read(tmp_path, *runs).spans
    traces = dict(spans.select("span_id", "trace_id").rows())
    assert traces == {"r-1": "r-1", "r-2": "r-1", "r-3": "r-1", "r-9": "elsewhere"}


def test_runs_that_are_their_own_ancestors_end_somewhere(tmp_path):
    """A file may say what it likes, and no reader may hang on it."""
    bare = {name: RUN[name] for name in ("name", "run_type", "start_time", "end_time", "status")}
    runs = [{**bare, "id": f"r-{n}", "parent_run_id": f"r-{(n + 1) % 3}"} for n in range(3)]
    assert _read(tmp_path, *runs).spans["trace_id"].n_unique() == 1


def test_a_table_that_pandas_saved_as_csv_is_read(tmp_path):
    """It holds objects as Python prints them; a call without its model would have no price."""
    path = tmp_path / "runs.csv"
    extra = {"metadata": {"ls_model_name": "claude-haiku-4-5", "ls_provider": "anthropic", "n": None}}
    outputs = {"messages": [{"role": "assistant", "content": "it's fine"}]}
    cells = {**RUN, "extra": repr(extra), "outputs": repr(outputs), "tags": repr(["prod"])}
    with path.open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(cells))
        table.writeheader()
        table.writerow(cells)
    row = read_langsmith(path).spans.row(0, named=True)
    assert (row["request_model"], row["provider"], row["tags"]) == ("claude-haiku-4-5", "anthropic", ["prod"])
    assert json.loads(row["output"])[0]["parts"] == [{"type": "text", "content": "it's fine"}]


@pytest.mark.parametrize("is_creation_first", [True, False])
def test_a_creation_and_its_update_are_one_run(tmp_path, is_creation_first):
    """Threads of an SDK may send the update first."""
    late = ("end_time", "status", "prompt_tokens", "completion_tokens", "total_cost")
    created = {name: value for name, value in RUN.items() if name not in late}
    extra = {"metadata": {"usage_metadata": {"input_tokens": 50, "output_tokens": 7}}}
    update = {"id": "r-2", "end_time": RUN["end_time"], "error": None, "outputs": {"a": 1}, "extra": extra}
    both = [created, update] if is_creation_first else [update, created]
    rows = _read(tmp_path, *both)
    row = rows.spans.row(0, named=True)
    assert rows.quarantine["source_line"].to_list() == [2 if is_creation_first else 1]
    assert rows.quarantine["reason"].str.starts_with("merged").all()
    assert (row["latency_ms"], row["input_tokens"], row["session_id"]) == (2500.0, 50, "s-1")


def test_an_update_alone_is_refused(tmp_path):
    """It tells neither when the run began nor what it was."""
    rows = _read(tmp_path, {"id": "r-9", "end_time": RUN["end_time"], "outputs": {}, "error": None})
    assert rows.quarantine["reason"].str.starts_with("schema: an update").all()


@pytest.mark.parametrize(
    "whole",
    [
        [RUN, {**RUN, "id": "r-3"}],
        {"runs": [RUN, {**RUN, "id": "r-3"}], "cursors": {}},
        {"post": [RUN], "patch": [{**RUN, "id": "r-3"}]},
        {**RUN, "child_runs": [{**RUN, "id": "r-3"}]},
    ],
)
def test_every_wrapping_of_runs_is_read(tmp_path, whole):
    """Lists, pages, batches, and runs with their children inside."""
    path = _write(tmp_path, whole)
    assert matches(take_sample(path))
    assert sorted(read_langsmith(path).spans["span_id"]) == ["r-2", "r-3"]


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 120, "completion_tokens": 30}, (120, 30, None, None, None)),
        (
            {
                "prompt_tokens": 120,
                "completion_tokens": 30,
                "prompt_token_details": {"cache_read": 40, "cache_creation": 20},
                "completion_token_details": {"reasoning": 8},
            },
            (120, 30, 40, 20, 8),
        ),
        (
            {
                "prompt_tokens": 0,
                "completion_tokens": 0,
                "outputs": {"usage_metadata": {"input_tokens": 9, "output_tokens": 4}},
            },
            (9, 4, None, None, None),
        ),
        (
            {"outputs": {"llm_output": {"token_usage": {"prompt_tokens": 9, "completion_tokens": 4}}}},
            (9, 4, None, None, None),
        ),
        (
            {
                "outputs": {
                    "llm_output": {
                        "usage": {"input_tokens": 9, "output_tokens": 4, "cache_read_input_tokens": 90}
                    }
                }
            },
            (99, 4, 90, None, None),
        ),
        ({"prompt_tokens": 0, "completion_tokens": 0}, (None, None, None, None, None)),
    ],
)
def test_usage_is_found_wherever_it_stands(usage, counts):
    """Columns, metadata and the answers of LangChain and of wrapped SDKs."""
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    found, _ = token_columns(usage)
    assert tuple(found.get(name) for name in names) == counts


def test_cache_writes_stated_by_lifetime_are_summed_and_the_hour_is_kept():
    """LangChain sets the whole to 0 where it states the parts; an hour costs more."""
    details = {"cache_creation": 0, "ephemeral_5m_input_tokens": 16, "ephemeral_1h_input_tokens": 4}
    usage = {"input_tokens": 100, "output_tokens": 7, "input_token_details": details}
    counts, notes = token_columns({"outputs": {"usage_metadata": usage}})
    assert (counts["input_tokens"], counts["cache_write_tokens"]) == (100, 20)
    assert notes == {"anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 4}


@pytest.mark.parametrize(
    ("error", "error_type", "http_status"),
    [
        ('RateLimitError("Error code: 429 - slow down")', "RateLimitError", 429),
        ("openai.BadRequestError: Error code: 400", "BadRequestError", 400),
        ("Traceback (most recent call last):\n  File x\nValueError: no", "ValueError", None),
        ("something went wrong", None, None),
    ],
)
def test_an_error_is_named_by_its_class(tmp_path, error, error_type, http_status):
    """The text is the only place that tells it."""
    row = _one(tmp_path, error=error, status="error")
    assert (row["is_error"], row["error_type"], row["http_status"]) == (True, error_type, http_status)


def test_the_first_token_is_the_first_event_where_no_column_tells_it(tmp_path):
    """Operations have no such column; the events of later tokens are not kept."""
    times = ("2026-03-02T10:00:01.400", "2026-03-02T10:00:02.000")
    events = [{"name": "start"}, *({"name": "new_token", "time": time} for time in times)]
    row = _one(tmp_path, events=events)
    assert (row["time_to_first_token_ms"], row["is_streaming"]) == (400.0, True)
    assert json.loads(row["attributes"])["langsmith.events"] == [{"name": "start"}]


def test_the_root_hints_at_the_feature(tmp_path):
    """Runs without a feature in their metadata are told apart by the chain that they belong to."""
    root = {
        **RUN,
        "id": "r-1",
        "parent_run_id": None,
        "dotted_order": None,
        "run_type": "chain",
        "name": "rag",
    }
    assert _read(tmp_path, root).spans["feature_hint"].to_list() == ["rag"]
    assert _one(tmp_path)["feature_hint"] is None


def test_feedback_of_users_is_told_from_evaluators(tmp_path):
    """Both stand among the statistics of a run."""
    stats = {"correctness": {"n": 1, "avg": 0.25}, "user_feedback": {"n": 2, "avg": 0.5}}
    assert _one(tmp_path, feedback_stats=stats)["feedback_score"] == 0.5


def test_no_value_of_a_field_stops_the_reader(tmp_path):
    """Every run read is a span or stands in the quarantine."""
    more = ["inputs", "outputs", "events", "tags", "error", "feedback_stats", "child_runs", "parent_run_ids"]
    odd = [
        {**RUN, "id": f"r-{name}-{number}", name: value}
        for name in [*RUN, *more]
        for number, value in enumerate(ODD)
        if not (name == "child_runs" and value)
    ]
    rows = _read(tmp_path, *odd)
    assert rows.rows_read == rows.spans.height + rows.quarantine.height
    assert rows.rows_read >= len(odd) - 2 * len(ODD)
    assert _read(tmp_path, RUN, *ODD).quarantine.height > 0


def test_thoughts_beside_the_answer_are_added_to_it():
    """LangChain passed Gemini's counts on as they came, and the total says that the thoughts are no part."""
    usage = {"input_tokens": 10, "output_tokens": 400, "total_tokens": 710}
    run = {"outputs": {"usage_metadata": {**usage, "output_token_details": {"reasoning": 300}}}}
    counts, notes = token_columns(run)
    assert counts == {"input_tokens": 10, "output_tokens": 700, "reasoning_tokens": 300}
    assert notes == {"llmops.token_convention": "reasoning beside output, made inclusive"}
