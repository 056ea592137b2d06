"""What traffic is like now against what it was, or against a suite: script, tools, retrievals."""

from typing import Any, NamedTuple

import polars as pl

from llmops_lib.frames import collected, narwhal
from llmops_lib.stats.clustered_difference import clustered_share_difference
from llmops_lib.stats.inputs import between_zero_and_one

TRAITS = {
    "script": "script",
    "tool called": "called_tools",
    "tool offered": "offered_tools",
    "tool calls": "tool_call_count",
    "retrievals": "retrieval_count",
    "documents": "document_count",
}
"""Traits by name, with the column of `trace_traits` that holds them."""

NONE = "none"
OTHERS = "all others"
_BANDS = ((0, "0"), (1, "1"), (2, "2"), (5, "3 to 5"), (10, "6 to 10"))
_MOST_VALUES = 12
_NAMES = ("fresh", "before")
_SCHEMA = pl.Schema(
    {
        "trait": pl.String,
        "value": pl.String,
        "before_share": pl.Float64,
        "fresh_share": pl.Float64,
        "change": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "is_clear": pl.Boolean,
        "before_count": pl.Int64,
        "fresh_count": pl.Int64,
        "before_known_count": pl.Int64,
        "fresh_known_count": pl.Int64,
        "before_unknown_share": pl.Float64,
        "fresh_unknown_share": pl.Float64,
        "fresh_unit_count": pl.Int64,
        "reason": pl.String,
    }
)


class _Side(NamedTuple):
    """Traces of one side of whom a trait is known, and the values that they have."""

    known: pl.DataFrame
    held: pl.DataFrame
    trace_count: int


def trait_shifts(fresh: Any, before: Any, *, alpha: float = 0.05) -> pl.DataFrame:
    """Shares of traces by trait, now and before, with the change and its interval; the largest change first.

    Shares are of traces of which a trait is known; how many it is not known of stands beside them. Limits
    hold for all rows together (Bonferroni) and cluster by user, so that one talkative user is no shift.

    Args:
        fresh: `trace_traits` of production now.
        before: The same of the period before, or `case_traits` of a suite.
        alpha: Chance that any limit of the table is wrong.

    Returns:
        One row per trait (`TRAITS`) and value: `trait`, `value` (a script; a tool, `none`, `all others` past
        the twelve most frequent; a number of calls, or of documents of traces that retrieve; null where a
        side knows nothing of the trait), `before_share`, `fresh_share`, `change`, `lower`, `upper`,
        `is_clear` (the limits exclude 0), `before_count`, `fresh_count` (traces with it),
        `before_known_count`, `fresh_known_count`, `before_unknown_share`, `fresh_unknown_share`,
        `fresh_unit_count` (users with it), `reason`. No rows where a
        side has no trace.

    Raises:
        MissingColumnError: If a column is missing.
        EstimateError: If alpha is not between 0 and 1.

    Source:
        As `clustered_share_difference`; Dunn, JASA 56 (1961).

    Example:
        >>> nothing = {"called_tools": None, "offered_tools": None, "tool_call_count": None}
        >>> def traits(*names):
        ...     rows = [{"unit": at, "script": name, **nothing} for at, name in enumerate(names)]
        ...     return pl.DataFrame(rows).with_columns(retrieval_count=0, document_count=0)
        >>> found = trait_shifts(traits(*["Thai"] * 30, *["Latin"] * 70), traits(*["Latin"] * 100))
        >>> found.select("trait", "value", pl.col("change").round(2), "is_clear").row(0)
        ('script', 'Latin', -0.3, True)
    """
    between_zero_and_one(alpha, "alpha")
    needed = ["unit", *TRAITS.values()]
    tables = [collected(narwhal(side, columns=needed).to_native()) for side in (fresh, before)]
    asked = [
        (trait, value, sides)
        for trait, column in TRAITS.items()
        for sides in [_pooled([_side(_applicable(table, trait), column) for table in tables])]
        for value in _asked(sides)
    ]
    if not all(table.height for table in tables):
        return pl.DataFrame(schema=_SCHEMA)
    tests = sum(value is not None for _, value, _ in asked)
    rows = [
        {"trait": trait} | _compared(value, sides, alpha / max(tests, 1)) for trait, value, sides in asked
    ]
    found = pl.DataFrame(rows, schema=_SCHEMA)
    largest = pl.col("change").abs()
    return found.sort(largest, "trait", "value", descending=[True, False, False], nulls_last=True)


