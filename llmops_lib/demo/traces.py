"""One day of traffic: who starts which traces, and when."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from llmops_lib.demo.calibration import SESSION_LENGTHS, SESSION_PAUSE_SECONDS, Ints, hour_shares
from llmops_lib.demo.planted import RUNAWAY_FEATURE, RUNAWAY_TENANT, Calendar, Flags, epoch_ns
from llmops_lib.demo.world import FEATURE_INDEX, FEATURES, TENANTS, user_shares, user_tenants

_HOUR_NS = 3_600 * 10**9
_USER_TENANTS = np.array(user_tenants())
_USER_SHARES = user_shares()
_TENANT_SHARES = tuple(TENANTS.values())
_RUNAWAY_TENANT = list(TENANTS).index(RUNAWAY_TENANT)
_RUNAWAY_FEATURE = FEATURE_INDEX[RUNAWAY_FEATURE]
_FEATURE_SHARES = np.array([feature.share for feature in FEATURES])
_CALLS_PER_TRACE = sum(feature.share * feature.calls_per_trace for feature in FEATURES)


@dataclass(frozen=True)
class Traces:
    """Traces of a day as parallel arrays, in no order.

    Attributes:
        started_ns: Start, nanoseconds since 1970.
        session: Number of the session within the day.
        user: Number of the user.
        tenant: Index into `TENANTS`.
        feature: Index into `FEATURES`.
        release: Number of releases deployed before the trace started.
        is_runaway: Whether the agent loops in it.
        is_incident: Whether it started during the latency incident.
        is_changed: Whether it runs on the changed prompt.
        is_regressed: Whether it runs on the prompt that answers without its sources.
        arm: Arm of its user, where an experiment runs; none otherwise.
    """

    started_ns: Ints
    session: Ints
    user: Ints
    tenant: Ints
    feature: Ints
    release: Ints
    is_runaway: Flags
    is_incident: Flags
    is_changed: Flags
    is_regressed: Flags
    arm: tuple[str, ...] = ()


def draw_traces(rng: np.random.Generator, day: datetime, calendar: Calendar, calls_per_week: int) -> Traces:
    """The traces that start in sessions of one day.

    Args:
        rng: Source of randomness.
        day: Midnight at which the day starts, UTC.
        calendar: Weeks and planted events.
        calls_per_week: Model calls of an ordinary week.
    """
    hours = hour_shares(day.weekday())
    traces_per_week = calls_per_week / _CALLS_PER_TRACE
    lengths = _session_lengths(rng, int(rng.poisson(traces_per_week * hours.sum())))
    hour = rng.choice(24, size=len(lengths), p=hours / hours.sum())
    session_ns = epoch_ns(day) + ((hour + rng.random(len(lengths))) * _HOUR_NS).astype(np.int64)
    user = rng.choice(len(_USER_SHARES), size=len(lengths), p=_USER_SHARES)
    feature = rng.choice(len(FEATURES), size=len(lengths), p=_FEATURE_SHARES / _FEATURE_SHARES.sum())
    session = np.repeat(np.arange(len(lengths)), lengths)
    started_ns = session_ns[session] + _pauses_ns(rng, lengths)
    is_looping = _is_runaway(calendar, started_ns, user[session], feature[session])
    is_kept = (started_ns < epoch_ns(calendar.last.end)) & ~is_looping
    ordinary = (started_ns, session, user[session], feature[session])
    loops = _loops(rng, day, calendar, traces_per_week, first_session=len(lengths))
    return _traces(calendar, *(np.r_[row[is_kept], loop] for row, loop in zip(ordinary, loops, strict=True)))


def _traces(calendar: Calendar, started_ns: Ints, session: Ints, user: Ints, feature: Ints) -> Traces:
    deployments = [epoch_ns(calendar.deployed_at(week)) for week in range(calendar.weeks)]
    return Traces(
        started_ns=started_ns,
        session=session,
        user=user,
        tenant=_USER_TENANTS[user],
        feature=feature,
        release=np.searchsorted(deployments, started_ns, side="right"),
        is_runaway=_is_runaway(calendar, started_ns, user, feature),
        is_incident=calendar.latency_incident.covers(started_ns),
        is_changed=calendar.prompt_change.covers(started_ns),
        is_regressed=calendar.prompt_regression.covers(started_ns) & calendar.has_regression,
    )


def _is_runaway(calendar: Calendar, started_ns: Ints, user: Ints, feature: Ints) -> Flags:
    is_runaway: Flags = (
        calendar.cost_runaway.covers(started_ns)
        & (_USER_TENANTS[user] == _RUNAWAY_TENANT)
        & (feature == _RUNAWAY_FEATURE)
    )
    return is_runaway


def _loops(
    rng: np.random.Generator, day: datetime, calendar: Calendar, traces_per_week: float, *, first_session: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """Start, session, user and feature of the looping traces of the day.

    They replace the ordinary ones of that tenant, feature and time, in the number to be expected there:
    a handful, which chance must not make vanish.
    """
    runaway = calendar.cost_runaway
    shares = hour_shares(day.weekday())[runaway.start.hour : runaway.end.hour]
    of_all = _TENANT_SHARES[_RUNAWAY_TENANT] * FEATURES[_RUNAWAY_FEATURE].share
    is_today = runaway.start.date() == day.date()
    count = max(1, round(traces_per_week * shares.sum() * of_all)) if is_today else 0
    span_ns = epoch_ns(runaway.end) - epoch_ns(runaway.start)
    places = (np.arange(count) + rng.random(count)) / max(count, 1)
    started_ns = epoch_ns(runaway.start) + (places * span_ns).astype(np.int64)
    busiest = int(np.flatnonzero(_USER_TENANTS == _RUNAWAY_TENANT)[0])
    return (
        started_ns,
        first_session + np.arange(count),
        np.full(count, busiest),
        np.full(count, _RUNAWAY_FEATURE),
    )


def _session_lengths(rng: np.random.Generator, trace_count: int) -> Ints:
    """Lengths of sessions that together hold exactly that many traces."""
    shares = np.array(SESSION_LENGTHS) / sum(SESSION_LENGTHS)
    lengths = rng.choice(len(shares), size=trace_count, p=shares) + 1
    ends = np.cumsum(lengths)
    count = int(np.searchsorted(ends, trace_count))
    kept = lengths[: count + 1].copy()
    if len(kept):
        kept[-1] -= int(ends[count]) - trace_count
    return kept


def _pauses_ns(rng: np.random.Generator, lengths: Ints) -> Ints:
    """Time from the start of its session to each trace."""
    middle, high = np.log(SESSION_PAUSE_SECONDS)
    # The 90% point of a normal distribution lies 1.2816 deviations above its middle.
    pauses = rng.lognormal(middle, (high - middle) / 1.2816, size=int(lengths.sum()))
    firsts = np.cumsum(lengths) - lengths
    pauses[firsts] = 0
    waited = np.cumsum(pauses)
    since_start: Ints = ((waited - np.repeat(waited[firsts], lengths)) * 10**9).astype(np.int64)
    return since_start
