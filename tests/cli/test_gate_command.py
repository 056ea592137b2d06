"""`llmops eval run` and `llmops gate` end to end, with the bundled answerer over a real connection."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from llmops_lib import load_prompt, load_suite
from llmops_lib.chat import BASELINE_MODEL

LLMOPS = Path(sys.executable).with_name("llmops")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, answerer):
    """A folder with the bundled prompt and suite, the answerer running, and runs of several prompts."""
    folder = tmp_path_factory.mktemp("workplace")
    text = load_prompt("support_answer").path.read_text(encoding="utf-8")
    prompts = folder / "prompts"
    prompts.mkdir()
    changed = {
        "support_answer": text,
        "reworded": text.replace("You know only the passages", "All that you know are the passages"),
        "without_context": text.replace("{{ passage | tojson }}", "(a passage)"),
        "without_json": text.replace("Reply with one JSON object and nothing else:", "Reply like this:"),
    }
    assert len(set(changed.values())) == 4
    for name, content in changed.items():
        (prompts / f"{name}.md").write_text(content, encoding="utf-8")
    suite = load_suite("support_quality").path
    own = folder / "evals" / suite.name
    own.mkdir(parents=True)
    for file in ("suite.yaml", "cases.jsonl", "suite.lock"):
        (own / file).write_bytes((suite / file).read_bytes())
    folder.joinpath("url").write_text(answerer.url)
    return folder


def llmops(workplace, *command):
    """The command as a user runs it."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(workplace),
        "OPENAI_BASE_URL": (workplace / "url").read_text(),
        "LLMOPS_ALLOW_LOCAL": "1",
    }
    return subprocess.run(
        [LLMOPS, *command], cwd=workplace, env=environment, capture_output=True, text=True, check=False
    )


def scores(workplace, prompt):
    """The scores of a run of a prompt."""
    command = ("eval", "run", "support_quality", "--prompt", prompt, "--model", BASELINE_MODEL, "--json")
    done = llmops(workplace, *command)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["scores"]


@pytest.fixture(scope="module")
def baseline(workplace):
    """The scores of the prompt as it is."""
    return scores(workplace, "support_answer")


def gated(workplace, baseline, candidate, *options):
    """What the gate says."""
    done = llmops(workplace, "gate", "--baseline", baseline, "--candidate", candidate, "--json", *options)
    return done.returncode, json.loads(done.stdout)


def test_a_harmless_rewording_passes(workplace, baseline):
    """No answer changed, and the gate says so."""
    code, said = gated(workplace, baseline, scores(workplace, "reworded"))
    assert (code, said["verdict"]) == (0, "pass")


def test_a_prompt_without_its_context_is_blocked_and_told_to_people_and_machines(workplace, baseline):
    """Answers became `not in the context`: facts dropped, beyond chance."""
    reports = ("--markdown", "gate.md", "--junit", "gate.xml")
    code, said = gated(workplace, baseline, scores(workplace, "without_context"), *reports)
    assert (code, said["verdict"]) == (1, "block")
    decisions = {row["metric"]: row["decision"] for row in said["metrics"]}
    assert decisions["facts"] == decisions["status"] == "block"
    assert decisions["reply_schema"] == "pass"
    assert "blocked" in (workplace / "gate.md").read_text()
    suite = ET.fromstring((workplace / "gate.xml").read_text())  # noqa: S314 - our own file
    assert int(suite.get("failures")) >= 2


def test_a_prompt_that_forgets_its_format_is_blocked_by_the_schema(workplace, baseline):
    """Schema validity needs no statistics: the grader must pass."""
    code, said = gated(workplace, baseline, scores(workplace, "without_json"))
    assert code == 1
    assert any("must pass reply_schema" in reason for reason in said["reasons"])


def test_an_edited_case_is_refused(workplace, baseline):
    """The lock names it, and the gate compares no run of it."""
    cases = workplace / "evals" / "support_quality" / "cases.jsonl"
    before = cases.read_text(encoding="utf-8")
    try:
        cases.write_text(before.replace('"30 days"', '"60 days"', 1), encoding="utf-8")
        verified = llmops(workplace, "eval", "verify", "support_quality")
        assert verified.returncode == 1
        assert "returns-unopened" in verified.stdout
        command = ("eval", "run", "support_quality", "--model", BASELINE_MODEL)
        edited = llmops(workplace, *command)
        assert "not as it was locked" in edited.stdout
        path = edited.stdout.splitlines()[1].partition(": ")[0]
        code, said = gated(workplace, baseline, path)
    finally:
        cases.write_text(before, encoding="utf-8")
    assert (code, said["verdict"]) == (3, "invalid")


def test_bad_input_is_one_clear_error(workplace, baseline):
    """A file that is not there, a margin that is none."""
    missing = llmops(workplace, "gate", "--baseline", baseline, "--candidate", "nothing.parquet")
    assert (missing.returncode, missing.stdout) == (2, "")
    wrong = llmops(
        workplace, "gate", "--baseline", baseline, "--candidate", baseline, "--metric-margin", "facts"
    )
    assert wrong.returncode == 2
    assert "facts=0.02" in wrong.stderr


def test_text_of_graders_and_cases_is_no_markup(workplace, baseline):
    """Names come from files that a pull request may change."""
    hostile = "`|<script>alert(1)</script>\n# big"
    rows = pl.read_parquet(workplace / baseline)
    for name, value in (("before", 1.0), ("after", 0.0)):
        rows.with_columns(scorer=pl.lit(hostile), score=pl.lit(value), run_id=pl.lit(name)).unique(
            ["example_id", "trial"]
        ).write_parquet(workplace / f"{name}.parquet")
    code, _ = gated(workplace, "before.parquet", "after.parquet", "--markdown", "x.md", "--junit", "x.xml")
    assert code == 1
    told = (workplace / "x.md").read_text()
    assert "\n# big" not in told
    assert not [line for line in told.splitlines() if "<script>" in line.replace(_codes(line), "")]
    ET.fromstring((workplace / "x.xml").read_text())  # noqa: S314 - our own file


def _codes(line):
    """The code span of a line that holds the script."""
    spans = line.split("`")[1::2]
    return next((f"`{span}`" for span in spans if "<script>" in span), "")
