"""OpenAI evals (`oaieval`) record logs: lines of events, of which only some are scores.

What is odd about them, and what we do about it:

- A score stands in a `match` or `metrics` event, the call under test in the `sampling` event before it.
  Of several samplings before one score the first is the call under test, the others are the judge's.
- `final_report` may come before the events, after them or, in an aborted run, not at all; it repeats the
  scores in sum and is set aside, as are the events that were merged into scores.
- Times are those at which events were written; naive ones are UTC.
- A sample that raised has an `error` event in place of a score: it gets a row without a score for each
  scorer of the run, so that it is missing from no count.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows
from llmops_lib.sources.sample import Sample
from llmops_lib.sources.times import parse_time

FORMAT = "openai_evals"
LOOKED_FOR = (
    "openai_evals: lines with spec.completion_fns, or with run_id, event_id, sample_id, type and data"
)
"""What tells this format, for the error that no format was found."""

_EVENT = frozenset(("run_id", "sample_id", "type", "data"))
_SCORES = ("match", "metrics")


@dataclass
class _Sample:
    """The events of one sample of one run, in the order of the file."""

    run_id: str
    sample_id: str
    events: list[Record] = field(default_factory=list)


@dataclass
class _Log:
    """What a file holds: the specifications of its runs, and its samples."""

    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    samples: dict[tuple[str, str], _Sample] = field(default_factory=dict)


def matches(sample: Sample) -> bool:
    """Whether a file is a record log of OpenAI evals.

    Args:
        sample: The beginning of the file.
    """
    first = sample.first
    if not isinstance(first, dict):
        return False
    spec = first.get("spec")
    is_spec = (
        isinstance(spec, dict) and "run_id" in spec and ("completion_fns" in spec or "eval_name" in spec)
    )
    return is_spec or first.keys() >= _EVENT | {"event_id"} or first.keys() == {"final_report", "run_id"}


def read_openai_evals(path: Path) -> ScoreRows:
    """The scores of a record log; each of its lines is a record.

    Args:
        path: JSON Lines, also as gzip or zstd.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    collector = ScoreCollector(FORMAT, str(path))
    log = _Log()
    for record in iter_records(path, collector.refusals):
        _sort_in(record, log, collector)
    scorers: dict[str, set[str]] = {}
    for sample in log.samples.values():
        for event in sample.events:
            if event.value["type"] in _SCORES:
                names = (row["scorer"] for row in _score_rows(event.value))
                scorers.setdefault(sample.run_id, set()).update(names)
    for sample in log.samples.values():
        spec = log.specs.get(sample.run_id, {})
        _accept_sample(sample, spec, sorted(scorers.get(sample.run_id, ())), collector)
    return collector.finish()


def _sort_in(record: Record, log: _Log, collector: ScoreCollector) -> None:
    value = record.value
    if not isinstance(value, dict):
        collector.refuse("not_object", line=record.line, raw=record.raw)
    elif isinstance(spec := value.get("spec"), dict):
        log.specs[str(spec.get("run_id"))] = spec
        collector.refuse("merged: specification of the run", line=record.line, raw=record.raw)
    elif "final_report" in value:
        collector.refuse("not_a_span: final report", line=record.line, raw=record.raw)
    elif not value.keys() >= _EVENT or not isinstance(value["data"], dict):
        collector.refuse("schema: no event of a run", line=record.line, raw=record.raw)
    elif value["run_id"] is None or value["sample_id"] is None:
        collector.refuse("missing_field: run_id or sample_id", line=record.line, raw=record.raw)
    else:
        key = (str(value["run_id"]), str(value["sample_id"]))
        log.samples.setdefault(key, _Sample(*key)).events.append(record)


