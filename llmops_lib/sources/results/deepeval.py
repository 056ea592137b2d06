"""DeepEval test runs: one JSON object of test cases, each with its metrics.

What is odd about them, and what we do about it:

- The file names neither the run nor when it was; a hash of its content names the run.
- `.deepeval/.latest_test_run.json` holds the same object under `testRunData`; both copies are one run. Of
  somebody who is logged in at Confident AI it holds a link alone, and nothing that could be scored.
- A metric that raised has an `error`, `success` false and no score: neither passed nor failed here.
- Releases before 1.5 write `metricsMetadata` with a `metric` each. What `evaluate()` returns, dumped, has the
  same fields in snake_case under `test_results`.
- `success` of a test case is the AND of its metrics, so it gets no row of its own unless it has no metrics.
- `runDuration` is the time of the judges; the call under test took `completionTime`, in seconds.
- Metrics of spans inside the trace judge steps, not the answer; they stand in `metadata` as `span_metrics`.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops_lib.sources.providers import provider_name
from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.deepeval_forms import CASES, LINK, METRICS, reason_against, run_of
from llmops_lib.sources.results.example_ids import content_example_id
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows
from llmops_lib.sources.sample import Sample
from llmops_lib.sources.times import parse_time

FORMAT = "deepeval"
LOOKED_FOR = (
    "deepeval: an object with testCases, conversationalTestCases or test_results, whose items have "
    "metricsData (metrics_data, metricsMetadata)"
)
"""What tells this format, for the error that no format was found."""

_RUN_MARKS = frozenset(("metricsScores", "testPassed", "testFailed", "hyperparameters", "runDuration"))
_CASE_MARKS = frozenset((*METRICS, "actualOutput", "turns"))
_METRIC_COLUMNS = frozenset(("name", "metric", "score", "success", "reason", "error"))
_CASE_COLUMNS = frozenset(
    {
        *("name", "input", "actualOutput", "expectedOutput", "turns", "testCases"),
        *("trace", "tokenCost", "inputTokenCount", "outputTokenCount"),
        *METRICS,
    }
)
_SPAN_LISTS = ("baseSpans", "agentSpans", "llmSpans", "retrieverSpans", "toolSpans")


def matches(sample: Sample) -> bool:
    """Whether a file is a test run of DeepEval.

    Args:
        sample: The beginning of the file.
    """
    first = run_of(sample.first)
    if not isinstance(first, dict):
        return False
    if first.keys() == {LINK}:
        return True
    cases = [case for name in CASES for case in _objects(first.get(name))]
    return any(name in first for name in CASES) and (
        not _RUN_MARKS.isdisjoint(first) or any(not _CASE_MARKS.isdisjoint(case) for case in cases)
    )


def read_deepeval(path: Path) -> ScoreRows:
    """The scores of a test run, one record per test case.

    Args:
        path: JSON, also as gzip or zstd.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    collector = ScoreCollector(FORMAT, str(path))
    for record in iter_records(path, collector.refusals):
        run = run_of(record.value)
        if (reason := reason_against(run)) is not None:
            collector.refuse(reason, line=record.line, raw=record.raw)
            continue
        _accept_run(record, run, {**_run_columns(run), "run_id": content_example_id(run)}, collector)
    return collector.finish()


def _accept_run(
    record: Record, run: Mapping[str, Any], columns: Mapping[str, Any], collector: ScoreCollector
) -> None:
    cases = [case for name in CASES for case in _listed(run.get(name))]
    names = _example_names([case for case in cases if isinstance(case, dict)])
    for item in record.items(cases):
        if not isinstance(item.value, dict):
            collector.refuse("not_object", line=item.line, raw=item.raw)
            continue
        try:
            rows = list(_case_rows(item.value, columns, run.get("hyperparameters")))
        except Refused as refused:
            collector.refuse(str(refused), line=item.line, raw=item.raw)
            continue
        example_id = names[_identity(item.value)]
        collector.accept([{**row, "example_id": example_id} for row in rows], line=item.line, raw=item.raw)


def _run_columns(run: Mapping[str, Any]) -> dict[str, Any]:
    hyperparameters = _mapping(run.get("hyperparameters"))
    model = hyperparameters.get("model")
    return {
        "suite": run.get("datasetAlias") or run.get("testFile"),
        "model": model if isinstance(model, str) else None,
    }


def _example_names(cases: list[dict[str, Any]]) -> dict[str, str]:
    """Names of the test cases: equal cases share one and are trials, others of one name are numbered."""
    found: dict[str, list[str]] = defaultdict(list)
    for position, case in enumerate(cases):
        name = case.get("name") or f"case {case.get('order', position)}"
        if (identity := _identity(case)) not in found[str(name)]:
            found[str(name)].append(identity)
    return {
        identity: name if number == 1 else f"{name} ({number})"
        for name, identities in found.items()
        for number, identity in enumerate(identities, start=1)
    }


