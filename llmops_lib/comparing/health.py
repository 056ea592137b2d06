"""What must hold before an effect is looked at."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from llmops_lib.comparing.arms import UNITS
from llmops_lib.comparing.monitoring import FIXED, Gap, Monitoring
from llmops_lib.comparing.prompt_metrics import METRICS
from llmops_lib.comparing.users import Flags, Users, in_candidate
from llmops_lib.stats.cluster_permutation import cluster_permutation
from llmops_lib.stats.ratios import MIN_USERS, ratio_of_sums
from llmops_lib.stats.sample_ratio import MISMATCH_BELOW, sample_ratio
from llmops_lib.stats.welch import APPROXIMATE_BELOW

Row = tuple[str, str, float, float, float | None, str]
"""A row of `HEALTH_SCHEMA`."""

OK, WARN, FAIL = "ok", "warn", "fail"
HEALTH_SCHEMA = pl.Schema(
    {
        "check": pl.String,
        "state": pl.String,
        "a": pl.Float64,
        "b": pl.Float64,
        "p_value": pl.Float64,
        "what": pl.String,
    }
)
_LEAST_OVERLAP, _GOOD_OVERLAP = 0.5, 0.8
_MOST_BINS, _CALLS_PER_BIN = 24, 20
_TOLD = {
    "cost_usd": "cost",
    "latency_ms": "latency",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
}


def health_rows(calls: pl.DataFrame, users: Users, split: Sequence[float]) -> pl.DataFrame:
    """One row per check, `HEALTH_SCHEMA`; `fail` voids what it is about.

    Args:
        calls: What `arm_calls` returns.
        users: Its users.
        split: Planned split of users, baseline first.
    """
    rows = [
        _split(users, split),
        _in_both(users),
        _at_once(calls, users),
        _unit(calls),
        *(_missing(column, users) for column in _missing_columns()),
    ]
    return pl.DataFrame(rows, schema=HEALTH_SCHEMA, orient="row")


def missing_check(column: str) -> str:
    """Name of the check on calls without a value.

    Example:
        >>> missing_check("cost_usd")
        'calls without cost'
    """
    return f"calls without {_TOLD[column]}"


def _missing_columns() -> list[str]:
    return list(dict.fromkeys(metric.missing for metric in METRICS if metric.missing))


def _split(users: Users, split: Sequence[float]) -> Row:
    of_a, of_b = users.sizes
    found = sample_ratio([of_a, of_b], split)
    planned = ":".join(f"{part:g}" for part in split)
    told = f"{of_a:,} and {of_b:,} users, planned {planned}"
    if found.is_mismatch:
        told += (
            "; such a gap is no chance: assignment or logging lost users of one arm. Pass `split` if another "
            "split was planned"
        )
    return ("split of users", FAIL if found.is_mismatch else OK, of_a, of_b, found.p_value, told)


def _at_once(calls: pl.DataFrame, users: Users) -> Row:
    """Whether the arms ran at the same time: the overlap of when their users called, by equal stretches."""
    sizes = [arm.call_count for arm in users.arms]
    bins = int(np.clip(min(sizes) // _CALLS_PER_BIN, 1, _MOST_BINS))
    is_there = _users_at(calls["started_at"], users, bins)
    counts = [np.array([np.count_nonzero(at[arm.place]) for at in is_there]) for arm in users.arms]
    shares = [found / max(int(found.sum()), 1) for found in counts]
    overlap = float(np.minimum(*shares).sum())
    state = FAIL if overlap < _LEAST_OVERLAP else WARN if overlap < _GOOD_OVERLAP else OK
    told = f"users of both arms called at the same times to {overlap:.0%}"
    if not all(sizes):
        told = "an arm has no users to tell by"
    elif state != OK:
        told += (
            "; what else changed in between (an incident, a weekday, a price) would pass for the prompt: "
            "narrow the days to those in which both ran"
        )
    return ("arms ran at once", state, overlap, overlap, None, told)


def _users_at(started_at: pl.Series, users: Users, bins: int) -> Flags:
    """Whether each user called in each of equal stretches of the time in which both arms ran, a row each."""
    owners = users.arms[0].owners
    moments, codes = started_at.to_physical(), owners.codes
    if users.both_count:
        is_kept = codes < sum(users.sizes)
        moments, codes = moments.filter(is_kept), codes.filter(is_kept)
    instants = moments.to_numpy()
    low, high = (int(instants.min()), int(instants.max())) if len(instants) else (0, 0)
    # In place: of a million calls, each new array costs as much as the arithmetic.
    places = instants - low
    places *= bins
    places //= high - low + 1
    places *= owners.count
    places += codes.to_numpy()
    # A user counts once in a stretch, so that one who calls all day does not stand for an arm.
    is_there = np.zeros(bins * owners.count, dtype=bool)
    is_there[places] = True
    return is_there.reshape(bins, -1)


def _in_both(users: Users) -> Row:
    n, calls = users.both_count, users.both_call_count
    told = (
        f"{n:,} users with {calls:,} calls were in both arms and are left out" if n else "no user was in both"
    )
    if n and not all(users.sizes):
        told += (
            ", which leaves an arm without users; only users who met one prompt tell of it: give each user "
            "one of them with `assign`, or narrow the days"
        )
        return ("users in both arms", FAIL, n, n, None, told)
    return ("users in both arms", WARN if n else OK, n, n, None, told)


def _unit(calls: pl.DataFrame) -> Row:
    levels = _calls_by_unit(calls)
    rest = [f"{count:,} count by {unit}" for unit, count in zip(UNITS[1:], levels[1:], strict=True) if count]
    told = f"{levels[0]:,} of {calls.height:,} calls name their user"
    if rest:
        told += f"; {' and '.join(rest)}, which takes calls for more independent than they are"
    return ("calls with a user", WARN if rest else OK, levels[0], levels[0], None, told)


def unit_of(calls: pl.DataFrame) -> str:
    """What most calls are counted by: `user`, `session` or `trace`.

    Args:
        calls: What `arm_calls` returns.
    """
    return UNITS[int(np.argmax(_calls_by_unit(calls)))]


def _calls_by_unit(calls: pl.DataFrame) -> tuple[int, int, int]:
    by_user = int(calls["has_user"].sum())
    by_session = int((~calls["has_user"] & calls["has_session"]).sum())
    return by_user, by_session, calls.height - by_user - by_session


def _missing(column: str, users: Users) -> Row:
    counts = [arm.table["call_count"].to_numpy() for arm in users.arms]
    known = [arm.table[f"known_{column}"].to_numpy() for arm in users.arms]
    missing = [of_all - of_known for of_all, of_known in zip(counts, known, strict=True)]
    if not any(found.any() for found in missing):
        return (missing_check(column), OK, 0.0, 0.0, None, "none in either arm")
    arms = [ratio_of_sums(*found) for found in zip(missing, counts, strict=True)]
    a, b = (arm.value or 0.0 for arm in arms)
    p = None
    if a != b and min(arm.n_users for arm in arms) >= MIN_USERS:
        variances = (arms[1].variance or 0.0, arms[0].variance or 0.0)
        p = Monitoring(FIXED).p_value(Gap(b - a, variances, (arms[1].n_users, arms[0].n_users)))
        if min(arm.n_users for arm in arms) < APPROXIMATE_BELOW:
            tops, bottoms = np.concatenate(missing), np.concatenate(counts)
            names = pl.concat([arm.names for arm in users.arms]).to_list()
            p = cluster_permutation(tops, bottoms, in_candidate(users.sizes), user_ids=names).p_two_sided
    is_uneven = (p is not None and p < MISMATCH_BELOW) or (p is None and a != b and 1.0 in (a, b))
    told = f"{a:.1%} and {b:.1%} of the calls"
    if is_uneven:
        told += "; what one arm does not tell cannot be compared with what the other does"
    return (missing_check(column), FAIL if is_uneven else OK, a, b, p, told)
