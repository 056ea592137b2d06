"""Traces and steps written as OTLP/JSON: one export request per line, as the collector's file exporter does.

Spans are exported when they end, so children come before their parents. Identifiers are hexadecimal,
64-bit integers are strings, a root has an empty `parentSpanId` and a successful span an empty `status`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import orjson

from llmops_lib.demo.calibration import Ints
from llmops_lib.demo.spans import REGRESSED, Attribute, Day, root_span, step_span, text_attribute
from llmops_lib.demo.steps import MODEL, Steps
from llmops_lib.demo.texts import text_pool
from llmops_lib.demo.traces import Traces
from llmops_lib.demo.world import (
    CHANGED_FEATURE,
    ENVIRONMENT,
    EXPERIMENT,
    FEATURE_INDEX,
    FEATURES,
    SERVICE,
    release_name,
)
from llmops_lib.experiments.attributes import experiment_attribute

_SPANS_PER_LINE = 64
_ROOT_TAIL_NS = 2_000_000
_SCOPE = {"name": "llmops.demo", "version": "1"}


@dataclass(frozen=True)
class Written:
    """What one line holds.

    Attributes:
        line: The line without its newline.
        span_count: Spans in it.
        call_count: Model calls among them.
    """

    line: bytes
    span_count: int
    call_count: int


def export_lines(rng: np.random.Generator, traces: Traces, steps: Steps, *, on: str) -> Iterator[Written]:
    """The lines of one day, in the order in which their spans ended.

    Args:
        rng: Source of randomness.
        traces: Traces of the day.
        steps: Their steps.
        on: The day, such as `20261109`; it begins the names of sessions.
    """
    if not len(traces.feature):
        return
    day = _day(rng, traces, steps, on)
    step_count = len(day.trace)
    order = np.argsort(np.r_[steps.ended_ns, day.root_ended], kind="stable").tolist()
    is_call = [*(steps.plan.kind == MODEL).tolist(), *[False] * len(day.root_ids)]
    release = np.r_[traces.release[steps.plan.trace], traces.release].tolist()
    # A span is a tree of attributes that depend on each other: one at a time is how JSON is written.
    for start in range(0, len(order), _SPANS_PER_LINE):
        rows = order[start : start + _SPANS_PER_LINE]
        spans: dict[int, list[Any]] = {}
        for row in rows:
            span = step_span(day, row) if row < step_count else root_span(day, row - step_count)
            spans.setdefault(release[row], []).append(span)
        yield Written(export_line(spans), len(rows), sum(is_call[row] for row in rows))


def export_line(spans_by_release: dict[int, list[Any]]) -> bytes:
    """One export request.

    Args:
        spans_by_release: Spans per number of the release that wrote them.
    """
    return orjson.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": _resource(release)},
                    "scopeSpans": [{"scope": _SCOPE, "spans": spans}],
                }
                for release, spans in spans_by_release.items()
            ]
        }
    )


@cache
def _resource(release: int) -> list[Attribute]:
    return [
        text_attribute("service.name", SERVICE),
        text_attribute("service.version", release_name(release)),
        text_attribute("deployment.environment.name", ENVIRONMENT),
        {"key": "llmops.synthetic", "value": {"boolValue": True}},
    ]


def _day(rng: np.random.Generator, traces: Traces, steps: Steps, on: str) -> Day:
    trace_count, step_count = len(traces.feature), len(steps.fault)
    plan, usage = steps.plan, steps.usage
    firsts = np.searchsorted(plan.trace, np.arange(trace_count))
    return Day(
        on=on,
        trace_ids=_hex_ids(rng, trace_count, 16),
        root_ids=_hex_ids(rng, trace_count, 8),
        span_ids=_hex_ids(rng, step_count, 8),
        root_started=traces.started_ns.tolist(),
        root_ended=(np.maximum.reduceat(steps.ended_ns, firsts) + _ROOT_TAIL_NS).tolist(),
        root_failed=np.logical_or.reduceat(steps.is_failed, firsts).tolist(),
        session=traces.session.tolist(),
        user=traces.user.tolist(),
        tenant=traces.tenant.tolist(),
        feature=traces.feature.tolist(),
        revision=_revisions(traces).tolist(),
        arm=[text_attribute(experiment_attribute(EXPERIMENT), arm) for arm in traces.arm],
        text=_texts(rng, traces).tolist(),
        trace=plan.trace.tolist(),
        kind=plan.kind.tolist(),
        turn=plan.turn.tolist(),
        is_last_turn=plan.is_last_turn.tolist(),
        model=plan.model.tolist(),
        fault=steps.fault.tolist(),
        started=steps.started_ns.tolist(),
        ended=steps.ended_ns.tolist(),
        first_token_s=(steps.first_token_ms / 1_000).round(6).tolist(),
        input_tokens=usage.input_tokens.tolist(),
        output_tokens=usage.output_tokens.tolist(),
        cache_read_tokens=usage.cache_read_tokens.tolist(),
        cache_write_tokens=usage.cache_write_tokens.tolist(),
        reasoning_tokens=usage.reasoning_tokens.tolist(),
        luck=rng.random(step_count).tolist(),
    )


def _revisions(traces: Traces) -> Ints:
    """How many versions the prompt of each trace is beyond its first."""
    is_its_feature = traces.feature == FEATURE_INDEX[CHANGED_FEATURE]
    revisions: Ints = np.where(traces.is_regressed, REGRESSED, traces.is_changed) * is_its_feature
    return revisions


def _texts(rng: np.random.Generator, traces: Traces) -> Ints:
    """The exchange of each trace: its place in the pool of its feature."""
    texts = np.zeros(len(traces.feature), dtype=np.int64)
    for index, feature in enumerate(FEATURES):
        rows = np.flatnonzero(traces.feature == index)
        pool = text_pool(feature.name)
        texts[rows] = rng.choice(len(pool.texts), size=len(rows), p=pool.shares)
    return texts


def _hex_ids(rng: np.random.Generator, count: int, width: int) -> Sequence[str]:
    digits = rng.bytes(count * width).hex()
    return [digits[at : at + 2 * width] for at in range(0, len(digits), 2 * width)]
