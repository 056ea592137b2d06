"""A run that is killed pays for nothing twice; one whose endpoint breaks down accounts for every case."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from llmops_lib import load_prompt, load_suite
from llmops_lib.endpoints.addresses import checked_address
from llmops_lib.endpoints.client import EndpointClient
from llmops_lib.endpoints.settings import Endpoint, EndpointSettings
from llmops_lib.evals.plan import plan_eval
from llmops_lib.evals.run import run_eval
from tests.endpoints.conftest import completion, scripted
from tests.registry.conftest import PROMPT
from tests.sources.fetch.conftest import (
    BUSY_S,
    hang,
    patience,
    reply,
    serve,  # noqa: F401 - the fixture is used by name
)

LLMOPS = Path(sys.executable).with_name("llmops")
SETTINGS = """description: Small questions.
owner: support
prompt: faq
graders:
  - {name: facts, kind: facts}
  - {name: number, kind: numeric}
"""
CONCURRENCY = 3


def cases(names):
    """Cases whose question is their name."""
    return [
        {"id": name, "tags": ["x"], "inputs": {"question": name}, "expected": {"facts": [["Paris"]]}}
        for name in names
    ]


def question(asked):
    """What a request asks."""
    return json.loads(asked.body)["messages"][-1]["content"].strip()


def command(folder, url, *more):
    """The command as a user starts it."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": "sk-none",
        "LLMOPS_ALLOW_LOCAL": "1",
        "POLARS_MAX_THREADS": "1",
    }
    line = [LLMOPS, "eval", "run", "small", "--trials", "3", "--concurrency", str(CONCURRENCY), *more]
    return {"args": line, "cwd": folder, "env": environment, "stdout": subprocess.PIPE, "text": True}


def test_a_run_killed_half_way_makes_only_the_missing_calls(serve, write, prompts):  # noqa: F811 - the fixture
    """SIGKILL leaves no time to tidy up; only calls that were under way may be made again."""
    write(cases([f"question-{number}" for number in range(12)]), SETTINGS)
    (prompts / "faq.md").write_text(PROMPT)
    half_way, is_killed = threading.Barrier(CONCURRENCY + 1), threading.Event()

    def stays_half_way(asked):
        if len(server.asked) >= 18 and not is_killed.is_set():
            half_way.wait(BUSY_S)
            is_killed.wait(BUSY_S)
        return reply(completion(f"Paris, {question(asked)}"))

    server = serve(stays_half_way)
    folder = prompts.parent
    with subprocess.Popen(**command(folder, server.url)) as started:
        # Every call that can be under way is, so that none is on its way when the process ends.
        half_way.wait(BUSY_S)
        os.kill(started.pid, signal.SIGKILL)
    assert started.returncode == -signal.SIGKILL
    is_killed.set()
    made = len(server.asked)
    kept = len(list((folder / "reports" / "evals" / ".answers").glob("??/*.json")))
    assert 18 <= made < 18 + CONCURRENCY
    assert kept == made - CONCURRENCY
    assert not list((folder / "reports").rglob("scores.parquet"))

    again = subprocess.run(**command(folder, server.url, "--json"), check=True)
    said = json.loads(again.stdout)
    assert said["is_locked"] is False
    assert (said["call_count"], said["cached_count"], said["failed_count"]) == (36, kept, 0)
    assert len(server.asked) - made == 36 - kept
    facts = next(row for row in said["scorers"] if row["scorer"] == "facts")
    assert (facts["score_count"], facts["mean_score"]) == (36, 1.0)


@pytest.mark.usefixtures("no_running_loop")
def test_a_run_under_throttling_errors_and_lost_connections_accounts_for_every_case(
    serve,  # noqa: F811 - the fixture
    write,
    prompts,
    shared,
):
    """Scripts of faults, one per case, side by side: answered, missing with its error, or failed."""
    lines = (shared / "corpora" / "api_faults.jsonl").read_text(encoding="utf-8").splitlines()
    faults = [fault for fault in map(json.loads, lines) if isinstance(fault["script"][0], list)]
    assert len(faults) >= 15
    scripts = {fault["name"]: [scripted(*step) for step in fault["script"]] for fault in faults}
    asked_of = dict.fromkeys(scripts, 0)

    def broken(asked):
        name = question(asked)
        asked_of[name] += 1
        return scripts[name].pop(0)

    folder = write(cases(scripts), SETTINGS)
    (prompts / "faq.md").write_text(PROMPT)
    plan = plan_eval(load_suite("small", folder=folder), load_prompt("faq", folder=prompts))
    endpoint = Endpoint(checked_address(serve(broken).url, allows_local=True), "sk-none")
    with EndpointClient(endpoint, EndpointSettings(concurrency=4, **patience([hang]))) as client:
        run = run_eval(plan, client)

    rows = {row["example_id"]: row for row in run.scores.filter(scorer="facts").iter_rows(named=True)}
    assert set(rows) == set(scripts)
    assert run.call_count == len(faults)
    for fault in faults:
        row, wanted = rows[fault["name"]], fault["expect"]
        assert asked_of[fault["name"]] == wanted["calls"], fault["name"]
        if wanted["result"] != "error":
            assert row["score"] is not None, fault["name"]
        elif fault["script"][0][0] == 400:
            assert (row["score"], row["label"]) == (0.0, "refused_by_endpoint")
        else:
            assert row["score"] is None, fault["name"]
            assert row["error"], fault["name"]
        assert wanted.get("never_contains", "\0") not in json.dumps(row, default=str)
    missing = sum(fault["expect"]["result"] == "error" for fault in faults)
    assert run.failed_count == missing
