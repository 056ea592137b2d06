"""Two sides of a signal held against each other, value by value: what each contributes to the change."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import polars as pl

_PRIOR_CALLS = 20.0
"""Weight of the share of all calls in the usual share of a group, in calls, at the least."""

_SIDE = ("seen", "bad")


@dataclass(frozen=True)
class Sides:
    """Counts before and during, by all columns that explain.

    Attributes:
        cells: The columns, and `seen_before`, `bad_before`, `seen_during`, `bad_during`; of spend, `seen` is
            calls and `bad` is USD, scaled before to the length of the incident.
        is_amount: Whether `bad` is an amount and not a part of `seen`.
        unit_size: What one event adds to an amount, USD: its noise; 1 for shares.
    """

    cells: pl.DataFrame
    is_amount: bool
    unit_size: float = 1.0


def both_sides(before: pl.DataFrame, during: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The cells of two tables of counts side by side, zero where one has none.

    Args:
        before: `by`, `seen_count`, `bad_count`.
        during: The same.
        by: Columns.
    """
    parts = [
        table.select(
            *by,
            *(
                (pl.col(f"{name}_count") if side == own else pl.lit(0))
                .cast(pl.Float64)
                .alias(f"{name}_{side}")
                for name in _SIDE
                for side in ("before", "during")
            ),
        )
        for own, table in (("before", before), ("during", during))
    ]
    return summed(pl.concat(parts), by)