def _applicable(traits: pl.DataFrame, trait: str) -> pl.DataFrame:
    """Documents are asked of traces that retrieve, or may; that others have none says nothing."""
    retrieves = pl.col("retrieval_count").is_null() | (pl.col("retrieval_count") > 0)
    return traits.filter(retrieves) if trait == "documents" else traits


def _side(traits: pl.DataFrame, column: str) -> _Side:
    dtype, held = traits.schema[column], pl.col(column)
    if isinstance(dtype, pl.List):
        # An empty list says that there are none, and explodes to null.
        listed = held.cast(pl.List(pl.String))
        value = pl.when(held.list.len() == 0).then(pl.lit([NONE], pl.List(pl.String))).otherwise(listed)
    else:
        text = _band(held) if dtype.is_integer() else held.cast(pl.String)
        value = pl.concat_list(text)
    units = pl.col("unit").cast(pl.String)
    known = traits.with_row_index("row").filter(held.is_not_null()).select("row", unit=units, value=value)
    return _Side(known.drop("value"), known.explode("value").drop_nulls("value"), traits.height)


def _band(count: pl.Expr) -> pl.Expr:
    name = pl.lit("11 or more")
    for most, told in reversed(_BANDS):
        name = pl.when(count <= most).then(pl.lit(told)).otherwise(name)
    return name


def _pooled(sides: list[_Side]) -> list[_Side]:
    """The same with values beyond the most frequent as one."""
    counted = _counted(sides)
    if len(counted) <= _MOST_VALUES + 1:
        return sides
    is_kept = pl.col("value").is_in(counted[:_MOST_VALUES])
    value = pl.when(is_kept).then("value").otherwise(pl.lit(OTHERS))
    return [side._replace(held=side.held.with_columns(value.alias("value")).unique()) for side in sides]


def _counted(sides: list[_Side]) -> list[str]:
    every = pl.concat(side.held for side in sides).group_by("value").len()
    return every.sort("len", "value", descending=[True, False])["value"].to_list()


def _asked(sides: list[_Side]) -> list[str | None]:
    return [*_counted(sides)] if all(side.known.height for side in sides) else [None]


def _compared(value: str | None, sides: list[_Side], alpha: float) -> dict[str, Any]:
    told: dict[str, Any] = {"value": value}
    for name, side in zip(_NAMES, sides, strict=True):
        known = side.known.height
        told[f"{name}_known_count"] = known
        told[f"{name}_unknown_share"] = 1 - known / side.trace_count if side.trace_count else None
    if value is None:
        return told | {"reason": "not_recorded"}
    has = [side.known["row"].is_in(side.held.filter(value=value)["row"].implode()) for side in sides]
    for name, one in zip(_NAMES, has, strict=True):
        told |= {f"{name}_count": int(one.sum()), f"{name}_share": one.mean()}
    told["fresh_unit_count"] = sides[0].known.filter(has[0])["unit"].n_unique()
    users, users_before = (side.known["unit"].to_list() for side in sides)
    limits = clustered_share_difference(has[0], users, has[1], users_before, alpha=alpha)
    return told | {
        "change": told["fresh_share"] - told["before_share"],
        "lower": limits.lower,
        "upper": limits.upper,
        "is_clear": None
        if limits.lower is None or limits.upper is None
        else not limits.lower <= 0 <= limits.upper,
        "reason": ", ".join(limits.reasons) or None,
    }
