"""Eval runs and reruns whose every text is an attack."""

import json
from pathlib import Path

import polars as pl

from llmops_lib.reruns.files import write_rerun
from llmops_lib.reruns.plan import SKIPPED_SCHEMA
from llmops_lib.reruns.run import Rerun
from llmops_lib.schema import SCORES
from tests.reports.hostile import as_name, whole

FACTS = {"is_simulated": True, "is_locked": True, "must_pass": True, "kind": "facts"}


def score_rows(texts, run_id, passes, metadata):
    """SCORES of one run: a case per text, named and answered with it, passed where `passes` says so."""
    texts = whole(texts)
    rows = [
        dict.fromkeys(SCORES.names)
        | {
            "run_id": run_id,
            "suite": as_name(texts[0]),
            "suite_hash": "5af1",
            "example_id": f"{number} {text}",
            "trial": 1,
            "scorer": "facts",
            "score": float(passes(number)),
            "passed": passes(number),
            "label": text,
            "explanation": text,
            "model": text,
            **dict.fromkeys(("provider", "prompt_name", "prompt_version", "prompt_hash"), text),
            "latency_ms": 100.0,
            "error": None,
            "input": json.dumps(text),
            "output": json.dumps(f"{run_id} {text}"),
            "expected": json.dumps(text),
            "metadata": json.dumps(metadata(number, text)),
            "source_format": "llmops_eval",
            "source_file": run_id,
            "source_line": number + 1,
        }
        for number, text in enumerate(texts)
    ]
    return pl.DataFrame(rows, schema=SCORES.polars_schema)


def write_eval_runs(folder: Path, texts: list[str]) -> tuple[Path, Path]:
    """A baseline that passes every case, and a candidate that fails every other one."""
    paths = folder / "baseline.parquet", folder / "candidate.parquet"
    for path, passes in zip(paths, (lambda _: True, lambda number: number % 2 == 0), strict=True):
        score_rows(texts, path.stem, passes, lambda *_: FACTS).write_parquet(path)
    return paths


def write_hostile_rerun(folder: Path, texts: list[str]) -> Path:
    """A rerun in which the new version fails every other call."""
    texts = whole(texts)

    def metadata(number, text):
        return {"weight": 2.0, "unit": f"{number} {text}", "stratum": text, "feature": text} | FACTS

    sides = [
        score_rows(texts, name, passes, metadata)
        for name, passes in (("old", lambda _: True), ("new", lambda number: number % 2 == 0))
    ]
    skipped = [dict.fromkeys(SKIPPED_SCHEMA, text) | {"weight": 2.0} for text in texts]
    count = len(texts)
    counts = {
        "found_count": 4 * count,
        "drawn_count": 2 * count,
        "rerun_count": count,
        "skipped_count": count,
    }
    version = {"prompt_hash": texts[0], "version": texts[0], "model": texts[0]}
    facts = counts | {
        "run_id": "hostile",
        "prompt_name": texts[0],
        "old": version,
        "new": version,
        "same_request_count": 0,
        "failed_count": 0,
        "is_simulated": True,
    }
    return write_rerun(Rerun("hostile", *sides, pl.DataFrame(skipped, schema=SKIPPED_SCHEMA), facts), folder)
