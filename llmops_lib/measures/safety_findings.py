"""How many calls carry findings of the safety filters: by kind, by rule, by whatever groups the calls."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import known_rows, ordered, portable, with_share
from llmops_lib.frames import by_columns, collected

ANY = "ANY"
"""Stands for findings of every kind together."""

_KEY = ["trace_id", "span_id"]
_TEXTS = ("input", "output", "system_instructions", "tool_calls", "error_message")


@portable
def safety_findings_by(spans: Any, findings: pl.DataFrame, by: str | Sequence[str] = ()) -> pl.DataFrame:
    """Share of spans that carry findings of each kind, by group, with its 95% Wilson score interval.

    A span without any recorded text is unknown, not clean: it is counted and in no share. Give the model
    calls, since parents repeat the texts of their children. The interval takes spans as independent; those
    of one user are not, so read it as the least uncertainty there is.

    Args:
        spans: SPANS, on any engine; uses `trace_id`, `span_id`, `by`, `input`, `output`,
            `system_instructions`, `tool_calls`, `error_message`. Only ids and `by` are brought here.
        findings: Rows of `check_calls` over these spans or more of them.
        by: Grouping columns; none takes all spans together.

    Returns:
        One row per group and kind that was found, and one of kind `ANY` for each group, sorted by `by`,
        `ANY` first, then `found_count` downwards: `by`, `kind`, `call_count`, `searched_count` (with any
        text), `found_count`, `finding_count`, `found_share`, `found_share_low`, `found_share_high` (of
        those searched, 0 to 1; null where none was).

    Raises:
        MissingColumnError: If a column is missing.

    Source:
        Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.

    Example:
        >>> nothing = dict.fromkeys(["output", "system_instructions", "tool_calls", "error_message"])
        >>> texts = {"input": ["x", "y", None]} | nothing
        >>> spans = pl.DataFrame({"trace_id": "t", "span_id": ["a", "b", "c"]} | texts)
        >>> findings = pl.DataFrame({"trace_id": "t", "span_id": ["a", "a"], "kind": ["EMAIL", "EMAIL"]})
        >>> found = safety_findings_by(spans, findings).filter(kind="EMAIL")
        >>> found.select("call_count", "searched_count", "found_count", "finding_count", "found_share").rows()
        [(3, 2, 1, 2, 0.5)]
    """
    keys = by_columns(by)
    rows = _searched(spans, keys)
    groups = [*keys, "_all"]
    units = rows.group_by(groups).agg(
        call_count=pl.len().cast(pl.Int64), searched_count=pl.col("is_searched").sum().cast(pl.Int64)
    )
    held = findings.group_by(*_KEY, "kind").len().join(rows, on=_KEY)
    every = held.group_by(*_KEY, *groups).agg(pl.col("len").sum(), kind=pl.lit(ANY))
    counted = (
        pl.concat([held, every], how="diagonal")
        .group_by(*groups, "kind")
        .agg(found_count=pl.len().cast(pl.Int64), finding_count=pl.col("len").sum().cast(pl.Int64))
    )
    clean = units.select(*groups, kind=pl.lit(ANY))
    kinds = pl.concat([counted.select(*groups, "kind"), clean]).unique()
    table = (
        kinds.join(counted, on=[*groups, "kind"], how="left", nulls_equal=True)
        .join(units, on=groups, nulls_equal=True)
        .with_columns(pl.col("found_count", "finding_count").fill_null(0), _order=pl.col("kind") != ANY)
    )
    shared = with_share(nw.from_native(table), "found_share", of="found_count", among="searched_count")
    sorted_rows = ordered(shared, [*keys, "_order", "found_count", "kind"], largest_first=["found_count"])
    figures = ["call_count", "searched_count", "found_count", "finding_count"]
    shares = ["found_share", "found_share_low", "found_share_high"]
    return collected(sorted_rows.to_native()).select(*keys, "kind", *figures, *shares)


def findings_by_rule(findings: pl.DataFrame) -> pl.DataFrame:
    """What each rule of the filters found, the surest and most frequent first, with a call to look at.

    Args:
        findings: Rows of `check_calls`.

    Returns:
        One row per rule: `kind`, `rule`, `confidence` (0 to 1: of the rule, not measured here),
        `found_count` (spans), `finding_count`, and `trace_id`, `span_id` of the first.

    Example:
        >>> found = {"trace_id": "t", "span_id": ["a", "b"], "kind": "EMAIL", "rule": "email"}
        >>> findings_by_rule(pl.DataFrame(found | {"confidence": 0.99})).select("rule", "found_count").rows()
        [('email', 2)]
    """
    order = ["found_count", "kind", "rule"]
    return (
        findings.group_by("kind", "rule", maintain_order=True)
        .agg(
            confidence=pl.col("confidence").max(),
            found_count=pl.struct(_KEY).n_unique().cast(pl.Int64),
            finding_count=pl.len().cast(pl.Int64),
            trace_id=pl.col("trace_id").first(),
            span_id=pl.col("span_id").first(),
        )
        .sort("confidence", *order, descending=[True, True, False, False])
    )


def groups_with_most(table: pl.DataFrame, by: str | Sequence[str], *, n: int) -> pl.DataFrame:
    """The groups in which most calls carry findings, all their kinds with them.

    Args:
        table: Rows of `safety_findings_by`.
        by: Its grouping columns.
        n: Groups at most.

    Returns:
        The rows of these groups, the group with the most calls found first.
    """
    keys = by_columns(by)
    every = table.filter((pl.col("kind") == ANY) & (pl.col("found_count") > 0))
    top = every.sort("found_count", descending=True, maintain_order=True).head(n).select(*keys)
    ranked = top.with_row_index("_place")
    found = table.join(ranked, on=keys, nulls_equal=True, maintain_order="left")
    return found.sort("_place", maintain_order=True).drop("_place")


def _searched(spans: Any, keys: Sequence[str]) -> pl.DataFrame:
    has_text = nw.any_horizontal(*(~nw.col(name).is_null() for name in _TEXTS), ignore_nulls=True)
    frame = known_rows(spans, [*_KEY, *keys, *_TEXTS])
    rows = frame.select(*dict.fromkeys([*_KEY, *keys]), has_text.alias("is_searched"))
    return collected(rows.to_native()).with_columns(_all=pl.lit(0))
