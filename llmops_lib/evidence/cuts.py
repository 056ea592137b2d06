"""Texts that lost their end on the way: marks of truncation, and texts that end at one length.

A limit on the length of attributes (OTel's `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`) leaves no mark, but it
makes many different texts equally long, and none longer.
"""

from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw

from llmops_lib.calls import Frame, flag, known_rows, ordered, portable, stacked, tally

MARKS = {
    "litellm_truncated": "LiteLLM's spend logs",
    "<truncated due to size exceeding limit>": "Langfuse's SDKs",
    "opik_truncated": "Opik's SDK",
    "[truncated]": "several tools",
    "(truncated)": "several tools",
}
"""Texts that a tool puts where it cut, and which tool.

Source: litellm 1.106.2 (constants.py), langfuse SDKs 2 and 3, opik 2.2.122 (payload_truncation.py).
"""

LANGFUSE_METADATA_CHARS = 200
"""Characters to which Langfuse's API, version 2, cuts metadata that is not asked for by name.

Source: `expand_metadata` in langfuse 5.0.4, api/observations/client.py.
"""

DROPPED = r'"otel\.dropped_(?:attributes|events|links)_count"\s*:\s*"?[1-9]'
"""What stands in `attributes` of a span of which the SDK dropped something."""

_TEXTS = ("input", "output", "system_instructions", "tool_calls", "error_message")
_SHORTEST_CAP = 100
_EQUALLY_LONG = 5
_LENGTHS = 10


@portable
def cut_texts(spans: Any) -> Any:
    """Columns whose texts look cut, by file.

    Different texts of exactly the greatest length are a sign from five on, where lengths vary (ten or
    more lengths) and the greatest is at least 100 characters.

    Args:
        spans: SPANS; uses the columns of text, `attributes`, `source_format`, `source_file`.

    Returns:
        One row per file and column with a sign of a cut, in this order: `source_file`, `column`,
        `text_count`, `marked_count` (texts that hold one of `MARKS`), `longest_chars`,
        `at_longest_count` (different texts of that length; 0 where that is no sign). Metadata of
        Langfuse cut to 200 characters is the column `attributes`.

    Example:
        >>> import polars as pl
        >>> spans = pl.DataFrame({
        ...     "output": ["whole", "cut off ... (litellm_truncated 900 chars)"], "source_file": "log.jsonl",
        ... }).with_columns(
        ...     pl.lit(None, pl.String).alias(name)
        ...     for name in ("input", "system_instructions", "tool_calls", "error_message", "attributes",
        ...                  "source_format")
        ... )
        >>> cut_texts(spans).select("column", "text_count", "marked_count").rows()
        [('output', 2, 1)]
    """
    frame = known_rows(spans, [*_TEXTS, "attributes", "source_format", "source_file"])
    found = stacked([*(_column_cuts(frame, column) for column in _TEXTS), _attribute_cuts(frame)])
    return ordered(found, ["source_file", "column"]).to_native()


def _column_cuts(frame: Frame, column: str) -> Frame:
    text = nw.col(column)
    texts = frame.filter(~text.is_null()).select(
        "source_file",
        # In JSON an escape is several characters for one, and a text alone stands between quotes.
        text.str.replace_all(r"\\(?:u[0-9a-fA-F]{4}|.)", "x")
        .str.replace_all(r'^"|"$', "")
        .str.len_chars()
        .cast(nw.Int64)
        .alias("longest_chars"),
        # Texts that follow the same instructions differ at their end; whole ones would fill the memory.
        text.str.tail(40).alias("end"),
        flag(_holds_a_mark(text)).alias("marked_count"),
    )
    marked = {"marked_count": nw.col("marked_count").sum()}
    sums = {"text_count": nw.col("text_count").sum(), **marked}
    different = tally(texts, ["source_file", "longest_chars", "end"], marked)
    by_length = tally(
        different.rename({"call_count": "text_count"}), ["source_file", "longest_chars"], sums
    ).rename({"call_count": "at_longest_count"})
    by_file = tally(
        by_length, ["source_file"], {"longest_count": nw.col("longest_chars").max(), **sums}
    ).rename({"call_count": "length_count", "longest_count": "longest_chars"})
    piles: Any = by_length.select("source_file", "longest_chars", "at_longest_count")
    joined = by_file.join(piles, on=["source_file", "longest_chars"], how="left")
    at, longest, lengths = (nw.col(name) for name in ("at_longest_count", "longest_chars", "length_count"))
    is_capped = (at >= _EQUALLY_LONG) & (longest >= _SHORTEST_CAP) & (lengths >= _LENGTHS)
    return _with_signs(joined.with_columns(nw.lit(column).alias("column")), is_capped)


def _attribute_cuts(frame: Frame) -> Frame:
    text, is_langfuse = nw.col("attributes"), nw.col("source_format") == "langfuse"
    lengths = [LANGFUSE_METADATA_CHARS + step for step in (-1, 0, 1)]
    counts = {f"at_{chars}_count": is_langfuse & text.str.contains(_string_of(chars)) for chars in lengths}
    counted = tally(
        frame.filter(~text.is_null()), ["source_file"], counts={"marked_count": _holds_a_mark(text), **counts}
    )
    below, at, above = (nw.col(name) for name in counts)
    is_capped = (at >= _EQUALLY_LONG) & (at > _EQUALLY_LONG * below) & (at > _EQUALLY_LONG * above)
    named = counted.with_columns(
        nw.lit("attributes").alias("column"),
        nw.col("call_count").alias("text_count"),
        nw.lit(LANGFUSE_METADATA_CHARS).cast(nw.Int64).alias("longest_chars"),
        at.alias("at_longest_count"),
    )
    return _with_signs(named, is_capped)


def _with_signs(counted: Frame, is_capped: nw.Expr) -> Frame:
    columns = ["source_file", "column", "text_count", "marked_count", "longest_chars", "at_longest_count"]
    pile = nw.when(is_capped).then(nw.col("at_longest_count")).otherwise(nw.lit(0)).cast(nw.Int64)
    signs = counted.with_columns(pile.alias("at_longest_count"))
    return signs.filter((nw.col("marked_count") > 0) | (nw.col("at_longest_count") > 0)).select(columns)


def _holds_a_mark(text: nw.Expr) -> nw.Expr:
    return reduce(or_, (text.str.contains(mark, literal=True) for mark in MARKS))


def _string_of(chars: int) -> str:
    return rf'"(?:[^"\\]|\\.){{{chars}}}"'


@portable
def dropped_attributes(spans: Any) -> Any:
    """Spans of which the tracing SDK dropped attributes, events or links, by file.

    Args:
        spans: SPANS; uses `attributes`, `source_file`.

    Returns:
        One row per file that has some, sorted by it: `source_file`, `span_count`, `dropped_count` (spans
        that lost something).

    Source:
        https://opentelemetry.io/docs/specs/otel/common/#attribute-limits

    Example:
        >>> import polars as pl
        >>> attributes = ['{"otel.dropped_attributes_count":3}', "{}"]
        >>> dropped_attributes(pl.DataFrame({"source_file": "a.jsonl", "attributes": attributes})).rows()
        [('a.jsonl', 2, 1)]
    """
    frame = known_rows(spans, ["source_file", "attributes"])
    is_dropped = nw.col("attributes").cast(nw.String).str.contains(DROPPED)
    counted = tally(frame, ["source_file"], counts={"dropped_count": is_dropped})
    some = counted.filter(nw.col("dropped_count") > 0)
    named = some.select("source_file", nw.col("call_count").alias("span_count"), "dropped_count")
    return ordered(named, ["source_file"]).to_native()
