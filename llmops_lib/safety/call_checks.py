"""What a policy finds in the texts of many spans."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.frames import collected_in_parts, narwhal
from llmops_lib.safety.filters import EVERYTHING, FilterPolicy, check
from llmops_lib.safety.prefilter import may_be_banned, may_be_injection, may_be_sensitive, may_be_toxic

TEXT_FIELDS = ("input", "output", "system_instructions", "tool_calls", "error_message")
"""Columns of SPANS that hold what was said."""

_KEY = ("trace_id", "span_id")
_FOUND = {
    "kind": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "rule": pl.String,
    "confidence": pl.Float64,
}
_CONTEXT = ("given", "system_prompt")


def check_calls(
    spans: Any, policy: FilterPolicy = EVERYTHING, *, fields: Sequence[str] = TEXT_FIELDS
) -> pl.DataFrame:
    """What a policy finds in the texts of spans, one row per finding.

    Spans are read some thousand at a time; a distinct text among them is searched once, and only for what a
    columnar pass says it may hold. An output is
    also checked against the input and the system instructions of its span. Null texts hold nothing; they are
    unknown, not clean.

    Args:
        spans: SPANS, on any engine; uses `trace_id`, `span_id`, `input`, `output`, `system_instructions` and
            `fields`. The texts are brought to this machine.
        policy: What is looked for.
        fields: Columns to look in.

    Returns:
        `trace_id`, `span_id`, `field`, `kind`, `start`, `end`, `rule`, `confidence`, in the order of the
        spans and fields. Places count characters of the column, which often is JSON.

    Raises:
        MissingColumnError: If a column is missing.

    Example:
        >>> spans = {"trace_id": ["t"], "span_id": ["s"], "system_instructions": [None]}
        >>> said = {"input": ["Am I ann@example.com?"], "output": ["Yes, ann@example.com."]}
        >>> check_calls(pl.DataFrame(spans | said), fields=["output"]).select("field", "kind", "rule").rows()
        [('output', 'EMAIL', 'email'), ('output', 'PII_ECHO', 'pii_echo.email')]
    """
    columns = dict.fromkeys((*_KEY, "input", "output", "system_instructions", *fields))
    texts = narwhal(spans, columns=columns).select(nw.col(*columns)).to_native()
    nothing = pl.DataFrame(schema={**dict.fromkeys((*_KEY, "field"), pl.String), **_FOUND})
    return pl.concat([nothing, *(_in_part(part, policy, fields) for part in collected_in_parts(texts))])


def _in_part(part: pl.DataFrame, policy: FilterPolicy, fields: Sequence[str]) -> pl.DataFrame:
    texts = part.with_row_index("row")
    found = [_in_field(texts, field, policy) for field in fields]
    return (
        pl.concat(found)
        .join(texts.select("row", *_KEY), on="row", how="left")
        .with_columns(place=pl.col("field").replace_strict({name: at for at, name in enumerate(fields)}))
        .sort("row", "place", "start", "end", "kind", maintain_order=True)
        .select(*_KEY, "field", *_FOUND)
    )


def _in_field(texts: pl.DataFrame, field: str, policy: FilterPolicy) -> pl.DataFrame:
    context = {
        "given": pl.col("input") if field == "output" else pl.lit(None, pl.String),
        "system_prompt": pl.col("system_instructions") if field == "output" else pl.lit(None, pl.String),
    }
    asked = texts.select("row", text=pl.col(field), **context).drop_nulls("text")
    distinct = asked.select("text", *_CONTEXT).unique(maintain_order=True).with_row_index("number")
    wanted = distinct.with_columns(
        sensitive=may_be_sensitive(),
        injection=may_be_injection() & policy.injection,
        banned=may_be_banned(policy.banned) & policy.banned_categories,
        toxic=may_be_toxic() & policy.toxicity,
    )
    rows = pl.DataFrame(list(_rows(wanted, policy)), schema={"number": pl.UInt32, **_FOUND}, orient="row")
    return (
        asked.join(distinct, on=["text", *_CONTEXT], nulls_equal=True)
        .select("row", "number")
        .join(rows, on="number")
        .select("row", pl.lit(field).alias("field"), *_FOUND)
    )


def _rows(wanted: pl.DataFrame, policy: FilterPolicy) -> Iterator[dict[str, Any]]:
    narrowed: dict[tuple[bool, ...], FilterPolicy] = {}
    # Check digits and sentences have no columnar expression; distinct texts that may hold something only.
    for row in wanted.iter_rows(named=True):
        may = (row["sensitive"], row["injection"], row["banned"], row["toxic"])
        if not any(may) and not policy.canaries and row["system_prompt"] is None:
            continue
        if may not in narrowed:
            narrowed[may] = _narrowed(policy, *may)
        context = {name: row[name] for name in _CONTEXT}
        for found in check(row["text"], narrowed[may], **context):
            yield {"number": row["number"], **asdict(found)}


def _narrowed(
    policy: FilterPolicy, sensitive: bool, injection: bool, banned: bool, toxic: bool
) -> FilterPolicy:
    return policy.model_copy(
        update={
            "personal": policy.personal if sensitive else "off",
            "secrets": policy.secrets and sensitive,
            "injection": injection,
            "banned_categories": banned,
            "toxicity": toxic,
        }
    )
