"""Keys that were planted in the environment, a prompt and an exception appear in nothing that is written."""

import json

import polars as pl
import pytest

from llmops_lib import load_prompt
from llmops_lib.errors import LlmopsError
from llmops_lib.reports import run_notebook
from llmops_lib.safety.audit.reading import latest_entries
from tests.registry.conftest import commit, prompts, write
from tests.reports.conftest import FACTS, write_notebook
from tests.reruns.conftest import LATER, PROMPT, recorded

__all__ = ["commit", "prompts", "recorded", "write", "write_notebook"]

KEYS = {place: f"sk-{place}-" + "aB3" * 12 for place in ("proj", "ant-api03", "svcacct")}
IN_ENVIRONMENT, IN_PROMPT, IN_EXCEPTION = KEYS.values()
QUESTIONS = [
    {"question": f"I am ann@example.com. Is there coffee at {hour}? My key: {IN_PROMPT}"} for hour in range(4)
]


@pytest.fixture
def place(write, commit, recorded, answerer, monkeypatch):
    """A checkout and an export of calls whose prompts and errors hold keys; the environment holds one too."""
    folder = write(PROMPT)
    commit("first")
    write(LATER)
    calls = recorded(load_prompt("faq@HEAD", folder=folder), QUESTIONS).with_columns(
        user_id=pl.lit("ann@example.com"),
        is_error=pl.Series([True, False, False, False]),
        error_message=pl.Series([f"401: Incorrect API key provided: {IN_EXCEPTION}", None, None, None]),
    )
    names = ("trace_id", "span_id", "started_at", "user_id", "feature", "model", "prompt_name", "prompt_hash")
    texts = ("system_instructions", "input", "is_error", "error_message", "operation")
    calls.select(*names, *texts).write_ndjson(folder.parent / "calls.jsonl")
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("OPENAI_BASE_URL", answerer.url)
    monkeypatch.setenv("LLMOPS_ALLOW_LOCAL", "1")
    monkeypatch.setenv("OPENAI_API_KEY", IN_ENVIRONMENT)
    monkeypatch.setenv("LLMOPS_AUDIT", str(folder.parent / "audit"))
    return folder.parent


def written(folder, *, but=()):
    """Name and text of every file, the strings of Parquet files included."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.name in but or ".git" in path.parts:
            continue
        if path.suffix == ".parquet":
            yield path, json.dumps(pl.read_parquet(path).to_dicts(), default=str)
        else:
            yield path, path.read_bytes().decode("utf-8", "replace")


def check_raw_report(place, manifest):
    """A raw report says that it is one: on its page, in its manifest and in the audit log."""
    html = next((place / "reports").rglob("report.html")).read_text()
    assert "Raw text." in html
    assert "ann@example.com" in html
    assert manifest["is_raw"] is True
    unmasked, reported, *_ = latest_entries(place / "audit", limit=99)
    assert (unmasked.action, reported.action) == ("unmasked", "report_written")
    assert manifest["run"]["audit_head"] == f"{reported.seq}:{reported.hash}"


def test_planted_keys_appear_in_no_artefact_of_a_full_run(run, place, write_notebook):
    """Reports, spans, scores, answers, logs, terminals: whoever gets one of them must not get a key."""
    told = [
        run("report", "weekly", "calls.jsonl", "--raw", "--json"),
        run("search", "calls.jsonl", "--raw", "--json", "--csv", "found.csv"),
        run("search", "calls.jsonl", "--failed", "--tree"),
        run("rerun", "--prompt", "faq", "--from", "calls.jsonl", "--json"),
        run("policy", "check", "calls.jsonl"),
        run("audit", "record-agents", "calls.jsonl"),
        run("report", "weekly", "calls.jsonl", "--week", IN_PROMPT),
    ]
    assert [code for code, *_ in told[:4]] == [0] * 4, told
    check_raw_report(place, json.loads(told[0][1]))
    failing = write_notebook(FACTS, f"raise ValueError('401 for {IN_EXCEPTION}')")
    with pytest.raises(LlmopsError) as caught:
        run_notebook(failing, {}, name="failing", output=place / "reports")
    everything = [("terminal", str(told)), ("exception", str(caught.value) + str(caught.value.__notes__))]
    everything += written(place, but=("calls.jsonl", "01_fixture.ipynb"))
    for where, text in everything:
        assert not [key for key in KEYS.values() if key in text], where
    # The run was one that wrote the texts: what is no key is there.
    assert any("ann@example.com" in text for _, text in everything)
    assert len(list((place / "reports").rglob("*.html"))) == 2


def test_raw_text_is_shown_only_where_it_was_asked_for_and_that_is_recorded(run, place):
    """Who saw personal data, and when, is what an auditor asks."""
    assert "ann@example.com" not in run("search", "calls.jsonl", "--json")[1]
    assert not (place / "audit").exists()
    assert "ann@example.com" in run("search", "calls.jsonl", "--raw", "--json")[1]
    [entry] = latest_entries(place / "audit", limit=9)
    assert (entry.action, entry.details["what"], entry.details["trace_count"]) == ("unmasked", "search", 4)
