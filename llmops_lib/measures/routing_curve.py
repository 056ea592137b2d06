"""How good a router is where both models answered every question: quality by the share of strong calls."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.errors import ParameterError, SchemaError
from llmops_lib.frames import collected, narwhal
from llmops_lib.stats.threshold_sweep import swept

Router = Literal["score", "random", "oracle"]

_Floats = npt.NDArray[np.float64]
_CPT = (20, 50, 80)
_LEAST_SE = 2.0


def routing_curve(
    outcomes: Any, *, router: Router = "score", points: int | None = None, cluster: str = ""
) -> pl.DataFrame:
    """Quality and cost at every share of questions that a router sends to the strong model.

    Args:
        outcomes: One row per question, on any engine; uses `strong_score`, `weak_score` (quality of the two
            answers), for `router="score"` `router_score` (the higher, the rather strong), and
            `strong_cost_usd`, `weak_cost_usd` where both are there.
        router: `score` routes by `router_score`, ties together; `random` is the mean over all routers by
            chance; `oracle` knows both scores and sends what gains most to the strong model first.
        points: Thresholds at this many quantiles of `router_score`; None takes every distinct one. For the
            other routers the number of equal steps, 100 without it.
        cluster: Column whose equal values make questions alike, such as a topic; empty takes each question
            as independent.

    Returns:
        A polars DataFrame by `strong_share` upwards, 0 and 1 included: `strong_share`, `quality`, `pgr`
        (share of the gap between the models that is recovered), `quality_se`, `pgr_se` (standard errors by
        the delta method, null for routers without scores), `cost_usd` (mean per question, null where not
        recorded). `pgr` is null where the gap is less than two of its standard errors: there is nothing to
        recover.

    Raises:
        MissingColumnError: If a column is missing.
        SchemaError: If there is no question, or one without both scores.
        ParameterError: If the router is unknown, or `points` below 1.

    Source:
        Ong et al. (2024), RouteLLM: Learning to Route LLMs with Preference Data, arXiv:2406.18665, section 3.

    Example:
        >>> outcomes = pl.DataFrame({"strong_score": [1, 1, 1, 0], "weak_score": [0, 0, 1, 0]})
        >>> routing_curve(outcomes, router="oracle", points=2)["quality"].to_list()
        [0.25, 0.75, 0.75]
    """
    if router not in ("score", "random", "oracle"):
        msg = f"router {router!r} is unknown; expected score, random or oracle"
        raise ParameterError(msg)
    if points is not None and points < 1:
        msg = f"points: found {points}, expected 1 or more"
        raise ParameterError(msg)
    table = _checked(outcomes, ["router_score"] if router == "score" else [], cluster)
    strong, weak = (table[name].to_numpy() for name in ("strong_score", "weak_score"))
    costs = _costs(table)
    if router != "score":
        shares = np.linspace(0, 1, (points or 100) + 1)
        return _curve(shares, *_planned(router, shares, strong, weak, costs), table)
    return _by_score(table, strong, weak, points, cluster)


def routing_summary(curve: Any) -> pl.DataFrame:
    """What a curve comes to: the quality of both models, and how soon the router recovers the gap.

    Args:
        curve: What `routing_curve` returns.

    Returns:
        One row, whatever the order of the points: `apgr` (area under `pgr` over `strong_share`; 0.5 by
        chance), `cpt_20_share`, `cpt_50_share`, `cpt_80_share` (least share of strong calls that recovers so
        many percent of the gap, interpolated between points; null where it never does), all null where
        there is no gap to recover.

    Source:
        As for `routing_curve`: equations 3 to 5 there.
    """
    table = collected(narwhal(curve, columns=["strong_share", "quality", "pgr"]).to_native())
    names = ["apgr", *(f"cpt_{percent}_share" for percent in _CPT)]
    values: list[float | None] = [None] * len(names)
    table = table.sort("strong_share")
    if table.height and not table["pgr"].null_count():
        shares, pgr = table["strong_share"].to_numpy(), table["pgr"].to_numpy()
        reached = [_first_reaching(percent / 100, shares, pgr) for percent in _CPT]
        values = [float(np.trapezoid(pgr, shares)), *reached]
    return pl.DataFrame([values], schema=dict.fromkeys(names, pl.Float64), orient="row")


def _checked(outcomes: Any, more: list[str], cluster: str) -> pl.DataFrame:
    columns = ["strong_score", "weak_score", *more]
    numbers = [pl.col(name).cast(pl.Float64, strict=False).fill_nan(None) for name in columns]
    used = [*columns, *([cluster] if cluster else [])]
    table = collected(narwhal(outcomes, columns=used).to_native()).with_columns(numbers)
    known = table.drop_nulls(columns).height
    if not table.height or known < table.height:
        msg = (
            f"outcomes: {known} of {table.height} rows have {', '.join(columns)}; expected all of at least "
            "one. "
            "A question that only one model answered says nothing of the gap: leave it out and count it"
        )
        raise SchemaError(msg)
    return table


def _costs(table: pl.DataFrame) -> tuple[_Floats, _Floats]:
    names = ("strong_cost_usd", "weak_cost_usd")
    if not all(name in table.columns for name in names):
        unknown = np.full(table.height, np.nan)
        return unknown, unknown
    strong, weak = (table[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in names)
    return strong, weak


def _by_score(
    table: pl.DataFrame, strong: _Floats, weak: _Floats, points: int | None, cluster: str
) -> pl.DataFrame:
    scores = table["router_score"].to_numpy()
    steps = np.linspace(0, 1, (points or 1) + 1)[:-1]
    thresholds = np.unique(scores) if points is None else np.quantile(scores, steps)
    groups = table[cluster].rank("dense").fill_null(0).to_numpy() if cluster else np.arange(table.height)
    codes = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    sweep = swept(scores, strong, weak, codes, thresholds)
    order = np.argsort(-scores, kind="stable")
    strong_cost, weak_cost = _costs(table)
    more = np.concatenate([[0.0], np.cumsum((strong_cost - weak_cost)[order])])[sweep.strong_counts]
    shares = sweep.strong_counts / table.height
    costs = weak_cost.mean() + more / table.height
    # Of a single cluster nothing says how much it varies: the formula gives zero.
    errors = (sweep.quality_se, sweep.pgr_se) if codes.max() > 0 else None
    return _curve(shares, sweep.quality, costs, table, errors)


def _planned(
    router: Router, shares: _Floats, strong: _Floats, weak: _Floats, costs: tuple[_Floats, _Floats]
) -> tuple[_Floats, _Floats]:
    count, gap = len(strong), strong - weak
    if router == "random":
        mean_costs = costs[1].mean() + shares * (costs[0].mean() - costs[1].mean())
        return weak.mean() + shares * gap.mean(), mean_costs
    # The oracle may leave a question with the weak model although its share would allow the strong one.
    gains = np.sort(np.clip(gap, 0, None))[::-1]
    gained = np.concatenate([[0.0], np.cumsum(gains)])
    spent = np.full_like(shares, np.nan)
    return weak.mean() + np.interp(shares * count, np.arange(count + 1), gained) / count, spent


def _curve(
    shares: _Floats,
    qualities: _Floats,
    spends: _Floats,
    table: pl.DataFrame,
    errors: tuple[_Floats, _Floats] | None = None,
) -> pl.DataFrame:
    weak, gaps = (
        float(table["weak_score"].to_numpy().mean()),
        (table["strong_score"] - table["weak_score"]).to_numpy(),
    )
    gap = float(gaps.mean())
    gap_se = float(np.std(gaps, ddof=min(1, len(gaps) - 1))) / len(gaps) ** 0.5
    has_gap = gap != 0 and abs(gap) >= _LEAST_SE * gap_se
    unknown = np.full(len(shares), np.nan)
    quality_se, pgr_se = errors or (unknown, unknown)
    columns = {
        "strong_share": shares,
        "quality": qualities,
        "pgr": (qualities - weak) / gap if has_gap else unknown,
        "quality_se": quality_se,
        "pgr_se": pgr_se if has_gap else unknown,
        "cost_usd": spends,
    }
    return pl.DataFrame(columns).with_columns(pl.all().fill_nan(None))


def _first_reaching(level: float, shares: _Floats, pgr: _Floats) -> float | None:
    above = np.flatnonzero(pgr >= level - 1e-12)
    if not len(above):
        return None
    place = above[0]
    if place == 0:
        return float(shares[0])
    low, high = pgr[place - 1], pgr[place]
    return float(shares[place - 1] + (level - low) / (high - low) * (shares[place] - shares[place - 1]))