def summed(cells: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The cells summed to coarser groups."""
    sums = [pl.col(f"{name}_{side}").sum() for name in _SIDE for side in ("before", "during")]
    return cells.group_by(by, maintain_order=True).agg(sums) if by else cells.select(sums)


def contrasted(sides: Sides, by: Sequence[str]) -> pl.DataFrame:
    """Each group's part of the change; the parts of all groups add up to the change.

    A share is a sum over groups of their part of the calls times their own share. Its change is split, at the
    middle of both sides, into what the groups' own shares did (`rate`) and what shifting calls between them
    did (`mix`): `rate = (w1 + w0)/2 (r1 - r0)`, `mix = (w1 - w0) ((r1 + r0)/2 - R0)`, where R0 is the share
    of all calls before; they add up exactly. A group that one side lacks has the share of all calls there.

    Args:
        sides: Counts.
        by: Columns.

    Returns:
        One row per group: `by`, the counts, `contribution`, `rate_part`, `mix_part` (of an amount: null),
        `change` (of the whole), `explained_share`, `evidence` (log-likelihood ratio of the group's own
        change), `surprise` (its term of the Jensen-Shannon divergence between the bad ones of both sides).

    Source:
        Bhagwan et al. (2014), Adtributor, for explained share and surprise; Kulldorff (1997), A Spatial Scan
        Statistic, for the evidence.
    """
    groups = summed(sides.cells, by)
    total = {name: float(groups[name].sum()) for name in groups.columns if name not in by}
    stood_in = _with_stand_in(groups, sides, by, total)
    parts = _amounts(sides.unit_size) if sides.is_amount else _shares(total)
    whole = _change(total, is_amount=sides.is_amount)
    p, q = (pl.col(f"bad_{side}") / max(total[f"bad_{side}"], 1e-12) for side in ("before", "during"))
    return (
        stood_in.with_columns(parts)
        .with_columns(
            pl.lit(whole).alias("change"),
            (pl.col("contribution") / whole if whole else pl.lit(None, pl.Float64)).alias("explained_share"),
            (0.5 * (_divergence(p, q) + _divergence(q, p))).alias("surprise"),
        )
        .drop("stand_in")
    )


def _with_stand_in(
    groups: pl.DataFrame, sides: Sides, by: Sequence[str], total: dict[str, float]
) -> pl.DataFrame:
    """With `stand_in`: what to expect of a group that was not seen before.

    What is new replaced something: as a part of its calls, what all calls had; of a pair, what the part of it
    had that was seen before, the worse where both were.
    """
    whole = _part(pl.DataFrame([total]), sides, "stand_in", total)["stand_in"].item()
    names = [f"_stand_in_{place}" for place in range(len(by))]
    for name, column in zip(names, by if len(by) > 1 else (), strict=False):
        part = _part(summed(sides.cells, [column]), sides, name, total).filter(pl.col("seen_before") > 0)
        groups = groups.join(part.select(column, name), on=column, how="left", nulls_equal=True)
    there = [pl.col(name) for name in names if name in groups.columns]
    expected = pl.max_horizontal(*there).fill_null(whole) if there else pl.lit(whole)
    rated = expected * pl.col("seen_during") if sides.is_amount else expected
    return groups.with_columns(rated.alias("stand_in")).drop(names, strict=False)


def _part(table: pl.DataFrame, sides: Sides, name: str, total: dict[str, float]) -> pl.DataFrame:
    seen = pl.col("seen_during" if sides.is_amount else "seen_before")
    raw = pl.col("bad_before") / pl.max_horizontal(seen, pl.lit(1.0))
    part = raw if sides.is_amount else _steadied(pl.lit(_prior(total)))
    return table.with_columns(part.alias(name))


def _prior(total: dict[str, float]) -> float:
    """The usual share of all calls."""
    return (total["bad_before"] + 0.5) / (total["seen_before"] + 1.0)


def _steadied(base: pl.Expr) -> pl.Expr:
    """The usual share of a group, drawn to a base by as many calls as have one bad among them.

    One or two bad ones among a hundred calls, where one in a thousand is usual, are chance and no habit.
    """
    weight = pl.max_horizontal(pl.lit(_PRIOR_CALLS), 1 / base)
    return (pl.col("bad_before") + weight * base) / (pl.col("seen_before") + weight)


def _change(total: dict[str, float], *, is_amount: bool) -> float:
    if is_amount:
        return total["bad_during"] - total["bad_before"]
    shares = [
        total[f"bad_{side}"] / total[f"seen_{side}"] if total[f"seen_{side}"] else 0.0
        for side in ("during", "before")
    ]
    return shares[0] - shares[1]


def _divergence(p: pl.Expr, q: pl.Expr) -> pl.Expr:
    return pl.when(p > 0).then(p * (2 * p / (p + q)).log()).otherwise(0.0)


def _amounts(unit_size: float) -> list[pl.Expr]:
    now, before = pl.col("bad_during"), pl.col("bad_before")
    expected = pl.when(pl.col("seen_before") > 0).then(before).otherwise("stand_in")
    floored = pl.max_horizontal(expected, pl.lit(unit_size / 2))
    ratio = (now * (now / floored).log() - (now - floored)) / unit_size
    nothing = pl.lit(None, pl.Float64)
    return [
        (now - before).alias("contribution"),
        nothing.alias("rate_part"),
        nothing.alias("mix_part"),
        pl.when(now > floored).then(ratio).otherwise(0.0).alias("evidence"),
    ]


def _shares(total: dict[str, float]) -> list[pl.Expr]:
    whole = {side: total[f"bad_{side}"] / max(total[f"seen_{side}"], 1.0) for side in ("before", "during")}
    w1, w0 = (pl.col(f"seen_{side}") / max(total[f"seen_{side}"], 1.0) for side in ("during", "before"))
    usual = (
        pl.when(pl.col("seen_before") > 0)
        .then(pl.col("bad_before") / pl.col("seen_before"))
        .otherwise(whole["before"])
    )
    now = (
        pl.when(pl.col("seen_during") > 0)
        .then(pl.col("bad_during") / pl.col("seen_during"))
        .otherwise(whole["during"])
    )
    rate = (w1 + w0) / 2 * (now - usual)
    mix = (w1 - w0) * ((now + usual) / 2 - whole["before"])
    prior = _prior(total)
    own = _steadied(pl.max_horizontal(pl.lit(prior), "stand_in"))
    # Never having failed in a thousand calls is no stronger evidence than being like all others.
    known = pl.max_horizontal(own, pl.lit(prior))
    expected = pl.when(pl.col("seen_before") > 0).then(known).otherwise(pl.max_horizontal(known, "stand_in"))
    return [
        (rate + mix).alias("contribution"),
        rate.alias("rate_part"),
        mix.alias("mix_part"),
        pl.when(now > expected)
        .then(pl.col("seen_during") * _relative_entropy(now, expected))
        .otherwise(0.0)
        .alias("evidence"),
    ]


def _relative_entropy(now: pl.Expr, usual: pl.Expr) -> pl.Expr:
    hit = pl.when(now > 0).then(now * (now / usual).log()).otherwise(0.0)
    missed = pl.when(now < 1).then((1 - now) * ((1 - now) / (1 - usual)).log()).otherwise(0.0)
    return hit + missed


def candidates(sides: Sides, by: Sequence[str]) -> pl.DataFrame:
    """Every value of every column and every pair of values, with its part of the change.

    Returns:
        The columns of `contrasted` and `columns`, `values` (lists of one or two texts); unknown values are
        left out.
    """
    tables = [_listed(contrasted(sides, [name]), [name]) for name in by]
    single = pl.concat(tables)
    # A pair cannot say more than its parts: only columns in which some value tells something are paired.
    telling = [name for name, table in zip(by, tables, strict=True) if (table["explained_share"] > 0.1).any()]
    pairs = [_listed(contrasted(sides, list(pair)), list(pair)) for pair in combinations(telling, 2)]
    return pl.concat([single, *pairs])


def _listed(table: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    known = table.drop_nulls(by)
    return known.select(
        pl.lit(by, pl.List(pl.String)).alias("columns"), pl.concat_list(by).alias("values"), pl.exclude(by)
    )
