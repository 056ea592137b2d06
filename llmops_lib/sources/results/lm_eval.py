"""lm-evaluation-harness: samples as JSON Lines, one line per document and filter.

- A line names its metrics and holds each value under the metric's own key. Releases before 0.4.8 do not
  name them, nor filters: what is no part of the document and its answers is a metric there, and a document
  that comes again, for another filter, is a further trial. Where a task applies several
  filters to one answer the scorer is `metric,filter`, as the harness itself writes it; `none` is left out.
- A value may be a list, such as (log-likelihood, words) of a perplexity: it has no score of its own, only
  the aggregate has, so the score is null and the list stays in `metadata`.
- A line names neither task nor model. The task is read from the file's name, `samples_<task>_<time>.jsonl`,
  which is the only place that has it; the model stays unknown.
- Results files hold aggregates over examples. They are recognised, and every task of theirs goes to the
  quarantine with its figures: an average among single examples would be counted as one of them. What
  `simple_evaluate()` returned holds the samples too, and beside them task, model and date.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from llmops_lib.errors import SourceError
from llmops_lib.sources.lines import read_json_document
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.nan_json import parse_nonfinite_json
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows, content_run_id
from llmops_lib.sources.sample import Sample, take_sample
from llmops_lib.sources.times import parse_time

FORMAT = "lm_eval"
LOOKED_FOR = "lm-eval: samples with doc_id, arguments, resps and filtered_resps"

_KEYS = frozenset({"doc_id", "arguments", "resps", "filtered_resps"})
_MAPPED = ("doc_id", "arguments", "filtered_resps", "target", "metrics", "filter")
_NO_METRICS = frozenset((*_KEYS, "doc", "target", "filter", "doc_hash", "prompt_hash", "target_hash"))
_INFINITE = ("Infinity", "-Infinity")
_FILE_NAME = re.compile(r"samples_(?P<task>.+?)(?:_\d{4}-\d{2}-\d{2}T[\d.:-]+)?\.jsonl?")


def matches(sample: Sample) -> bool:
    """Whether a file holds samples or aggregated results of the harness."""
    return set(sample.columns) >= _KEYS or _is_results(sample.first)


def read_lm_eval(path: Path) -> ScoreRows:
    """One score per document, filter and metric.

    Args:
        path: Samples as JSON Lines (or a JSON list of them), or a results file.

    Returns:
        Scores; the aggregates of a results file are in the quarantine, one row per task, beside the scores
        of samples that it holds.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    collector = ScoreCollector(FORMAT, str(path))
    if _is_results(take_sample(path).first):
        _take_results(path, collector)
        return collector.finish()
    run = {"run_id": content_run_id(path), "suite": _task(path)}
    for record in iter_records(path, collector.refusals, parse=parse_nonfinite_json):
        _take(record, run, collector)
    return collector.finish()


def _take(record: Record, run: Mapping[str, Any], collector: ScoreCollector) -> None:
    try:
        scores = list(_scores(record.value, run))
    except Refused as refused:
        collector.refuse(str(refused), line=record.line, raw=record.raw)
        return
    collector.accept(scores, line=record.line, raw=record.raw)


def _is_results(first: Any) -> bool:
    return isinstance(first, dict) and isinstance(first.get("results"), dict) and _has_settings(first)


def _has_settings(document: Mapping[str, Any]) -> bool:
    # Releases up to 0.3 write no more than results, versions and config; of a long file only the
    # beginning is seen, which is the results themselves.
    if isinstance(document.get("versions"), dict) or isinstance(document.get("configs"), dict):
        return True
    tasks = [figures for figures in document["results"].values() if isinstance(figures, dict)]
    return any("_stderr," in name for figures in tasks for name in figures)


def _task(path: Path) -> str | None:
    found = _FILE_NAME.search(path.name)
    return found["task"] if found else None


def _take_results(path: Path, collector: ScoreCollector) -> None:
    document = read_json_document(path, parse=parse_nonfinite_json)
    if not _is_results(document):
        msg = f"{path}: begins like lm-eval results but is not readable as such; expected `results` per task"
        raise SourceError(msg)
    listed = document.get("samples")
    samples = {
        task: found
        for task, found in (listed.items() if isinstance(listed, dict) else ())
        if isinstance(found, list)
    }
    for position, (task, figures) in enumerate(document["results"].items(), start=1):
        reason = f"schema: aggregates of task {task[:200]}, no examples; --log_samples writes a file of them"
        if samples.get(task):
            reason = f"merged: aggregates of task {task[:200]}, whose samples are in the file"
        collector.refuse(reason, line=position, raw=partial(orjson.dumps, {task: figures}))
    run = {"run_id": content_run_id(path), **_run_columns(document)}
    pairs = [(task, sample) for task, found in samples.items() for sample in found]
    records = Record(None).items([sample for _, sample in pairs])
    for (task, _), record in zip(pairs, records, strict=True):
        line = len(document["results"]) + (record.line or 0)
        _take(replace(record, line=line), {**run, "suite": task}, collector)


def _run_columns(document: Mapping[str, Any]) -> dict[str, Any]:
    model = document.get("model_name")
    try:
        started_at = parse_time(document.get("date"))
    except Refused:
        started_at = None
    return {"model": model if isinstance(model, str) else None, "started_at": started_at}


def _scores(sample: Any, run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if not isinstance(sample, dict):
        raise Refused(reason="not_object")
    if "doc_id" not in sample:
        raise Refused(reason="schema", detail="no doc_id")
    names = sample.get("metrics", [name for name, value in sample.items() if _is_metric(name, value)])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refused(reason="type", detail="metrics is no list of names")
    shared = {
        **run,
        "example_id": sample["doc_id"],
        "input": _prompt(sample.get("arguments")),
        "output": _answer(sample.get("filtered_resps")),
        "expected": sample.get("target"),
    }
    kept = {name: value for name, value in sample.items() if name not in (*_MAPPED, *names)}
    for name in names:
        value = sample.get(name)
        own = kept if _is_single(value) else {**kept, "value": value}
        yield {**shared, **_score(value), "scorer": _scorer(name, sample.get("filter")), "metadata": own}


def _is_metric(name: str, value: Any) -> bool:
    return name not in _NO_METRICS and (_is_single(value) or isinstance(value, list))


def _is_single(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float)


def _score(value: Any) -> dict[str, Any]:
    if value is None:
        return {"error": "the metric gave no value"}
    if value in _INFINITE:
        return {"error": f"the metric is {value}"}
    if isinstance(value, str):
        return {"label": value}
    return {"score": value} if _is_single(value) else {}


def _scorer(name: str, answer_filter: Any) -> str:
    return name if answer_filter in (None, "none") else f"{name},{answer_filter}"


def _answer(responses: Any) -> Any:
    return responses[0] if isinstance(responses, list) and len(responses) == 1 else responses


def _prompt(arguments: Any) -> Any:
    """The prompt alone where all requests for the document share it, else all of their arguments.

    Models behind a chat API get it in a list of one.
    """
    requests = list(arguments.values()) if isinstance(arguments, dict) else arguments
    if not isinstance(requests, list):
        return arguments
    prompts = [_first(request) for request in requests]
    is_shared = bool(prompts) and isinstance(prompts[0], str) and all(one == prompts[0] for one in prompts)
    return prompts[0] if is_shared else arguments


def _first(request: Any) -> Any:
    if isinstance(request, dict):
        return _answer(request.get("arg_0"))
    return _answer(request[0]) if isinstance(request, list) and request else None
