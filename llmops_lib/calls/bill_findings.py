"""What the differences between traces and a bill say: one name for each kind of remainder."""

from collections.abc import Iterable
from functools import reduce
from operator import and_, or_

import polars as pl

from llmops_lib.calls.billed import COUNTED, TOKENS

_AGREES = "tokens and calls agree"
_NEGATIVE = "impossible bill: a token count is negative"
_NO_PROVIDER = "the traces name no provider, so that no bill can be theirs"
_NOT_COVERED = "the bill does not cover this day"
_NO_MODEL = "a cost that names no model: a tool, a credit, or costs not grouped by line"
_NO_USAGE = "no usage report for this model on this day: tokens cannot be compared"
_SHARED_NAME = "an undated model name that several billed models share"
_EXCLUSIVE = "convention error: traced input leaves out cache tokens that were billed"
_DOUBLE = "convention error: traced input counts cache tokens twice"
_NO_SPLIT = "convention error: traced input agrees in total, but not in what of it is cache"
_NO_REASONING = "convention error: traced output leaves out reasoning tokens"
_PARTIAL = "the bill covers only a part of this day"
_BOUNDARY = "day boundary: the next or the previous day differs by as much the other way"
_UNTRACED = "untraced calls: billed but not in the traces"
_WITHOUT_USAGE = "traced calls without token counts, such as streams"
_OTHER_COUNTS = "as many calls, but other token counts"
_UNBILLED = "traced but not billed: another key, organization or report, or answers of a cache"
_MIXED = "unexplained: some counts are above the bill and some below"
_UNPRICED = "unpriced model: traced calls without a cost"
_OTHER_PRICE = "same tokens, other cost: batch or tier, a discount, rounding or another price list"


def bill_finding() -> pl.Expr:
    """What the tokens of a row say, then after a semicolon what its money says.

    The order of the cases is part of their meaning: what a bill cannot tell comes before what it tells,
    and what proves its cause comes before what only fits one.

    Returns:
        Text; of rows with `traced_`, `billed_` and `difference_` columns, sorted by `billed_on`.
    """
    return pl.concat_str([_usage_finding(), _money_finding()], separator="; ", ignore_nulls=True)


def _usage_finding() -> pl.Expr:
    is_above = _every(_difference(name).fill_null(0) >= 0 for name in COUNTED)
    is_below = _every(_difference(name).fill_null(0) <= 0 for name in COUNTED)
    same_calls, has_unknown = _difference("call_count") == 0, pl.col("without_usage_count") > 0
    is_negative = reduce(or_, (pl.col(f"billed_{name}") < 0 for name in COUNTED))
    no_reasoning = _is_alike(*COUNTED[:-1]) & (
        _difference("output_tokens") == pl.col("traced_reasoning_tokens")
    )
    # One list, because the order is the rule.
    cases = (
        (is_negative, _NEGATIVE),
        (pl.col("provider").is_null(), _NO_PROVIDER),
        (~pl.col("has_usage") & ~pl.col("names_cost") & ~pl.col("has_split_cost"), _NOT_COVERED),
        (pl.col("model").is_null() & ~pl.col("is_whole"), _NO_MODEL),
        (same_calls.fill_null(value=True) & has_unknown, _WITHOUT_USAGE),
        (pl.col("billed_uncached_input_tokens").is_null(), _NO_USAGE),
        (_is_alike(*COUNTED), _AGREES),
        (_is_off_by_cache(-1) | (pl.col("exclusive_count") > 0), _EXCLUSIVE),
        (_is_off_by_cache(1), _DOUBLE),
        ((_inputs("traced") == _inputs("billed")) & _is_alike("call_count", "output_tokens"), _NO_SPLIT),
        (no_reasoning, _NO_REASONING),
        (pl.col("is_shared"), _SHARED_NAME),
        (_is_shifted(1) | _is_shifted(-1), _BOUNDARY),
        (pl.col("is_partial"), _PARTIAL),
        (same_calls, _OTHER_COUNTS),
        (is_above, _UNTRACED),
        (is_below, _UNBILLED),
    )
    return _first_of(cases, _MIXED)


def _money_finding() -> pl.Expr:
    apart = _difference("usd").abs() > 1e-9 + 1e-6 * pl.col("billed_usd").abs()
    is_same = _is_alike("call_count", *TOKENS) & pl.col("billed_uncached_input_tokens").is_not_null()
    return _first_of(((pl.col("unpriced_count") > 0, _UNPRICED), (is_same & apart, _OTHER_PRICE)), None)


def _is_off_by_cache(sign: int) -> pl.Expr:
    """Whether traced input differs from the bill by its cache reads, its cache writes, or both."""
    reads, writes = pl.col("billed_cache_read_tokens"), pl.col("billed_cache_write_tokens")
    off = _inputs("traced") - _inputs("billed")
    cases = [(off == sign * part) & (part > 0) for part in (reads, writes, reads + writes)]
    return reduce(or_, cases) & _is_alike("call_count", "output_tokens")


def _is_shifted(days: int) -> pl.Expr:
    other_on = pl.col("billed_on").shift(days).over("provider", "model")
    differences = [_difference(name).fill_null(0) for name in COUNTED]
    opposite = _every(each + each.shift(days).over("provider", "model") == 0 for each in differences)
    return opposite & ((pl.col("billed_on") - other_on) == pl.duration(days=days))


def _is_alike(*names: str) -> pl.Expr:
    return _every(_difference(name).fill_null(0) == 0 for name in names)


def _inputs(side: str) -> pl.Expr:
    return pl.sum_horizontal([f"{side}_{name}" for name in TOKENS[:3]])


def _difference(name: str) -> pl.Expr:
    return pl.col(f"difference_{name}")


def _every(conditions: Iterable[pl.Expr]) -> pl.Expr:
    return reduce(and_, conditions, pl.lit(value=True))


def _first_of(cases: Iterable[tuple[pl.Expr, str]], otherwise: str | None) -> pl.Expr:
    return pl.coalesce(
        *(pl.when(condition).then(pl.lit(text)) for condition, text in cases), pl.lit(otherwise)
    )
