"""What happens inside traces: retrievals, model calls and tool runs, one after the other."""

from dataclasses import dataclass

import numpy as np

from llmops_lib.demo.calibration import Floats, Ints
from llmops_lib.demo.planted import RUNAWAY_CALL_FACTOR, Flags
from llmops_lib.demo.tokens import Usage, draw_usage
from llmops_lib.demo.traces import Traces
from llmops_lib.demo.world import FAULTS, FEATURES, MODEL_INDEX, MODELS, RETRY_SHARE, TIMEOUT_MS

RETRIEVAL, MODEL, TOOL = 0, 1, 2
"""Kinds of steps."""

NO_FAULT = -1

_INCIDENT_MODEL = MODEL_INDEX["gpt-4o-mini"]
_INCIDENT_SLOWDOWN = 3.0
_UNCACHED_TOKEN_MS = 0.05
_STEP_MS = (45.0, 0.0, 120.0)
"""Median duration of each kind of step that is no model call."""


@dataclass(frozen=True)
class Plan:
    """Steps as parallel arrays, in order of trace and start, before anything about their outcome is known.

    Attributes:
        trace: Row of the trace.
        kind: `RETRIEVAL`, `MODEL` or `TOOL`.
        turn: Number of the model call in its trace that the step belongs to, from 0.
        is_last_turn: Whether no further turn is planned.
        model: Index into `MODELS`.
    """

    trace: Ints
    kind: Ints
    turn: Ints
    is_last_turn: Flags
    model: Ints

    def rows(self, rows: Ints | Flags) -> "Plan":
        """Some of the steps, by number or by flag."""
        return Plan(
            self.trace[rows], self.kind[rows], self.turn[rows], self.is_last_turn[rows], self.model[rows]
        )


@dataclass(frozen=True)
class Steps:
    """Steps with their outcome, as parallel arrays in order of trace and start.

    Attributes:
        plan: What was planned.
        usage: Tokens.
        fault: Index into `FAULTS`, or `NO_FAULT`.
        is_failed: Whether the step ends its trace with an error.
        first_token_ms: Time to the first token.
        started_ns: Start, nanoseconds since 1970.
        ended_ns: End, nanoseconds since 1970.
    """

    plan: Plan
    usage: Usage
    fault: Ints
    is_failed: Flags
    first_token_ms: Floats
    started_ns: Ints
    ended_ns: Ints


def draw_steps(rng: np.random.Generator, traces: Traces) -> Steps:
    """The steps of the traces, retries included; nothing follows a step that failed for good.

    Args:
        rng: Source of randomness.
        traces: Traces of one day.
    """
    planned = _plan(rng, traces)
    first_fault = _faults(rng, traces, planned)
    is_retried = _is_retried(rng, first_fault)
    rows = np.repeat(np.arange(len(is_retried)), 1 + is_retried)
    is_retry = np.diff(rows, prepend=-1) == 0
    plan = planned.rows(rows)
    usage = draw_usage(rng, traces, planned.trace, planned.turn, planned.model).rows(rows)
    fault = np.where(is_retry, _faults(rng, traces, plan), first_fault[rows])
    is_failed = (fault != NO_FAULT) & (is_retry | ~is_retried[rows])
    is_reached = _running_sum(is_failed.astype(np.int64), plan.trace) - is_failed == 0
    first_token_ms, latency_ms = _durations(rng, traces, plan, usage, fault)
    pause_ms = np.where(is_retry, rng.uniform(500, 2_000, len(rows)), rng.uniform(1, 25, len(rows)))
    latency_ns = (latency_ms * 1e6).astype(np.int64)
    elapsed_ns = _running_sum((pause_ms * 1e6).astype(np.int64) + latency_ns, plan.trace)
    ended_ns = traces.started_ns[plan.trace] + elapsed_ns
    outcome = (fault, is_failed, first_token_ms, ended_ns - latency_ns, ended_ns)
    return Steps(plan.rows(is_reached), usage.rows(is_reached), *(column[is_reached] for column in outcome))


