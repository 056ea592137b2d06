"""RAGAS: the dataframe of an evaluation, or the summary of annotated metrics.

- Columns that are no part of an example are metrics, as long as no cell of theirs is anything but a
  number: their names are free, such as `rouge_score(mode=fmeasure)`. The file is read twice to know.
- Metrics of two values, such as pass and fail, are columns of these words.
- NaN, null or an empty cell means that the metric failed: a score of null with an error, never zero.
- CSV turns lists into Python's own notation, and arrays into that of NumPy, which knows no commas.
- Releases before 0.2 call the columns question, contexts, answer and ground_truth, experiments query.
- Many keep the questions and metrics alone: then a metric of RAGAS's own tells the format.
- A row has no id: an example is known by its question and reference, so that two runs agree on it.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops_lib.sources.records import Record
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.example_ids import content_example_id
from llmops_lib.sources.results.list_notation import list_of
from llmops_lib.sources.results.nan_json import iter_nan_records
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows, content_run_id
from llmops_lib.sources.sample import Sample, take_sample

FORMAT = "ragas"
LOOKED_FOR = (
    "RAGAS: a table with user_input and response or reference (or question, answer, contexts) and metrics, "
    "or with a question and one of its metrics, such as faithfulness"
)

_QUESTIONS = ("user_input", "question", "query")
_ANSWERS = ("response", "answer")
_REFERENCES = ("reference", "ground_truth", "ground_truths")
_CONTEXTS = (
    "retrieved_contexts",
    "contexts",
    "reference_contexts",
    "retrieved_context_ids",
    "reference_context_ids",
)
_CONVERSATION = ("reference", "reference_topics", "reference_tool_calls", "rubrics")
_TAKEN = (*_QUESTIONS, *_ANSWERS, *_REFERENCES)
_EXAMPLE = frozenset(
    {
        *(*_QUESTIONS, *_ANSWERS, *_REFERENCES, *_CONTEXTS),
        *("multi_responses", "rubric", "rubrics", "reference_topics", "reference_tool_calls"),
        *("persona_name", "query_style", "query_length", "synthesizer_name", "evolution_type"),
        *("metadata", "episode_done", "id", "example_id", "sample_id"),
        *("", "index", "Unnamed: 0", "__index_level_0__"),
    }
)
_METRICS = frozenset(
    {
        *("faithfulness", "faithfulness_with_hhem", "answer_relevancy", "response_relevancy"),
        *("answer_correctness", "answer_similarity", "semantic_similarity", "factual_correctness"),
        *("context_precision", "context_recall", "context_relevancy", "context_relevance"),
        *("context_utilization", "context_entity_recall", "non_llm_context_recall"),
        *("llm_context_precision_with_reference", "llm_context_precision_without_reference"),
        *("response_groundedness", "nv_accuracy", "nv_context_relevance", "nv_response_groundedness"),
        *("harmfulness", "maliciousness", "coherence", "correctness", "conciseness"),
    }
)
_WORDS = {"pass": True, "fail": False, "true": True, "false": False}
_LISTS = (*_CONTEXTS, "user_input")
_FAILED = {"error": "the metric gave no value"}


def matches(sample: Sample) -> bool:
    """Whether a file holds a RAGAS dataframe with metrics, or a summary of annotations."""
    if _is_summary(sample.first):
        return True
    columns = set(sample.columns)
    is_pair = {"user_input", "response"} <= columns or {"question", "answer"} <= columns
    # Of a conversation the answers stand among the messages of `user_input`.
    is_pair |= "user_input" in columns and not columns.isdisjoint(_CONVERSATION)
    has_context = not columns.isdisjoint((*_CONTEXTS, "user_input"))
    # A metric may bear its settings, as `factual_correctness(mode=f1)`.
    is_measured = not _METRICS.isdisjoint(name.partition("(")[0] for name in columns)
    is_known = is_measured and not columns.isdisjoint(_QUESTIONS)
    return is_known or (is_pair and has_context and bool(columns - _EXAMPLE))


def read_ragas(path: Path) -> ScoreRows:
    """One score per example and metric.

    Args:
        path: The dataframe as CSV, JSON Lines, JSON records or Parquet, or a summary of annotations.

    Returns:
        Scores; rows that cannot be read are in the quarantine.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    collector = ScoreCollector(FORMAT, str(path))
    sample = take_sample(path)
    run_id = content_run_id(path)
    metrics = () if _is_summary(sample.first) else _metrics(path, sample)
    for record in iter_nan_records(path, collector.refusals):
        for one in _annotations(record) if _is_summary(record.value) else (record,):
            _take(one, collector, run_id, metrics)
    return collector.finish()