def _accept_sample(
    sample: _Sample, spec: Mapping[str, Any], scorers: list[str], collector: ScoreCollector
) -> None:
    is_scored = any(event.value["type"] in _SCORES for event in sample.events)
    others = [event.value for event in sample.events if event.value["type"] not in (*_SCORES, "sampling")]
    sampling: dict[str, Any] = {}
    is_fresh = True
    has_row = is_scored
    for event in sample.events:
        kind = event.value["type"]
        if kind == "sampling" and is_fresh:
            sampling, is_fresh = event.value, False
        if kind in _SCORES:
            rows = _score_rows(event.value)
            is_fresh = True
        elif kind == "error" and not has_row:
            rows = [{"scorer": name, "error": _error(event.value)} for name in scorers or ["error"]]
            has_row = True
        else:
            reason = "merged: " if is_scored or kind != "sampling" else "missing_field: no score of "
            collector.refuse(f"{reason}{str(kind)[:40]}", line=event.line, raw=event.raw)
            continue
        _accept_scores(event, rows, (sample, spec, sampling, others), collector)
        others = []


def _accept_scores(
    event: Record,
    rows: list[dict[str, Any]],
    known: tuple[_Sample, Mapping[str, Any], Mapping[str, Any], list[dict[str, Any]]],
    collector: ScoreCollector,
) -> None:
    sample, spec, sampling, others = known
    try:
        call = _call_columns(spec, sampling or event.value)
    except Refused as refused:
        collector.refuse(str(refused), line=event.line, raw=event.raw)
        return
    call |= {"run_id": sample.run_id, "example_id": sample.sample_id}
    of_run = {name: spec[name] for name in ("base_eval", "split", "completion_fns") if spec.get(name)}
    events = (
        {"events": [{"type": other["type"], "data": other["data"]} for other in others]} if others else {}
    )
    complete = [
        {**call, **row, "metadata": {**of_run, **events, **row.get("metadata", {})} or None} for row in rows
    ]
    for row in complete:
        row["output"] = call["output"] if call["output"] is not None else event.value["data"].get("sampled")
    collector.accept(complete, line=event.line, raw=event.raw)


def _call_columns(spec: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    data = event["data"]
    usage = data.get("usage") if isinstance(data.get("usage"), dict) else {}
    functions = spec.get("completion_fns")
    named = functions[0] if isinstance(functions, list) and functions else None
    model = data.get("model") or named or spec.get("model_name")
    return {
        "suite": spec.get("eval_name"),
        "model": model if isinstance(model, str) else None,
        "started_at": parse_time(event.get("created_at") or spec.get("created_at"), timezone="UTC"),
        "input_tokens": usage.get("prompt_tokens"),
        "output_tokens": usage.get("completion_tokens"),
        "input": data.get("prompt"),
        "output": _only(data.get("sampled")),
    }


def _score_rows(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = event["data"]
    if event["type"] == "match":
        correct = data.get("correct")
        rest = {name: value for name, value in data.items() if name not in ("correct", "expected", "sampled")}
        return [
            {
                "scorer": "match",
                "score": correct,
                "passed": bool(correct) if correct in (0, 1) else correct,
                "expected": data.get("expected"),
                "metadata": rest,
            }
        ]
    return list(_metric_rows(data))


def _metric_rows(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    # A judge whose answer names no choice gives null: no score, but one of those that were asked for.
    numbers = {
        name: value
        for name, value in data.items()
        if isinstance(value, bool | int | float) or (value is None and name != "choice")
    }
    rest = {name: value for name, value in data.items() if name not in numbers}
    # A model-graded eval gives the judge's choice beside its score.
    label = rest.pop("choice", None)
    for name, value in numbers.items():
        passed = value if isinstance(value, bool) else None
        yield {"scorer": name, "score": value, "passed": passed, "label": label, "metadata": rest}
    if not numbers and label is not None:
        yield {"scorer": "choice", "label": label, "metadata": rest}


def _error(event: Mapping[str, Any]) -> str:
    data = event["data"]
    return ": ".join(str(data[name]) for name in ("type", "message") if data.get(name)) or "error"


def _only(sampled: Any) -> Any:
    return sampled[0] if isinstance(sampled, list) and len(sampled) == 1 else sampled
