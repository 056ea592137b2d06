"""What the report on quality reads: a sample, what a judge said of it, and what people said."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.demo import sample_months, simulated_judgements
from llmops_lib.errors import EmptyPeriodError, ParameterError
from llmops_lib.evals.candidates import suite_inputs
from llmops_lib.evals.runs import open_run
from llmops_lib.evals.suites import load_suite
from llmops_lib.measures.eval_cases import one_run
from llmops_lib.measures.input_drift import InputDrift, input_drift
from llmops_lib.measures.sampling import sample_calls, sampling_plan
from llmops_lib.pricing import price_calls
from llmops_lib.reruns.sample_evals import sample_suite_run
from llmops_lib.safety import with_input_text
from llmops_lib.sampling.files import load_sample
from llmops_lib.schema import SPANS
from llmops_lib.sources.results.load import read_results
from llmops_lib.store import open_source

_SIMULATED_RATE = 0.6
_NO_CALLS = pl.DataFrame(schema={**SPANS.polars_schema, "draw": pl.Float64})


@dataclass(frozen=True, eq=False)
class JudgedSample:
    """A sample of production, judged and partly labelled.

    Attributes:
        sample: The sampled calls; None where only scores were given.
        scores: SCORES of the judge.
        labels: What people said: `example_id`, `score`; None without any.
        spans: SPANS of the traces that calls come from; None without any.
        suite_scores: SCORES of one run of the suite; no rows without one.
        files: One entry per file that was read, as `Facts` takes them.
        is_synthetic: Whether it was made up.
    """

    sample: pl.DataFrame | None
    scores: pl.DataFrame
    labels: pl.DataFrame | None
    spans: pl.LazyFrame | None
    suite_scores: pl.DataFrame
    files: tuple[dict[str, Any], ...]
    is_synthetic: bool

    @property
    def is_suite_simulated(self) -> bool:
        """Whether the bundled answerer answered the suite."""
        return _is_simulated(self.suite_scores)

    def facts(self) -> dict[str, Any]:
        """What a report states of its input: `period`, `files`, `fingerprint`, `is_synthetic` and counts."""
        days = self.scores["started_at"].dt.date().cast(pl.String).drop_nulls().sort()
        if days.is_empty():
            msg = "no score says when its call was; expected scores of llmops eval judge"
            raise EmptyPeriodError(msg)
        told = "\n".join(sorted(f"{file['sha256']} {file['rows_read']}" for file in self.files))
        return {
            "period": f"{days[0]}..{days[-1]}",
            "files": self.files,
            "fingerprint": hashlib.sha256(told.encode()).hexdigest(),
            "is_synthetic": self.is_synthetic,
            "score_count": self.scores.height,
            "label_count": 0 if self.labels is None else self.labels.height,
        }


def open_judged(
    scores: str = "", *, labels: str = "", sample: str = "", traces: str = "", suite_scores: str = ""
) -> JudgedSample:
    """A judged sample from its files; without scores a simulated one that says so.

    Args:
        scores: Scores of `llmops eval judge`: a file, folder or pattern.
        labels: Labels as a score table with `example_id` and `score`; empty: none.
        sample: Sample that `llmops eval sample` wrote; empty: none.
        traces: Exports or a store that the calls come from; empty: none.
        suite_scores: Scores of one run of the suite; empty: none.

    Raises:
        ParameterError: If anything else is given without scores.
        SourceError: If a file cannot be read.
        SchemaError: If the sample is none.
    """
    if not scores:
        if labels or sample or traces or suite_scores:
            msg = "labels, sample, traces or suite run without scores; expected scores of llmops eval judge"
            raise ParameterError(msg)
        return _simulated()
    judged = read_results(scores)
    known = read_results(labels) if labels else None
    run = open_run(suite_scores) if suite_scores else None
    files = [_file(one) for found in (judged, known, run) if found is not None for one in found.files]
    source = open_source(traces) if traces else None
    files += [] if source is None else source.facts()["files"]
    drawn = load_sample(sample) if sample else None
    if drawn is not None:
        files.append(_sample_file(Path(sample), drawn.height))
    return JudgedSample(
        sample=drawn,
        scores=judged.scores,
        labels=None if known is None else known.scores,
        spans=None if source is None else source.spans,
        suite_scores=judged.scores.clear() if run is None else one_run(run.scores),
        files=tuple(files),
        is_synthetic=_is_simulated(judged.scores),
    )


def drift_against(
    sample: pl.DataFrame | None, suite: str, *, feature: str = "", field: str = "question", folder: str = ""
) -> InputDrift:
    """The inputs of a sample against a suite; those of no calls where there is no sample.

    Args:
        sample: Sampled calls.
        suite: Name of the suite.
        feature: Feature that the suite is for; empty: all calls.
        field: Input of its prompt that users write.
        folder: Folder of suites; empty as `load_suite` without.

    Raises:
        SuiteError: If there is no such suite or input.
    """
    cases = suite_inputs(load_suite(suite, folder=folder or None), field=field)
    calls = _NO_CALLS if sample is None else sample
    return input_drift(with_input_text(calls.filter(feature=feature) if feature else calls), cases)


def _simulated() -> JudgedSample:
    source = open_source(sample_months())
    calls = price_calls(source.spans)
    drawn = sample_calls(calls, sampling_plan(calls, rate=_SIMULATED_RATE)).collect()
    scores, labels = simulated_judgements(drawn)
    suite_scores = one_run(open_run(sample_suite_run()).scores)
    files = tuple(source.facts()["files"])
    return JudgedSample(drawn, scores, labels, source.spans, suite_scores, files, is_synthetic=True)


def _is_simulated(scores: pl.DataFrame) -> bool:
    told = scores["metadata"].cast(pl.String).str.contains('"is_simulated":true', literal=True)
    return bool(told.any())


def _file(one: Any) -> dict[str, Any]:
    return {
        "name": Path(one.source_file).name,
        "sha256": one.sha256,
        "rows_read": one.rows_read,
        "span_count": one.scored_count,
        "quarantined_count": one.quarantined_count,
    }


def _sample_file(path: Path, rows: int) -> dict[str, Any]:
    file = path / "sample.parquet" if path.is_dir() else path
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return {
        "name": file.name,
        "sha256": sha256,
        "rows_read": rows,
        "span_count": rows,
        "quarantined_count": 0,
    }
