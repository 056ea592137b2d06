"""Keys that were planted in the environment, a prompt and an exception appear in nothing that is written."""

import base64
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

KEYS = {place: f"sk-{place}-" + "aB3" * 12 for place in ("proj", "ant-api03", "svcacct", "admin", "or")}
IN_ENVIRONMENT, IN_PROMPT, IN_EXCEPTION, IN_ARGUMENTS, IN_ATTRIBUTE = KEYS.values()
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
        tool_calls=pl.lit(json.dumps([{"name": "pay", "arguments": json.dumps({"auth": IN_ARGUMENTS})}])),
        unheard_of=pl.lit(f"{IN_ATTRIBUTE} of nobody"),
    )
    names = ("trace_id", "span_id", "started_at", "user_id", "feature", "model", "prompt_name", "prompt_hash")
    texts = ("system_instructions", "input", "is_error", "error_message", "operation", "tool_calls")
    export = folder.parent / "calls.jsonl"
    calls.select(*names, *texts, "unheard_of").write_ndjson(export)
    broken = json.dumps({"started_at": "no time", "input": f"{'x' * 1_990} {IN_PROMPT}"})
    export.write_text(f"{export.read_text()}{broken}\n")
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


def spellings(key):
    """A key as it is, and what of it shows in base64 wherever it begins there."""
    yield key
    for before in range(3):
        yield base64.b64encode(b"." * before + key.encode()).decode()[4:-4]


def check_raw_report(place, manifest):
    """A raw report says that it is one: on its page, in its manifest and in the audit log."""
    html = next((place / "reports").rglob("report.html")).read_text()
    assert "Raw text." in html
    assert "ann@example.com" in html
    assert manifest["is_raw"] is True
    ingested, unmasked, reported, *_ = latest_entries(place / "audit", limit=99)
    actions = [entry.action for entry in (ingested, unmasked, reported)]
    assert actions == ["ingested", "unmasked", "report_written"]
    assert manifest["run"]["audit_head"] == f"{reported.seq}:{reported.hash}"


def test_planted_keys_appear_in_no_artefact_of_a_full_run(run, place, write_notebook):
    """Reports, spans, scores, answers, logs, terminals: whoever gets one of them must not get a key."""
    told = [
        run("ingest", "calls.jsonl", "--store", "traces", "--json"),
        run("eval", "sample", "traces", "--out", "sampled"),
        run("alerts", "check", "traces", "--dry-run"),
        run("report", "weekly", "calls.jsonl", "--raw", "--json"),
        run("search", "calls.jsonl", "--raw", "--json", "--csv", "found.csv"),
        run("search", "calls.jsonl", "--failed", "--tree"),
        run("rerun", "--prompt", "faq", "--from", "calls.jsonl", "--json"),
        run("policy", "check", "calls.jsonl"),
        run("audit", "record-agents", "calls.jsonl"),
        run("report", "weekly", "calls.jsonl", "--week", IN_PROMPT),
    ]
    assert [code for code, *_ in (told[0], *told[3:7])] == [0] * 5, told
    assert json.loads(told[0][1])["secret_count"] == 4 * 3 + 2
    check_raw_report(place, json.loads(told[3][1]))
    failing = write_notebook(FACTS, f"raise ValueError('401 for {IN_EXCEPTION}')")
    with pytest.raises(LlmopsError) as caught:
        run_notebook(failing, {}, name="failing", output=place / "reports")
    everything = [("terminal", str(told)), ("exception", str(caught.value) + str(caught.value.__notes__))]
    everything += written(place, but=("calls.jsonl", "01_fixture.ipynb"))
    forms = [form for key in KEYS.values() for form in spellings(key)]
    for where, text in everything:
        assert not [form for form in forms if form in text], where
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


def test_a_raw_ingest_keeps_keys_and_says_so(run, place):
    """Whoever needs texts as they came asks for them, and an auditor finds out who did."""
    assert run("ingest", "calls.jsonl", "--store", "traces", "--raw")[0] == 0
    assert any(IN_PROMPT in text for _, text in written(place / "traces"))
    unmasked, ingested = latest_entries(place / "audit", limit=9)
    assert (unmasked.action, unmasked.details) == ("unmasked", {"what": "ingest", "store": "traces"})
    assert (ingested.action, ingested.details["is_raw"], ingested.details["secret_count"]) == (
        "ingested",
        True,
        0,
    )
    [account] = (place / "traces" / "files").iterdir()
    assert json.loads(account.read_text())["is_raw"] is True


@pytest.mark.usefixtures("place")
def test_an_export_that_was_taken_is_not_taken_again_for_its_keys(run):
    """The identity of a file is that of its bytes, whatever is written of them."""
    for added in (4, 0):
        report = json.loads(run("ingest", "calls.jsonl", "--store", "traces", "--json")[1])
        assert (report["span_count_added"], report["skipped_files"]) == (added, 0 if added else 1)
