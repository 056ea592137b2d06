"""Judged samples whose truth is known, for tests of quality, alarms and the report."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from llmops_lib.schema import SCORES, conform

START = datetime(2026, 9, 7, tzinfo=UTC)


def scored(judgements, *, chance=0.5, draw=0.001, users=None, feature="faq", per_day=100, **changes):
    """SCORES of a judge over calls in order of time."""
    rows = []
    for number, score in enumerate(judgements):
        facts = {
            "chance": chance if np.isscalar(chance) else float(chance[number]),
            "draw": draw if np.isscalar(draw) else float(draw[number]),
            "user_id": f"u{number if users is None else users[number]}",
            "feature": feature if isinstance(feature, str) else feature[number],
            "stratum": "none / all others",
            "risk_flag": "none",
            "judge_model": "judge-1",
            "judge_prompt_hash": "ab12",
        }
        rows.append(
            {
                "run_id": "run",
                "example_id": f"t{number:05d}/s",
                "trial": 1,
                "scorer": "judge_answer",
                "score": None if score is None else float(score),
                "started_at": START + timedelta(days=number / per_day),
                "trace_id": f"t{number:05d}",
                "metadata": json.dumps(facts | changes),
                "source_format": "llmops_eval",
                "source_file": "run",
            }
        )
    return conform(pl.DataFrame(rows, infer_schema_length=None), SCORES)


def labels_of(places, truth):
    """Labels of the calls at places."""
    ids = [f"t{place:05d}/s" for place in places]
    return pl.DataFrame({"example_id": ids, "score": [float(truth[place]) for place in places]})


def made(n, generator, *, good=0.8, sensitivity=0.95, specificity=0.6):
    """Truth and judgement of calls."""
    truth = (generator.random(n) < good).astype(float)
    passing = np.where(truth == 1, sensitivity, 1 - specificity)
    return truth, (generator.random(n) < passing).astype(float)
