"""AlpacaEval annotations: which of two answers a judge prefers.

- `output_1` is the reference's answer and `output_2` that of the model under test, whatever their order
  was in the judge's prompt. `preference` is 1 or 2, in weighted annotators anything between; 0 and 1.5
  are draws; null means that the judge's answer could not be read. The score is that of `output_2`.
- Price, time and date are the judge's, not those of the call under test, so they stay in `metadata`.
  Since 0.6 their names begin with `preference_`.
- One file may hold several models and judges: each pair of models is a run, each judge a scorer.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.example_ids import content_example_id
from llmops_lib.sources.results.nan_json import iter_nan_records
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows, content_run_id
from llmops_lib.sources.sample import Sample

FORMAT = "alpaca_eval"
LOOKED_FOR = "AlpacaEval: annotations with output_1, output_2, generator_2 and preference"

_KEYS = ("output_1", "output_2", "generator_2", "preference")
_DRAWS = (0, 1.5)
_PREFIX = "preference_"
_JUDGE = {"price_per_example": "judge_cost_usd", "time_per_example": "judge_seconds", "date": "judged_at"}
_MAPPED = (*_KEYS, "instruction", "annotator", "raw_completion")


def matches(sample: Sample) -> bool:
    """Whether a file holds AlpacaEval annotations."""
    return set(_KEYS) <= set(sample.columns)


def read_alpaca_eval(path: Path) -> ScoreRows:
    """One score per annotation: 1 where the model under test is preferred, 0 where the reference is.

    Args:
        path: Annotations as JSON, JSON Lines or CSV.

    Returns:
        Scores; `passed` is null for a draw. What cannot be read is in the quarantine.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    collector = ScoreCollector(FORMAT, str(path))
    run_id = content_run_id(path)
    for record in iter_nan_records(path, collector.refusals):
        try:
            row = _score(record.value, run_id)
        except Refused as refused:
            collector.refuse(str(refused), line=record.line, raw=record.raw)
            continue
        collector.accept(row, line=record.line, raw=record.raw)
    return collector.finish()


def _score(annotation: Any, run_id: str) -> dict[str, Any]:
    if not isinstance(annotation, dict):
        raise Refused(reason="not_object")
    if not {"output_2", "generator_2"} <= set(annotation):
        raise Refused(reason="schema", detail="no output_2 or no generator_2")
    named = {name.removeprefix(_PREFIX): value for name, value in annotation.items()}
    models = f"{annotation['generator_2']} vs {annotation.get('generator_1')}"
    return {
        "run_id": f"{run_id} {models}",
        "suite": FORMAT,
        "example_id": content_example_id(annotation.get("instruction")),
        "scorer": annotation.get("annotator") or "preference",
        **_verdict(annotation.get("preference")),
        "explanation": named.get("raw_completion"),
        "model": annotation["generator_2"],
        "input": annotation.get("instruction"),
        "output": annotation["output_2"],
        "metadata": _rest(named),
    }


def _verdict(preference: Any) -> dict[str, Any]:
    if preference is None or preference == "":
        return {"error": "the judge's answer states no preference"}
    value = _number(preference)
    if math.isnan(value):
        return {"error": "the judge's answer states no preference"}
    score = 0.5 if value in _DRAWS else value - 1
    if not 0 <= score <= 1:
        raise Refused(reason="range", detail=f"preference is {value}; expected 1 to 2, or 0 for a draw")
    if score == 0.5:
        return {"score": score, "label": "draw"}
    return {"score": score, "passed": score > 0.5, "label": "output_2" if score > 0.5 else "output_1"}


def _number(preference: Any) -> float:
    if isinstance(preference, bool) or not isinstance(preference, int | float | str):
        raise Refused(reason="type", detail=f"preference is {type(preference).__name__}, not a number")
    try:
        return float(preference)
    except (ValueError, OverflowError):
        raise Refused(reason="type", detail=f"preference is {str(preference)[:40]!r}, not a number") from None


def _rest(named: Mapping[str, Any]) -> dict[str, Any]:
    rest = {_JUDGE.get(name, name): value for name, value in named.items() if name not in _MAPPED}
    rest["output_1"] = named.get("output_1")
    return {name: value for name, value in rest.items() if value is not None}
