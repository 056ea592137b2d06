"""promptfoo results: JSON, JSON Lines, YAML and CSV, versions 1 to 3.

What is odd about them, and what we do about it:

- One evaluation tries every test with every provider and prompt; each pair is a run of its own here,
  named `<evaluation>/<provider>/<prompt>`.
- Each test gives one score of the whole (scorer `score`) and one per assertion, named by its metric or type.
- `--repeat` gives repetitions test numbers of their own; equal tests become trials of the first of them.
- `error` also repeats the reason of a failed assertion; only what could not be run is an error here.
- `stats` counts what the results state anyway, and not always the same ones; it is not used.
- JSON Lines and CSV do not name the evaluation; a hash of their content does.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops_lib.sources.records import Record, iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.promptfoo_csv import is_output_column, read_csv_results
from llmops_lib.sources.results.promptfoo_names import provider_id, run_name
from llmops_lib.sources.results.promptfoo_rows import result_rows, signature_of
from llmops_lib.sources.results.promptfoo_yaml import is_yaml, read_yaml_evaluation
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows, content_run_id
from llmops_lib.sources.sample import Sample, take_sample
from llmops_lib.sources.times import parse_time

FORMAT = "promptfoo"
LOOKED_FOR = (
    "promptfoo: an object with results.version and results.results, rows with gradingResult and vars, "
    "or CSV columns such as '[openai:gpt-4o] prompt'"
)
"""What tells this format, for the error that no format was found."""

_EVALUATION_MARKS = (
    {"version", "results"},
    {"version", "prompts"},
    {"version", "timestamp"},
    {"stats", "table"},
    # What `evaluate()` returned in a script of one's own.
    {"config", "prompts", "persisted"},
)


def matches(sample: Sample) -> bool:
    """Whether a file holds promptfoo results.

    Args:
        sample: The beginning of the file.
    """
    if sample.kind == "csv":
        return is_yaml(sample) or any(is_output_column(name) for name in sample.columns)
    first = sample.first[0] if isinstance(sample.first, list) and sample.first else sample.first
    return isinstance(first, dict) and (_is_evaluation(first) or _is_result(first))


def read_promptfoo(path: Path) -> ScoreRows:
    """The scores of promptfoo results.

    Args:
        path: JSON, JSON Lines, YAML or CSV, each also as gzip or zstd.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    collector = ScoreCollector(FORMAT, str(path))
    sample = take_sample(path)
    if sample.kind == "csv" and not is_yaml(sample):
        read_csv_results(path, collector, content_run_id(path))
        return collector.finish()
    found: list[tuple[Record, dict[str, Any]]] = []
    records = (
        [Record(None).part(read_yaml_evaluation(path))]
        if is_yaml(sample)
        else iter_records(path, collector.refusals)
    )
    for record, evaluation in _results(records):
        if isinstance(record.value, dict) and _is_result(record.value):
            found.append((record, evaluation))
        else:
            reason = "schema: no result of a test, nor an evaluation that holds any"
            collector.refuse(reason, line=record.line, raw=record.raw)
    _accept_all(found, content_run_id(path), collector)
    return collector.finish()


def _accept_all(
    found: list[tuple[Record, dict[str, Any]]], content_id: str, collector: ScoreCollector
) -> None:
    runs = _Runs(content_id)
    examples = _Examples([record.value for record, _ in found])
    for record, evaluation in found:
        try:
            result = record.value
            columns = {**_evaluation_columns(evaluation), **examples.columns(result)}
            columns["run_id"] = runs.name(evaluation, result)
            rows = [{**columns, **row} for row in result_rows(result)]
        except Refused as refused:
            collector.refuse(str(refused), line=record.line, raw=record.raw)
        else:
            collector.accept(rows, line=record.line, raw=record.raw)


def _is_evaluation(value: Mapping[str, Any]) -> bool:
    inner = value.get("results")
    holder = inner if isinstance(inner, dict) else value
    # A log of Inspect that was never scored has `version` too, and results of null.
    if not isinstance(inner, dict | list):
        return False
    listed = holder.get("results")
    first = listed[0] if isinstance(listed, list) and listed else None
    # Whoever keeps the results alone, to have a small file, still has an evaluation.
    is_shortened = isinstance(first, dict) and _is_result(first)
    return is_shortened or any(mark <= holder.keys() for mark in _EVALUATION_MARKS)


def _is_result(value: Mapping[str, Any]) -> bool:
    has_verdict = "success" in value or "gradingResult" in value
    has_test = "vars" in value or "testCase" in value
    return has_verdict and has_test and ("prompt" in value or "provider" in value)


def _results(records: Iterable[Record]) -> Iterator[tuple[Record, dict[str, Any]]]:
    for record in records:
        value = record.value
        if not isinstance(value, dict) or not _is_evaluation(value):
            yield record, {}
            continue
        inner = value["results"] if isinstance(value["results"], dict) else value
        results = inner.get("results")
        if not isinstance(results, list) or not results:
            yield record, {}
            continue
        for item in record.items(results):
            timestamp = inner.get("timestamp", value.get("createdAt"))
            yield item, {**value, "results": None, "timestamp": timestamp}


def _evaluation_columns(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    config = evaluation.get("config")
    return {
        "suite": config.get("description") if isinstance(config, dict) else None,
        "started_at": parse_time(evaluation.get("timestamp"), timezone="UTC"),
    }


class _Runs:
    """Names of the runs of a file: two prompts of one label are two runs."""

    def __init__(self, content_id: str) -> None:
        self._content_id = content_id
        self._names: dict[Any, str] = {}

    def name(self, evaluation: Mapping[str, Any], result: Mapping[str, Any]) -> str:
        given = evaluation.get("evalId", evaluation.get("id"))
        provider = result.get("provider")
        label = provider.get("label") if isinstance(provider, dict) else None
        shown = label or provider_id(provider)
        prompt = result.get("prompt")
        prompt_label = prompt.get("label") if isinstance(prompt, dict) else None
        evaluation_id = given if isinstance(given, str) and given else self._content_id
        key = (evaluation_id, str(shown), str(prompt_label), str(result.get("promptIdx")))
        if key not in self._names:
            name = f"{evaluation_id}/{run_name(*(str(p) if p else None for p in (shown, prompt_label)))}"
            taken = sum(1 for other in self._names.values() if other.split(" (")[0] == name)
            self._names[key] = f"{name} ({taken + 1})" if taken else name
        return self._names[key]


class _Examples:
    """Which tests of a file are repetitions of one; results come in the order in which they were done."""

    def __init__(self, results: list[dict[str, Any]]) -> None:
        numbers: dict[str, set[int]] = {}
        for result in results:
            if isinstance(number := result.get("testIdx"), int):
                numbers.setdefault(signature_of(result), set()).add(number)
        self._numbers = {signature: sorted(found) for signature, found in numbers.items()}

    def columns(self, result: Mapping[str, Any]) -> dict[str, Any]:
        signature, number = signature_of(result), result.get("testIdx")
        if not isinstance(number, int):
            # Before version 3 nothing numbers the tests; those alike become trials in their order.
            return {"example_id": signature}
        equal = self._numbers[signature]
        return {"example_id": str(equal[0]), "trial": equal.index(number) + 1}
