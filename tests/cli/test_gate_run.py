"""`llmops gate run`: as many trials as it takes, each paid for once, against baseline and anchor."""

import json
import random
import threading
from collections import Counter

import pytest

from llmops_lib import load_prompt, load_suite
from tests.endpoints.conftest import completion
from tests.sources.fetch.conftest import reply, serve  # noqa: F401 - the fixture is used by name

CASES = 14
BASELINE_TRIALS = 8
SETTINGS = """description: Small questions.
owner: support
prompt: faq
graders:
  - {name: facts, kind: facts}
"""
_YES = {"facts": [["yes"]]}
PROMPT = """---
model: gpt-4o-mini
owner: support
parameters: {max_tokens: 50}
input_schema: {type: object, required: [question], properties: {question: {type: string}}}
---
<!-- user -->
{{ question }}
"""


@pytest.fixture
def workplace(tmp_path, monkeypatch, llmops):
    """A folder with a prompt and a locked suite of fourteen questions, as working directory."""
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "faq.md").write_text(PROMPT)
    (tmp_path / "prompts" / "other.md").write_text(PROMPT.replace("{{ question", "Please: {{ question"))
    folder = tmp_path / "evals" / "small"
    folder.mkdir(parents=True)
    (folder / "suite.yaml").write_text(SETTINGS)
    cases = [
        {"id": f"c{n}", "tags": ["x"], "inputs": {"question": f"What is {n}?"}, "expected": _YES}
        for n in range(CASES)
    ]
    (folder / "cases.jsonl").write_text("".join(f"{json.dumps(case)}\n" for case in cases))
    monkeypatch.chdir(tmp_path)
    code, _, err = llmops("eval", "lock", "small")
    assert code == 0, err
    return tmp_path


@pytest.fixture
def endpoint(serve, monkeypatch):  # noqa: F811 - the fixture
    """A model that answers rightly four times in five, later seven in ten, and never after a Please.

    The n-th answer to a question is the same in every run, whichever call arrives first.
    """
    times, lock = Counter(), threading.Lock()

    def answered(asked):
        text = json.loads(asked.body)["messages"][-1]["content"]
        with lock:
            times[text] += 1
            number = times[text]
        share = 0.8 if number <= BASELINE_TRIALS else 0.7
        drawn = random.Random(f"1 {text} {number}").random()  # noqa: S311 - no secret
        is_right = drawn < share and not text.startswith("Please")
        return reply(completion("yes" if is_right else "no"))

    server = serve(answered)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("LLMOPS_ALLOW_LOCAL", "1")
    return server


@pytest.fixture
def baseline(workplace, endpoint, llmops):  # noqa: ARG001 - the working directory
    """The scores of eight trials, pinned."""
    options = ("--trials", "8", "--out", "evals/baselines", "--cache", "evals/baselines/.answers", "--json")
    code, out, _ = llmops("eval", "run", "small", *options)
    assert code == 0
    endpoint.asked.clear()
    return json.loads(out)["scores"]


@pytest.mark.usefixtures("no_running_loop")
def test_an_open_question_takes_more_trials_and_pays_for_the_new_ones_only(llmops, endpoint, baseline):
    """Two trials, then two more, then four more: eight calls of each case and not fourteen."""
    code, out, err = llmops("gate", "run", "small", "--baseline", baseline, "--anchor", baseline, "--json")
    assert code == 0, err
    said = json.loads(out)
    assert (said["verdict"], said["trials"], said["looked_at_trials"]) == ("inconclusive", 8, 8)
    assert len(endpoint.asked) == said["new_call_count"] == 8 * CASES
    assert said["anchor"]["verdict"] == said["baseline_verdict"] == "inconclusive"
    code, out, _ = llmops("gate", "run", "small", "--baseline", baseline, "--strict", "--json")
    again = json.loads(out)
    assert (code, again["verdict"], again["new_call_count"]) == (4, "inconclusive", 0)


@pytest.mark.usefixtures("no_running_loop")
def test_a_plain_drop_is_blocked_after_two_trials(llmops, endpoint, baseline, workplace):
    """And told to a pull request and a CI server by the name of what it was held against."""
    files = ("--markdown", "gate.md", "--junit", "gate.xml")
    options = ("--baseline", baseline, "--anchor", baseline, "--prompt", "other", *files)
    code, out, err = llmops("gate", "run", "small", *options)
    assert code == 1, err
    assert len(endpoint.asked) == 2 * CASES
    assert "block: against the baseline block, against the anchor block" in out
    assert "Against the anchor, the last release: block" in (workplace / "gate.md").read_text()
    assert "llmops.gate.anchor" in (workplace / "gate.xml").read_text()


@pytest.mark.usefixtures("no_running_loop")
def test_what_it_takes_at_most_is_said_before(llmops, endpoint, baseline):
    """Eight trials of each case."""
    code, out, _ = llmops("gate", "run", "small", "--baseline", baseline, "--dry-run", "--json")
    assert code == 0
    assert json.loads(out)["calls"] == 8 * CASES
    assert not endpoint.asked
    assert load_prompt("faq").name == "faq"
    assert load_suite("small").is_locked


@pytest.mark.usefixtures("no_running_loop", "workplace")
def test_a_calibration_makes_runs_that_share_no_answer(llmops, endpoint):
    """A baseline and three candidates of the same prompt; the same command again asks nothing."""
    options = ("--run", "small", "--times", "3", "--trials", "1", "--baseline-trials", "2", "--json")
    code, out, err = llmops("gate", "calibrate", *options)
    assert code == 0, err
    rows = {row["outcome"]: row for row in json.loads(out)["outcomes"]}
    assert (rows["block"]["design"], rows["block"]["comparison_count"]) == ("runs", 3)
    assert rows["invalid"]["outcome_count"] == 0
    assert len(endpoint.asked) == (2 + 3) * CASES
    again = llmops("gate", "calibrate", *options)
    assert again[1] == out
    assert len(endpoint.asked) == (2 + 3) * CASES
    assert "14 of them kept from before" in again[2]
    assert llmops("gate", "calibrate")[0] == 2


def test_the_gate_says_its_exit_codes_and_an_example(llmops):
    """A command that has commands of its own is still a command."""
    code, out, _ = llmops("gate", "--help")
    assert code == 0
    assert "Exit codes:" in out
    assert "Example: llmops gate --baseline" in out
