"""How each source counts tokens, and what reading its counts the wrong way would cost.

`input_tokens` must contain cache reads and writes. Sources that leave them out are *exclusive*; their
counts taken as they are under-state the input and mis-price the call.
"""

from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw

from llmops_lib.calls import PRICE_HINT, Frame, model_calls, ordered, portable, tally
from llmops_lib.calls.token_evidence import (
    attribute_count,
    attribute_text,
    cache_exceeds_input,
    cache_tokens,
    known_to_be,
    reasoning_exceeds_output,
)
from llmops_lib.frames import narwhal
from llmops_lib.schema import MADE_INCLUSIVE, OTHER_CONVENTION, TOKEN_CONVENTION

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_MONEY = ("cost_usd", "other_convention_usd", "reported_cost_usd")
_KEYS = ["source_format", "instrumentation", "provider"]
_TOTALS = (
    "gen_ai.usage.total_tokens",
    "llm.usage.total_tokens",
    "llm.token_count.total",
    "ai.usage.totalTokens",
    "litellm.total_tokens",
    "langsmith.total_tokens",
    "helicone.total_tokens",
)

_OPENINFERENCE = r"^openinference\.instrumentation\.anthropic (?:3\.[1-9]|[4-9]|[1-9][0-9])"
_OPENLLMETRY = r"^opentelemetry\.instrumentation\.anthropic (?:0\.6[2-9]|0\.[7-9]|[1-9])"
_OPENAI = r"^(?:opentelemetry|openinference)\.instrumentation\.openai"
DOCUMENTED = (
    ("source_format", "^litellm$", None, "inclusive"),
    ("source_format", "^langsmith$", None, "inclusive"),
    ("source_format", "^braintrust$", "openai", "inclusive"),
    ("source_format", "^helicone$", "openai", "inclusive"),
    ("source_format", "^helicone$", "anthropic", "exclusive"),
    ("instrumentation", r"^com\.anthropic\.sdk\.python", None, "inclusive"),
    ("instrumentation", _OPENINFERENCE, None, "inclusive"),
    ("instrumentation", _OPENLLMETRY, None, "inclusive"),
    ("instrumentation", _OPENAI, "openai", "inclusive"),
    ("instrumentation", "^ai(?: |$)", None, "inclusive"),
)
"""What makers document or their code shows: column, pattern, provider (None for any), convention.

It decides only where the counts themselves say nothing. Older instrumentations of Anthropic passed its
exclusive input through, hence the versions.
"""


@portable
def token_conventions(calls: Any) -> Any:
    """How the counts of each source and instrumentation stood in the source, and what hangs on it.

    One call seldom proves anything, so all calls of a group are taken together: more cache than input, or
    a total of input, cache and output, proves exclusive counts; a total of input and output alone, with
    the cache inside the input, shows inclusive ones; both kinds in a group are mixed.

    Args:
        calls: SPANS with the columns of `price_calls`; uses the five token columns, `cost_usd`,
            `reported_cost_usd`, `attributes`, `source_format`, `provider`, and `other_convention_usd` of
            `price_both_conventions`, without which the effect of the other reading is unknown.

    Returns:
        One row per group, sorted by it: `source_format`, `instrumentation` (name and version of the
        scope, else the source format), `provider`; `call_count`; `verdict` (`inclusive`, `exclusive`,
        `mixed`, `unknown`) and `basis` (`counts`, `documentation`, `none`); `cached_call_count`,
        `converted_count` (calls to whose input the reader added the cache), `cache_over_input_count`,
        `total_mismatch_count` (a stated total is not input + output, as the source counts),
        `reasoning_over_output_count`, `ambiguous_count` (cached calls that show neither convention),
        `impossible_count` (calls whose counts contradict each other as they are in the table);
        `compared_count` (calls with a reported and a computed cost) and over them `reported_cost_usd`,
        `computed_cost_usd`, `cost_difference_usd` (computed - reported); `spend_usd`;
        `other_convention_usd` (spend if the counts were read the other way), `convention_effect_usd`
        (other - spend, over calls that both readings can price), `one_way_count` (calls that only one can
        price). Amounts in USD, null where unknown.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True, True], "source_format": ["table"] * 2, "provider": ["anthropic"] * 2,
        ...     "input_tokens": [9, 5000], "output_tokens": [4, 4], "cache_read_tokens": [1905, 1905],
        ...     "cache_write_tokens": [0, 0], "reasoning_tokens": [0, 0], "attributes": ["{}", "{}"],
        ...     "cost_usd": [None, 0.25], "other_convention_usd": [0.5, 0.75],
        ...     "reported_cost_usd": [None, 0.75],
        ... })
        >>> token_conventions(calls).select("verdict", "ambiguous_count", "convention_effect_usd").rows()
        [('exclusive', 1, 0.5)]
    """
    tallied = tally(_judged(calls), _KEYS, counts=_conditions(), sums=_AMOUNTS)
    named = tallied.with_columns(*_verdict(), *_differences()).select([*_KEYS, *_COLUMNS])
    return ordered(named, _KEYS).to_native()


