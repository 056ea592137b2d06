"""What must hold before an effect is looked at."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from llmops_lib.comparing.arms import UNITS
from llmops_lib.comparing.monitoring import FIXED, Gap, Monitoring
from llmops_lib.comparing.prompt_metrics import METRICS
from llmops_lib.comparing.users import Users
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
    of_b = int(users.is_b.sum())
    of_a = len(users.is_b) - of_b
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
    moments, codes = calls["started_at"].to_physical(), users.owners.codes
    kept, sides = users.table["code"].to_numpy(), users.sides
    sizes = [int(users.table["call_count"].to_numpy()[side].sum()) for side in sides]
    if users.both_count:
        is_kept = np.isin(np.arange(users.owners.count), kept)[codes.to_numpy()]
        moments, codes = moments.filter(pl.Series(is_kept)), codes.filter(pl.Series(is_kept))
    bins = int(np.clip(min(sizes) // _CALLS_PER_BIN, 1, _MOST_BINS))
    instants = moments.to_numpy()
    low, high = (int(instants.min()), int(instants.max())) if len(instants) else (0, 0)
    # In place: of a million calls, each new array costs as much as the arithmetic.
    places = instants - low
    places *= bins
    places //= high - low + 1
    places *= users.owners.count
    places += codes.to_numpy()
    # A user counts once in a stretch, so that one who calls all day does not stand for an arm.
    is_there = np.zeros(bins * users.owners.count, dtype=bool)
    is_there[places] = True
    counts = [is_there.reshape(bins, -1)[:, kept[side]].sum(axis=1) for side in sides]
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


def _in_both(users: Users) -> Row:
    n, calls = users.both_count, users.both_call_count
    told = (
        f"{n:,} users with {calls:,} calls were in both arms and are left out" if n else "no user was in both"
    )
    if n and not all(side.stop - side.start for side in users.sides):
        told += (
            ", which leaves an arm without users; only users who met one prompt tell of it: give each user "
            "one of them with `assign`, or narrow the days"
        )
        return ("users in both arms", FAIL, n, n, None, told)
    return ("users in both arms", WARN if n else OK, n, n, None, told)


def _unit(calls: pl.DataFrame) -> Row:
    levels = [int((calls["level"] == place).sum()) for place in range(len(UNITS))]
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
    levels = [int((calls["level"] == place).sum()) for place in range(len(UNITS))]
    return UNITS[int(np.argmax(levels))]


def _missing(column: str, users: Users) -> Row:
    counts = users.table["call_count"].to_numpy()
    missing = counts - users.table[f"known_{column}"].to_numpy()
    if not missing.any():
        return (missing_check(column), OK, 0.0, 0.0, None, "none in either arm")
    arms = [ratio_of_sums(missing[side], counts[side]) for side in users.sides]
    a, b = (arm.value or 0.0 for arm in arms)
    p = None
    if a != b and min(arm.n_users for arm in arms) >= MIN_USERS:
        variances = (arms[1].variance or 0.0, arms[0].variance or 0.0)
        p = Monitoring(FIXED).p_value(Gap(b - a, variances, (arms[1].n_users, arms[0].n_users)))
        if min(arm.n_users for arm in arms) < APPROXIMATE_BELOW:
            names = users.names.to_list()
            p = cluster_permutation(missing, counts, users.is_b, user_ids=names).p_two_sided
    is_uneven = (p is not None and p < MISMATCH_BELOW) or (p is None and a != b and 1.0 in (a, b))
    told = f"{a:.1%} and {b:.1%} of the calls"
    if is_uneven:
        told += "; what one arm does not tell cannot be compared with what the other does"
    return (missing_check(column), FAIL if is_uneven else OK, a, b, p, told)
