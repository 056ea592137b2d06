"""What stands beside an export, full of payloads: logs, rules, scores, labels, runs; by report."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from llmops_lib import AuditLog, sample_calls, sampling_plan, write_sample
from llmops_lib.alerts.episodes import Episode
from llmops_lib.alerts.memory import remember
from llmops_lib.safety.audit.reading import latest_entries
from llmops_lib.safety.policy import PACKAGED
from tests.measures.judged import labels_of, made, scored
from tests.measures.test_sampling import call, spans
from tests.reports.hostile import as_name, whole, write_hostile
from tests.reports.hostile_runs import score_rows, write_eval_runs, write_hostile_rerun

MOST = {
    "weekly": {"week": "2026-W45", "top": 100, "by": "tenant,model,user_id"},
    "spenders": {"month": "2026-11", "top": 100},
    "routing-what-if": {"month": "2026-11"},
    "caching-what-if": {"month": "2026-11"},
}
"""What makes a report show as many names and texts as it can."""

ONSET = datetime(2026, 11, 2, 1, tzinfo=UTC)
"""When calls fail in the second month of a hostile export."""


def given(name: str, folder: Path, texts: list[str]) -> dict[str, Any]:
    """Parameters of a report that name files full of payloads."""
    make = {
        "postmortem": _of_postmortem,
        "safety-review": _of_safety,
        "budget-what-if": _of_budgets,
        "eval-review": _of_eval_runs,
        "rerun-review": _of_rerun,
        "continuous-evals": _of_judged,
        "prompt-ab": _of_arms,
    }
    own = make[name](folder, texts) if name in make else {}
    if name in ("eval-review", "rerun-review", "continuous-evals"):
        return own
    return own | {"source": str(write_hostile(folder / "hostile.jsonl", texts))}


def _of_postmortem(folder: Path, texts: list[str]) -> dict[str, Any]:
    at = [ONSET + timedelta(minutes=number) for number in range(len(texts))]
    events = [{"happened_at": f"{when:%FT%TZ}", "event": text} for when, text in zip(at, texts, strict=True)]
    (folder / "events.jsonl").write_text(_lines(events), "utf-8")
    episodes = [
        Episode(id=str(number), rule=text, severity=text, group_hash="h", label=text, started_at=at[number],
                last_at=at[number], quiet_seconds=60.0, said=text, pending=(text,), delivered=(text,))
        for number, text in enumerate(as_name(text) for text in texts)
    ]  # fmt: skip
    remember(folder / ".told.llmops-alerts.json", episodes)
    scores = score_rows(texts, texts[0], lambda number: number % 2 == 0, lambda *_: {}).with_columns(
        started_at=pl.Series(at), trace_id=pl.col("label")
    )
    scores.write_parquet(folder / "scores.parquet")
    files = {"alerts": ".told.llmops-alerts.json", "events": "events.jsonl", "scores": "scores.parquet"}
    return _paths(folder, files) | {"audit": str(_audit(folder, texts))} | {"around": "2026-11-02T01:00Z"}


def _audit(folder: Path, texts: list[str]) -> Path:
    """A log whose entries were made at the time of the incident, as nobody can make them afterwards."""
    log = AuditLog(folder / "audit")
    log.append_all([(text, {"decision": text, "tool": text}, text) for text in map(as_name, texts)])
    entries = latest_entries(folder / "audit", limit=9_999)
    [file] = (folder / "audit").glob("*.jsonl")
    lines = [replace(entry, at=ONSET.isoformat()).line() for entry in entries]
    file.write_bytes(b"".join(lines))
    return folder / "audit"


def _of_safety(folder: Path, texts: list[str]) -> dict[str, Any]:
    policy = yaml.safe_load(PACKAGED.read_text("utf-8"))
    rule = policy["endpoints"][-1]
    policy["endpoints"] += [
        rule
        | {
            "name": f"{number} {as_name(text)}"[:60],
            "providers": [as_name(text)],
            "hosts": [],
            "region": text,
        }
        for number, text in enumerate(texts)
    ]
    (folder / "policy.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(policy))), "utf-8")
    risks = {
        "tools": {as_name(text): "high" for text in texts},
        "words": {"high": [["delete"]], "low": [["get"]]},
    }
    (folder / "risks.yaml").write_text(yaml.safe_dump(risks), "utf-8")

    def attack(_number, text):
        return {"kind": "resisted", "tags": [text]}

    for run, passes in (("before", lambda _: True), ("now", lambda number: number % 2 == 0)):
        score_rows(texts, run, passes, attack).write_parquet(folder / f"{run}.parquet")
    files = {"policy": "policy.yaml", "risks": "risks.yaml"}
    files |= {"redteam": "now.parquet", "redteam_before": "before.parquet"}
    return _paths(folder, files) | {"audit": str(_audit(folder, texts)), "month": "2026-11", "top": 100}


def _of_budgets(folder: Path, texts: list[str]) -> dict[str, Any]:
    names = [text for text in map(as_name, texts) if text]
    budgets = [
        {"name": f"{number} {text}"[:60], "limit_usd": 0.001, "window": "month", "owner": text, "note": text}
        | {"where": {"feature": text}}
        for number, text in enumerate(names)
    ]
    (folder / "budgets.yaml").write_text(yaml.safe_dump({"budgets": budgets}), "utf-8")
    return {"budgets": str(folder / "budgets.yaml"), "month": "2026-11"}


def _of_eval_runs(folder: Path, texts: list[str]) -> dict[str, Any]:
    baseline, run = write_eval_runs(folder, texts)
    return {"run": str(run), "baseline": str(baseline), "top": 100}


def _of_rerun(folder: Path, texts: list[str]) -> dict[str, Any]:
    return {"run": str(write_hostile_rerun(folder / "runs", texts)), "top": 100}


def _of_judged(folder: Path, texts: list[str]) -> dict[str, Any]:
    texts = whole(texts)
    names = [as_name(text) for text in texts]
    generator = np.random.default_rng(7)
    truth, judged = made(40 * len(names), generator)
    of = [names[number % len(names)] for number in range(judged.size)]
    scores = scored(judged, feature=of, users=of, stratum=names[0], judge_model=names[0])
    told = pl.Series(of)
    texts_of = ("label", "explanation", "model", "prompt_name", "prompt_version", "suite", "input", "output")
    scores.with_columns(told.alias(name) for name in texts_of).write_parquet(folder / "scores.parquet")
    labels_of(generator.choice(judged.size, 400, replace=False), truth).write_csv(folder / "labels.csv")
    rows = [call(number, input=text, feature=of[number]) for number, text in enumerate(texts)]
    traffic = spans(*rows).with_columns(pl.col("input").cast(pl.String))
    plan = sampling_plan(traffic, rate=1.0)
    write_sample(sample_calls(traffic, plan).collect(), plan, folder / "sample")
    return _paths(folder, {"scores": "scores.parquet", "labels": "labels.csv", "sample": "sample"})


def _of_arms(_folder: Path, texts: list[str]) -> dict[str, Any]:
    """Two payloads as the prompts that are compared: hashes, since a name would end at an `@`.

    What is no line of text, or an address, is refused as a parameter.
    """
    fit = [text for text in texts if text.isprintable() and text.strip() and len(text) < 200]
    first, second = [text for text in fit if "@" not in text and "://" not in text][:2]
    return {"a": first, "b": second, "by": "tenant"}


def _paths(folder: Path, files: dict[str, str]) -> dict[str, str]:
    return {name: str(folder / file) for name, file in files.items()}


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