_AMOUNTS = (
    "cost_usd",
    "other_convention_usd",
    "convention_effect_usd",
    "reported_cost_usd",
    "computed_cost_usd",
)
_COUNTS = (
    "cached_call_count",
    "converted_count",
    "cache_over_input_count",
    "total_mismatch_count",
    "reasoning_over_output_count",
    "ambiguous_count",
    "impossible_count",
)
_COLUMNS = (
    *("call_count", "verdict", "basis", *_COUNTS),
    *("compared_count", "reported_cost_usd", "computed_cost_usd", "cost_difference_usd"),
    *("spend_usd", "other_convention_usd", "convention_effect_usd", "one_way_count"),
)


def _judged(calls: Any) -> Frame:
    """The calls with their instrumentation, and the input and total as the source states them."""
    note = rf'"{TOKEN_CONVENTION}"\s*:\s*"exclusive'.replace(".", r"\.")
    cost, other, reported = (nw.col(name) for name in _MONEY)
    is_compared = ~cost.is_null() & ~reported.is_null()
    frame = model_calls(
        _with_other_convention(calls),
        [*_TOKENS, *_MONEY, "attributes"],
        by=["source_format", "provider"],
        hint=PRICE_HINT,
    )
    return frame.with_columns(
        _instrumentation().alias("instrumentation"),
        attribute_count(_TOTALS).alias("total"),
        known_to_be(nw.col("attributes").str.contains(note)).alias("is_noted"),
        known_to_be(attribute_text(TOKEN_CONVENTION) == MADE_INCLUSIVE).alias("is_converted"),
        (other - cost).alias("convention_effect_usd"),
        nw.when(is_compared).then(reported).alias("reported_cost_usd"),
        nw.when(is_compared).then(cost).alias("computed_cost_usd"),
    ).with_columns(
        nw.when(nw.col("is_converted"))
        .then(nw.col("input_tokens") - cache_tokens())
        .otherwise(nw.col("input_tokens"))
        .alias("given")
    )


def _with_other_convention(calls: Any) -> Any:
    frame, name = narwhal(calls), OTHER_CONVENTION.name
    if name in frame.collect_schema().names():
        return calls
    return frame.with_columns(nw.lit(None, dtype=nw.Float64).alias(name)).to_native()


def _instrumentation() -> nw.Expr:
    name, version = attribute_text("otel.scope.name"), attribute_text("otel.scope.version")
    both = nw.concat_str(name.fill_null(""), nw.lit(" "), version.fill_null(""))
    named = nw.when(~name.is_null() & ~version.is_null()).then(both).otherwise(name)
    return nw.coalesce(named, nw.col("source_format"))


def _conditions() -> dict[str, nw.Expr]:
    given, total, output = nw.col("given"), nw.col("total"), nw.col("output_tokens").fill_null(0)
    has_cache, cost, other = cache_tokens() > 0, nw.col("cost_usd"), nw.col("other_convention_usd")
    is_beside = known_to_be(total == given + cache_tokens() + output)
    is_exclusive = has_cache & (known_to_be(cache_tokens() > given) | is_beside)
    is_inclusive = has_cache & known_to_be(total == given + output) & ~nw.col("is_noted") & ~is_exclusive
    is_negative = reduce(or_, (known_to_be(nw.col(name) < 0) for name in _TOKENS))
    return {
        "exclusive_count": is_exclusive | nw.col("is_noted"),
        "inclusive_count": is_inclusive,
        "cached_call_count": has_cache,
        "converted_count": nw.col("is_converted"),
        "cache_over_input_count": has_cache & known_to_be(cache_tokens() > given),
        "total_mismatch_count": known_to_be(total != given + output),
        "reasoning_over_output_count": reasoning_exceeds_output(),
        "ambiguous_count": has_cache & ~is_exclusive & ~is_inclusive & ~nw.col("is_noted"),
        "impossible_count": is_negative | cache_exceeds_input() | reasoning_exceeds_output(),
        "compared_count": ~nw.col("computed_cost_usd").is_null(),
        "one_way_count": cost.is_null() != other.is_null(),
    }


def _verdict() -> list[nw.Expr]:
    exclusive, inclusive = nw.col("exclusive_count") > 0, nw.col("inclusive_count") > 0
    documented = nw.coalesce(*(_documented(*rule) for rule in DOCUMENTED), nw.lit(None, dtype=nw.String))
    counted = (
        nw.when(exclusive & inclusive)
        .then(nw.lit("mixed"))
        .when(exclusive)
        .then(nw.lit("exclusive"))
        .when(inclusive)
        .then(nw.lit("inclusive"))
    )
    basis = (
        nw.when(~counted.is_null())
        .then(nw.lit("counts"))
        .when(~documented.is_null())
        .then(nw.lit("documentation"))
        .otherwise(nw.lit("none"))
    )
    return [nw.coalesce(counted, documented, nw.lit("unknown")).alias("verdict"), basis.alias("basis")]


def _documented(column: str, pattern: str, provider: str | None, convention: str) -> nw.Expr:
    is_meant = known_to_be(nw.col(column).str.contains(pattern))
    if provider is not None:
        is_meant = is_meant & known_to_be(nw.col("provider") == provider)
    return nw.when(is_meant).then(nw.lit(convention))


def _differences() -> list[nw.Expr]:
    difference = nw.col("computed_cost_usd") - nw.col("reported_cost_usd")
    return [difference.alias("cost_difference_usd"), nw.col("cost_usd").alias("spend_usd")]
