"""Real eval results with values replaced by junk, and lines that are no results at all."""

import copy
import json
import random
from base64 import b64decode

import pytest

from llmops_lib.errors import SourceError
from llmops_lib.schema import REASONS, SCORES, validate
from llmops_lib.sources.results.alpaca_eval import read_alpaca_eval
from llmops_lib.sources.results.deepeval import read_deepeval
from llmops_lib.sources.results.lm_eval import read_lm_eval
from llmops_lib.sources.results.load import read_results
from llmops_lib.sources.results.openai_evals import read_openai_evals
from llmops_lib.sources.results.promptfoo import read_promptfoo
from llmops_lib.sources.results.ragas import read_ragas
from llmops_lib.sources.results.score_table import read_score_table

JUNK = (
    None,
    "",
    0,
    -1,
    1e300,
    "x",
    [],
    {},
    [1],
    {"a": 1},
    True,
    "\ud800",
    2**70,
    "9" * 2_000,
    [[{}]],
    {"id": []},
)
FILES = (
    (read_promptfoo, "promptfoo/emitted_0.123.1.json"),
    (read_promptfoo, "promptfoo/emitted_0.123.1.jsonl"),
    (read_promptfoo, "promptfoo/claude_cookbooks_retrieval_results.v2.trimmed.json"),
    (read_deepeval, "deepeval/upstream_inspect_fixture_test_run_sample.json"),
    (read_openai_evals, "openai_evals/emitted_localrecorder_3.0.1.jsonl"),
    (read_lm_eval, "lm_eval/emitted_0.4.13_samples_mini_mc_2026-11-23T09-45-07.722758.jsonl"),
    (read_ragas, "ragas/evaluate_to_pandas_0.4.3.jsonl"),
    (read_alpaca_eval, "alpaca_eval/annotations_0.6.6.json"),
)
ROUNDS = 40


def _places(value, place=()):
    if place:
        yield place
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from _places(part, (*place, key))


def _with_junk(value, chance):
    changed = copy.deepcopy(value)
    place = chance.choice(list(_places(value)))
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = chance.choice(JUNK)
    return changed


def _assert_accounted(rows):
    validate(rows.scores, SCORES)
    assert rows.scores["source_line"].n_unique() + rows.quarantine.height == rows.rows_read
    assert set(rows.quarantine["reason"].str.split(":").list.first()) <= set(REASONS)


@pytest.mark.parametrize(("read", "name"), FILES, ids=[name for _, name in FILES])
def test_every_record_with_junk_in_it_gives_scores_or_is_quarantined(shared, tmp_path, read, name):
    """One odd value must cost at most its record, and never the load."""
    text = (shared / "fixtures" / name).read_text()
    is_lines = name.endswith("l")
    value = [json.loads(line) for line in text.splitlines()] if is_lines else json.loads(text)
    chance = random.Random(20261123)  # noqa: S311 - a repeatable choice of places, no secret
    path = tmp_path / "results"
    for _ in range(ROUNDS):
        changed = _with_junk(value, chance)
        path.write_text("\n".join(map(json.dumps, changed)) if is_lines else json.dumps(changed))
        _assert_accounted(read(path))


@pytest.mark.parametrize("read", [read_promptfoo, read_openai_evals, read_deepeval, read_score_table])
def test_every_hostile_line_gives_scores_or_is_quarantined(shared, tmp_path, read):
    """What breaks a parser stands in files of every format."""
    cases = map(json.loads, (shared / "corpora" / "trace_lines.jsonl").read_text().splitlines())
    lines = [b64decode(case["b64"]).replace(b"\n", b" ") for case in cases]
    path = tmp_path / "results"
    path.write_bytes(b"\n".join([b'{"a": 1}', b'{"a": 2}', *lines]))
    _assert_accounted(read(path))


def test_naughty_strings_are_kept_as_they_are(shared, tmp_path):
    """An answer may hold anything, and a table that mends or drops it would judge another answer."""
    texts = [
        json.loads(line)["text"]
        for line in (shared / "corpora" / "naughty_strings.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    rows = [{"example_id": str(number), "score": 1, "output": text} for number, text in enumerate(texts)]
    path = tmp_path / "scores.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    scores = read_results(path).scores
    assert [None if text is None else json.loads(text) for text in scores["output"]] == [
        text or None for text in texts
    ]


def test_a_torn_document_is_an_error_of_its_file(shared, tmp_path):
    """Half an evaluation must not pass for a whole one."""
    path = tmp_path / "results"
    path.write_bytes((shared / "fixtures" / "promptfoo/emitted_0.123.1.json").read_bytes()[:40_000])
    with pytest.raises(SourceError, match="valid JSON"):
        read_promptfoo(path)