def _plan(rng: np.random.Generator, traces: Traces) -> Plan:
    turns = _turns(rng, traces)
    has_tools = np.array([feature.has_tools for feature in FEATURES])[traces.feature]
    has_retrieval = np.array([feature.has_retrieval for feature in FEATURES])[traces.feature]
    counts = has_retrieval + np.where(has_tools, 2 * turns - 1, turns)
    trace = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(trace)) - np.repeat(np.cumsum(counts) - counts, counts) - has_retrieval[trace]
    turn = np.maximum(np.where(has_tools[trace], place // 2, place), 0)
    kind = np.where(place < 0, RETRIEVAL, np.where(has_tools[trace] & (place % 2 == 1), TOOL, MODEL))
    return Plan(trace, kind, turn, turn == turns[trace] - 1, _models(rng, traces)[trace])


def _turns(rng: np.random.Generator, traces: Traces) -> Ints:
    """The number of model calls planned in each trace."""
    turns = np.zeros(len(traces.feature), dtype=np.int64)
    for index, feature in enumerate(FEATURES):
        rows = np.flatnonzero(traces.feature == index)
        turns[rows] = rng.choice(len(feature.turns), size=len(rows), p=feature.turns) + 1
    return np.where(traces.is_runaway, turns * RUNAWAY_CALL_FACTOR, turns)


def _models(rng: np.random.Generator, traces: Traces) -> Ints:
    """The model of each trace."""
    models = np.zeros(len(traces.feature), dtype=np.int64)
    for index, feature in enumerate(FEATURES):
        rows = np.flatnonzero(traces.feature == index)
        choices = [MODEL_INDEX[name] for name in feature.models]
        models[rows] = rng.choice(choices, size=len(rows), p=list(feature.models.values()))
    return models


def _faults(rng: np.random.Generator, traces: Traces, plan: Plan) -> Ints:
    """Index of the fault of each step, or `NO_FAULT`."""
    usual = np.cumsum([fault.share for fault in FAULTS])
    worse = np.cumsum([fault.incident_share for fault in FAULTS])
    luck = rng.random(len(plan.trace))
    is_worse = _is_incident(traces, plan)
    fault = np.where(is_worse, np.searchsorted(worse, luck), np.searchsorted(usual, luck))
    return np.where((plan.kind == MODEL) & (fault < len(FAULTS)), fault, NO_FAULT)


def _is_incident(traces: Traces, plan: Plan) -> Flags:
    is_incident: Flags = traces.is_incident[plan.trace] & (plan.model == _INCIDENT_MODEL)
    return is_incident


def _is_retried(rng: np.random.Generator, fault: Ints) -> Flags:
    # The entry at index -1 stands for NO_FAULT.
    can_retry = np.array([*(fault.is_retried for fault in FAULTS), False])
    is_retried: Flags = can_retry[fault] & (rng.random(len(fault)) < RETRY_SHARE)
    return is_retried


def _durations(
    rng: np.random.Generator, traces: Traces, plan: Plan, usage: Usage, fault: Ints
) -> tuple[Floats, Floats]:
    """Time to the first token and whole duration of each step, in milliseconds."""
    noise = rng.lognormal(0, 0.3, size=(2, len(fault)))
    slowdown = np.where(_is_incident(traces, plan), _INCIDENT_SLOWDOWN, 1.0)
    wait_ms = np.array([model.first_token_ms for model in MODELS])[plan.model]
    token_ms = np.array([model.token_ms for model in MODELS])[plan.model]
    uncached = usage.input_tokens - usage.cache_read_tokens
    first_token_ms = (wait_ms + _UNCACHED_TOKEN_MS * uncached) * noise[0] * slowdown
    answer_ms = first_token_ms + token_ms * usage.output_tokens * noise[1] * slowdown
    answer_ms = np.where(plan.kind == MODEL, answer_ms, np.array(_STEP_MS)[plan.kind] * noise[0])
    fault_ms = np.array([*(fault.latency_ms for fault in FAULTS), 0.0])[fault]
    fault_ms = np.where(fault_ms == TIMEOUT_MS, TIMEOUT_MS + noise[0], fault_ms * noise[0])
    # A client that gives up at the timeout sees no later answer.
    latency_ms = np.where(fault == NO_FAULT, np.minimum(answer_ms, TIMEOUT_MS), fault_ms)
    return np.minimum(first_token_ms, latency_ms), latency_ms


def _running_sum(values: Ints, group: Ints) -> Ints:
    """Sum of the values up to and with each row, anew in every group; groups are in order."""
    total = np.cumsum(values)
    first = np.searchsorted(group, group)
    before: Ints = (total - values)[first]
    return total - before