def _identity(case: Mapping[str, Any]) -> str:
    asked = case.get("input")
    if asked is None:
        # What a simulated user says differs from one conversation to the next; its scenario does not.
        asked = case.get("scenario") or _first_turn(case)
    return json.dumps([case.get("name"), asked, case.get("expectedOutput") or case.get("expectedOutcome")])


def _first_turn(case: Mapping[str, Any]) -> Any:
    turns = _objects(_turns(case))
    return turns[0].get("content", turns[0].get("input")) if turns else None


def _turns(case: Mapping[str, Any]) -> Any:
    # Before release 3 the turns of a conversation were test cases themselves.
    return case.get("turns", case.get("testCases"))


def _case_rows(
    case: Mapping[str, Any], columns: Mapping[str, Any], hyperparameters: Any
) -> Iterator[dict[str, Any]]:
    trace = _mapping(case.get("trace"))
    call = {
        **columns,
        **{name: value for name, value in _trace_columns(trace).items() if columns.get(name) is None},
        "cost_usd": case.get("tokenCost"),
        "input": case.get("input") if case.get("input") is not None else _turns(case),
        "output": case.get("actualOutput"),
        "expected": case.get("expectedOutput", case.get("expectedOutcome")),
    }
    counts = {"input_tokens": case.get("inputTokenCount"), "output_tokens": case.get("outputTokenCount")}
    call |= {name: count for name, count in counts.items() if count is not None}
    if (seconds := case.get("completionTime")) is not None:
        call["latency_ms"] = seconds * 1_000 if isinstance(seconds, int | float) else seconds
    rest = _rest(case, trace) | ({"hyperparameters": hyperparameters} if hyperparameters else {})
    metrics = _objects(next((case[name] for name in METRICS if case.get(name)), None))
    for metric in metrics:
        yield {**call, **_metric_columns(metric), "metadata": {**rest, **_metric_rest(metric)}}
    if not metrics and case.get("success") is not None:
        yield {**call, "scorer": "success", "passed": case["success"], "metadata": rest}


def _metric_columns(metric: Mapping[str, Any]) -> dict[str, Any]:
    error = metric.get("error")
    return {
        "scorer": metric.get("name", metric.get("metric")),
        "score": None if error else metric.get("score"),
        "passed": None if error else metric.get("success"),
        "explanation": metric.get("reason"),
        "error": error,
    }


def _metric_rest(metric: Mapping[str, Any]) -> dict[str, Any]:
    rest = {
        name: value for name, value in metric.items() if name not in _METRIC_COLUMNS and value is not None
    }
    return {"metric": rest} if rest else {}


def _rest(case: Mapping[str, Any], trace: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in case.items() if name not in _CASE_COLUMNS and value is not None}
    of_trace = {
        name: trace[name] for name in ("name", "status", "tags", "metadata", "environment") if name in trace
    }
    judged = [
        {"span": span.get("name"), **metric}
        for span in _spans(trace)
        for metric in _objects(span.get("metricsData"))
    ]
    return rest | ({"trace": of_trace} if of_trace else {}) | ({"span_metrics": judged} if judged else {})


def _trace_columns(trace: Mapping[str, Any]) -> dict[str, Any]:
    if not trace:
        return {}
    started_at = parse_time(trace.get("startTime"), timezone="UTC")
    ended_at = parse_time(trace.get("endTime"), timezone="UTC")
    calls = _objects(trace.get("llmSpans"))
    columns: dict[str, Any] = {
        "trace_id": trace.get("uuid"),
        "started_at": started_at,
        "input_tokens": _sum(calls, "inputTokenCount"),
        "output_tokens": _sum(calls, "outputTokenCount"),
    }
    if started_at is not None and ended_at is not None and ended_at >= started_at:
        columns["latency_ms"] = (ended_at - started_at).total_seconds() * 1_000
    provider = _only_text(calls, "provider")
    return columns | {"model": _only_text(calls, "model"), "provider": provider_name(provider)}


def _only_text(calls: list[dict[str, Any]], name: str) -> str | None:
    """What all calls agree on: an answer that several models worked on is of no single model."""
    found = {str(call.get(name)) for call in calls if call.get(name)}
    return found.pop() if len(found) == 1 else None


def _sum(calls: list[dict[str, Any]], name: str) -> int | None:
    counts = [call.get(name) for call in calls]
    known = [count for count in counts if isinstance(count, int | float)]
    return int(sum(known)) if known and len(known) == len(counts) else None


def _spans(trace: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _SPAN_LISTS:
        yield from _objects(trace.get(name))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in _listed(value) if isinstance(item, dict)]
