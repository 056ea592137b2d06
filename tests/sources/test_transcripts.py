"""Runs of agents without times: read as trees, each message and tool call in its place."""

import json

import pytest

from llmops_lib import load_traces, read_transcripts, span_tree
from llmops_lib.errors import SourceError, UnknownFormatError

RUN = {
    "task_id": 3,
    "trial": 1,
    "reward": 0.0,
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is my parcel?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "b", "function": {"name": "find_order", "arguments": '{"n": 1}'}},
                {"id": "a", "function": {"name": "find_parcel", "arguments": '{"n": 2}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "in Leith"},
        {"role": "tool", "tool_call_id": "b", "content": "paid"},
        {"role": "assistant", "content": "In Leith."},
    ],
}


def write(tmp_path, *runs):
    """A file of runs, one per line."""
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(json.dumps(run) + "\n" for run in runs), "utf-8")
    return path


def test_messages_and_tool_calls_stand_in_reading_order(tmp_path):
    """The tree of an agent is read from the top to the bottom."""
    tree = span_tree(read_transcripts(write(tmp_path, RUN)), trace_id="3/1")
    assert tree.select("depth", "name").rows() == [
        (0, "agent run"),
        (1, "chat"),
        (2, "find_order"),
        (2, "find_parcel"),
        (1, "chat"),
    ]
    assert tree["started_at"].null_count() == tree.height


def test_a_result_belongs_to_the_call_that_it_names(tmp_path):
    """Tools answer in the order in which they are done."""
    tools = read_transcripts(write(tmp_path, RUN)).filter(operation="execute_tool")
    assert [json.loads(text)[0]["content"] for text in tools["output"]] == ["paid", "in Leith"]


def test_results_without_names_go_by_their_place(tmp_path):
    """tau-bench keeps no ids of calls."""
    bare = json.loads(json.dumps(RUN))
    for message in bare["messages"]:
        message.pop("tool_call_id", None)
        for call in message.get("tool_calls", []):
            call.pop("id")
    tools = read_transcripts(write(tmp_path, bare)).filter(operation="execute_tool")
    assert [json.loads(text)[0]["content"] for text in tools["output"]] == ["in Leith", "paid"]


def test_what_else_the_run_says_is_kept(tmp_path):
    """The reward is why one reads it."""
    runs = read_transcripts(write(tmp_path, RUN, {"messages": []}))
    assert json.loads(runs["attributes"][0]) == {"task_id": 3, "trial": 1, "reward": 0.0}
    assert runs["trace_id"].unique(maintain_order=True).to_list() == ["3/1", "line 2"]


@pytest.mark.parametrize("bad", [{"messages": "none"}, {"text": "no run"}, {"messages": [1]}])
def test_what_is_no_run_is_refused_with_its_line(bad, tmp_path):
    """Half a tree would look whole."""
    with pytest.raises(SourceError, match=r"runs.jsonl:2: is no run of an agent"):
        read_transcripts(write(tmp_path, RUN, bad))


def test_a_run_without_times_is_no_trace(tmp_path):
    """A time would have to be made up."""
    with pytest.raises(UnknownFormatError):
        load_traces(write(tmp_path, RUN))


def test_every_real_run_opens_as_a_tree(shared, llmops):
    """Twenty-five runs of an airline agent, with all of their messages."""
    path = shared / "reference/data/tau_bench_gpt4o_airline_runs.jsonl"
    kept = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    runs = read_transcripts(path)
    for run in kept:
        tree = span_tree(runs, trace_id=f"{run['task_id']}/{run['trial']}")
        said = [one for one in run["messages"] if one["role"] == "assistant"]
        called = sum(len(one.get("tool_calls") or []) for one in said)
        assert tree.height == 1 + len(said) + called
        results = tree.filter(operation="execute_tool")["output"]
        assert results.len() - results.null_count() == sum(one["role"] == "tool" for one in run["messages"])
    code, text, _ = llmops("trace", "show", path, "0/0", "--excerpt", "80")
    assert code == 0
    assert "── get_user_details" in text