def _is_summary(value: Any) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    first = next(iter(value.values()))
    entry = first[0] if isinstance(first, list) and first else None
    return isinstance(entry, dict) and {"metric_input", "metric_output"} <= set(entry)


def _metrics(path: Path, sample: Sample) -> tuple[str, ...]:
    """The columns that hold numbers or verdicts in most of the examples where they hold anything."""
    counted: dict[str, list[int]] = {
        name: [0, 0] for name in (sample.columns if sample.kind in ("csv", "parquet") else ())
    }
    for record in iter_nan_records(path, ScoreCollector(FORMAT, str(path)).refusals):
        if isinstance(record.value, dict) and not record.value.keys().isdisjoint(_TAKEN):
            for name, value in record.value.items():
                counted.setdefault(name, [0, 0])[_is_verdict(value)] += value is not None
    return tuple(
        name
        for name, (texts, verdicts) in counted.items()
        if name not in _EXAMPLE and (verdicts > texts or not texts)
    )


def _is_verdict(value: Any) -> bool:
    return _is_number(value) or _word(value) in _WORDS


def _word(value: Any) -> str | None:
    return value.strip().lower() if isinstance(value, str) else None


def _is_number(value: Any) -> bool:
    try:
        float(0 if value is None else value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _take(record: Record, collector: ScoreCollector, run_id: str, metrics: tuple[str, ...]) -> None:
    try:
        scores = list(_scores(record.value, metrics))
    except Refused as refused:
        collector.refuse(str(refused), line=record.line, raw=record.raw)
        return
    rows = [{"run_id": run_id, "suite": FORMAT, **score} for score in scores]
    collector.accept(rows, line=record.line, raw=record.raw)


def _scores(value: Any, metrics: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if not isinstance(value, dict):
        raise Refused(reason="not_object")
    if "metric_output" in value:
        yield _annotated(value)
        return
    cells = {name: list_of(cell) if name in _LISTS else cell for name, cell in value.items()}
    example, taken = _example(cells)
    kept = {name: cell for name, cell in cells.items() if name not in (*metrics, *taken)}
    for name in metrics:
        yield {**example, "scorer": name, **_verdict(cells.get(name)), "metadata": kept}


def _example(cells: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What was asked, answered and expected, and the names of the cells that say so."""
    asked, answered, expected = (_first(cells, names) for names in (_QUESTIONS, _ANSWERS, _REFERENCES))
    taken = [name for name in (asked, answered, expected) if name is not None]
    if not taken:
        raise Refused(reason="missing_field", detail="user_input")
    question, answer, reference = (cells[name] if name else None for name in (asked, answered, expected))
    example = {
        "example_id": content_example_id(question, reference),
        "input": question,
        "output": answer,
        "expected": reference,
    }
    return example, taken


def _first(cells: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if cells.get(name) is not None), None)


def _verdict(value: Any) -> dict[str, Any]:
    if (word := _word(value)) in _WORDS:
        passed = _WORDS[str(word)]
        return {"score": float(passed), "passed": passed, "label": value}
    if not _is_number(value):
        raise Refused(reason="type", detail=f"a metric is {str(value)[:40]!r}, not a number")
    if value is None or (not isinstance(value, bool) and math.isnan(float(value))):
        return _FAILED
    return {"score": value}


def _annotations(record: Record) -> Iterator[Record]:
    for metric, entries in record.value.items():
        for position, entry in enumerate(entries if isinstance(entries, list) else [entries], start=1):
            value = {"metric": metric, **entry} if isinstance(entry, dict) else entry
            part = record.part(value)
            yield Record(part.value, position, part.raw)


def _annotated(entry: Mapping[str, Any]) -> dict[str, Any]:
    cells = entry.get("metric_input")
    output = entry.get("metric_output")
    if not isinstance(cells, dict):
        raise Refused(reason="schema", detail="metric_input is no object")
    if not _is_number(output):
        raise Refused(reason="type", detail=f"metric_output is {type(output).__name__}, not a number")
    example, taken = _example(cells)
    kept = {name: cell for name, cell in cells.items() if name not in taken}
    kept |= {name: entry[name] for name in ("is_accepted", "prompts", "target") if name in entry}
    return {
        **example,
        "scorer": entry.get("metric"),
        **_verdict(output),
        "explanation": _reason(entry.get("prompts")),
        "metadata": kept,
    }


def _reason(prompts: Any) -> Any:
    if not isinstance(prompts, dict):
        return None
    outputs = [prompt.get("prompt_output") for prompt in prompts.values() if isinstance(prompt, dict)]
    reasons = [one["reason"] for one in outputs if isinstance(one, dict) and one.get("reason")]
    return reasons[0] if len(reasons) == 1 else None
