import asyncio
import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmops_lib import load_scores
from llmops_lib.sources.results import inspect_library
from llmops_lib.sources.results.load import read_results

pytest.importorskip("inspect_ai", reason="the extra `inspect` is not installed", exc_type=ImportError)

LOGS = (
    "2024-08-29T15-11-17_00-00_popularity_5EAmX6wjMFqea6WY7XHzZp.json",
    "2025-05-12T20-28-13-04-00_popularity.json",
    "emitted_0.3.285_capitals.eval",
    "emitted_0.3.285_capitals.json",
    "log_formats.eval",
    "log_formats.json",
    "log_message_deduplication.eval",
    "log_tool_call_error.json",
)

WATCHED = """
import sys
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import ThreadPoolExecutor
done = []
sys.addaudithook(lambda event, facts: done.append((event, str(facts)[:200])) if event == "socket.connect"
    or (event == "open" and isinstance(facts[1], str) and set(facts[1]) & set("wax+")) else None)
from llmops_lib.sources.results.load import read_results
print(read_results(sys.argv[1]).scores.height)
print("inspect_ai" in sys.modules)
print([one for one in done if ".pyc" not in one[1] and "/dev/null" not in one[1]])
"""


def whole_log(folder, *samples):
    """A log that inspect_ai takes, of the samples given."""
    spec = {
        "created": "2026-11-20T08:00:00+01:00",
        "task": "capitals",
        "dataset": {},
        "model": "mockllm/model",
    }
    spec |= {"eval_id": "e1", "run_id": "r1", "task_id": "t1", "task_version": 0, "config": {}}
    head = {
        "version": 2,
        "status": "success",
        "eval": spec,
        "plan": {"name": "plan", "steps": [], "config": {}},
    }
    path = folder / "log.json"
    path.write_text(json.dumps({**head, "samples": samples}), encoding="utf-8")
    return path


def sample(**changes):
    """A sample that inspect_ai takes."""
    scores = {"match": {"value": "C", "answer": "Paris"}}
    whole = {"id": "q1", "epoch": 1, "input": "Capital?", "target": "Paris", "messages": [], "scores": scores}
    return {**whole, "output": {"model": "m", "choices": []}, "metadata": {}, "model_usage": {}, **changes}


def run_watched(path):
    """What a fresh process does that loads a file: scores, whether inspect_ai was imported, and its deeds."""
    command = [sys.executable, "-c", WATCHED, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout.split("\n")


@pytest.fixture
def told(caplog):
    """What the library logs."""
    caplog.set_level(logging.INFO, "llmops_lib")
    return caplog


@pytest.mark.parametrize("name", LOGS)
def test_both_readers_give_the_same_scores(shared: Path, name: str, monkeypatch, told):
    """Whoever has not installed the extra must not get other figures than a colleague who has."""
    path = shared / "fixtures" / "inspect_ai" / name
    through_inspect = read_results(path).scores
    assert not told.messages
    monkeypatch.setattr(inspect_library, "SIZE_LIMIT", 0)
    assert read_results(path).scores.equals(through_inspect)
    assert any("without inspect_ai because of its size" in message for message in told.messages)


def test_a_log_that_inspect_ai_refuses_is_read_without_it(tmp_path, told):
    """One broken sample must not take the good ones with it, and the reason must not quote the log."""
    path = whole_log(
        tmp_path, sample(), sample(id="q2", scores={"match": {"value": "C", "answer": {"no": 1}}})
    )
    assert load_scores(path)["example_id"].to_list() == ["q1", "q2"]
    assert told.messages == [f"{path}: read without inspect_ai because of ValidationError"]


def test_it_reads_inside_a_running_event_loop(tmp_path, told):
    """A notebook always has one, and inspect_ai would patch it."""
    path, own_run = whole_log(tmp_path, sample()), asyncio.run

    async def load():
        return load_scores(path)["score"].to_list()

    # A thread of its own, since a test of a browser may have left a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(load())).result() == [1.0]
    assert asyncio.run is own_run
    assert not told.messages


def test_a_number_of_a_limit_is_the_same_from_both_readers(tmp_path, monkeypatch):
    """Logs of 2025 wrote 5 where inspect_ai now says 5.0."""
    path = whole_log(tmp_path, sample(limit={"type": "token", "limit": 5}))
    through_inspect = load_scores(path)
    monkeypatch.setattr(inspect_library, "SIZE_LIMIT", 0)
    assert load_scores(path).equals(through_inspect)
    assert json.loads(through_inspect["metadata"][0])["limit"] == {"type": "token", "limit": 5.0}


def test_reading_through_inspect_ai_neither_writes_nor_calls_anyone(tmp_path):
    """A framework that runs evals keeps traces and asks for tokenizers; reading a log must do neither."""
    assert run_watched(whole_log(tmp_path, sample()))[:3] == ["1", "True", "[]"]


def test_other_formats_do_not_import_inspect_ai(tmp_path):
    """It takes seconds, which nobody should pay for a table."""
    path = tmp_path / "scores.csv"
    path.write_text("example_id,score\na,1\n", encoding="utf-8")
    assert run_watched(path)[:2] == ["1", "False"]
