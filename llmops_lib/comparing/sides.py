"""The two sides of a comparison of eval runs, cut out of a table of scores."""

from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import Frame
from llmops_lib.errors import ComparisonError
from llmops_lib.frames import collected, narwhal
from llmops_lib.gating.scores import filled, prepared
from llmops_lib.schema import SCORES

SIDES_BY = ("run_id", "prompt", "prompt_version", "prompt_hash", "model")
"""What a side may be told by; `prompt` is `NAME@VERSION`."""

_PROMPT = ("prompt_name", "prompt_version")


def side_of(scores: Any, by: str, value: str, *, keep: str = "") -> pl.DataFrame:
    """The scores of one side as one run: repeated runs of it count as further trials.

    Args:
        scores: SCORES on any engine; other columns of the schema that it lacks are null.
        by: One of `SIDES_BY`.
        value: Value that the side has there.
        keep: Column to keep that is none of SCORES, where there is one of that name.

    Raises:
        ComparisonError: If `by` is unknown, no row has the value (the message lists those there are), or a
            score names no example or scorer or is no number.
    """
    if by not in SIDES_BY:
        msg = f"by: found {by!r}, expected one of {', '.join(SIDES_BY)}"
        raise ComparisonError(msg)
    parts = _parts(by, value)
    frame = narwhal(scores, columns=["run_id", "example_id", "trial", "scorer", "score", *parts])
    # A row that does not tell its side is of neither: null is unknown, not equal.
    wanted = [(_text(frame, name) == part).fill_null(value=False) for name, part in parts.items()]
    rows = collected(frame.filter(*wanted).to_native())
    if rows.is_empty():
        known = collected(frame.select(*parts).unique().to_native()).drop_nulls().sort(*parts)
        listed = ", ".join("@".join(map(str, row)) for row in known.head(20).rows()) or "none"
        msg = f"found no scores with {by} {value!r}; there are {listed}"
        raise ComparisonError(msg)
    _check(rows, f"{by} {value}")
    told = _scored(rows)
    kept = [rows[keep]] if keep in rows.columns and keep not in SCORES.names else []
    whole = prepared(told.select(SCORES.names)).with_columns(kept)
    return whole if by == "run_id" else _as_one_run(whole, value)


def _parts(by: str, value: str) -> dict[str, str]:
    """The columns that tell a side, with the text that each holds there."""
    if by != "prompt":
        return {by: str(value)}
    parts = str(value).split("@", 1)
    if len(parts) < 2 or not all(parts):
        msg = f"by prompt: found {value!r}, expected NAME@VERSION; a name alone would mix its versions"
        raise ComparisonError(msg)
    return dict(zip(_PROMPT, parts, strict=True))


def _text(frame: Frame, name: str) -> nw.Expr:
    """A column as text, for tables whose runs or versions are numbers."""
    column = nw.col(name)
    return column if frame.collect_schema()[name] == nw.String else column.cast(nw.String)


def _check(rows: pl.DataFrame, where: str) -> None:
    """Refuses scores that belong to nothing, or that are no numbers."""
    for name in ("example_id", "scorer"):
        absent = rows[name].null_count()
        if absent:
            told = f"{where}: {absent} of {rows.height} scores have no {name}"
            msg = f"{told}; expected one each, so leave those rows out and count them"
            raise ComparisonError(msg)
    scores = rows["score"]
    numbers = scores.cast(pl.Float64, strict=False)
    wrong = scores.filter((numbers.is_null() & scores.is_not_null()) | numbers.is_infinite())
    if len(wrong):
        told = f"{where}: {len(wrong)} of {rows.height} scores are no finite number, such as {wrong[0]!r}"
        msg = f"{told}; expected numbers, 1 for a pass and 0 for a failure"
        raise ComparisonError(msg)


def _as_one_run(scores: pl.DataFrame, name: str) -> pl.DataFrame:
    trial = pl.struct("run_id", "trial").rank("dense").over("example_id", "scorer").cast(pl.Int64)
    return scores.with_columns(trial=trial).with_columns(run_id=pl.lit(name))


def _scored(scores: pl.DataFrame) -> pl.DataFrame:
    """Scores with the columns of SCORES that they lack, as null, and a score where only `passed` is known."""
    known = pl.coalesce(pl.col("score").cast(pl.Float64), pl.col("passed").cast(pl.Float64))
    return filled(scores).with_columns(score=known.fill_nan(None))


def missing_items(baseline: pl.DataFrame, candidate: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """How many items only the other side has, of baseline and candidate, by scorer.

    Args:
        baseline: SCORES of the baseline.
        candidate: SCORES of the candidate.
    """
    keys = ["scorer", "example_id"]
    before, after = (
        one.filter(pl.col("score").is_not_null()).select(keys).unique() for one in (baseline, candidate)
    )
    lost = dict(before.join(after, on=keys, how="anti").group_by("scorer").len().rows())
    new = dict(after.join(before, on=keys, how="anti").group_by("scorer").len().rows())
    names = set(baseline["scorer"]) | set(candidate["scorer"])
    return {name: (new.get(name, 0), lost.get(name, 0)) for name in names}


def item_groups(scores: pl.DataFrame, examples: list[str], cluster: str) -> list[str]:
    """The group of each item: from a column or a key of the metadata; an item without one stands alone.

    Args:
        scores: SCORES with the column, or with the key in `metadata`.
        examples: Items in the order wanted.
        cluster: Name of the column or key, such as `document`.

    Raises:
        ComparisonError: If no item has a group.
    """
    key = cluster.replace("\\", "\\\\").replace("'", "\\'")
    told = (
        pl.col(cluster).cast(pl.String)
        if cluster in scores.columns
        else pl.col("metadata").str.json_path_match(f"$['{key}']")
    )
    found = scores.select("example_id", group=told).drop_nulls().sort("group").unique("example_id")
    known = dict(found.rows())
    if not known:
        msg = f"cluster: no example has a {cluster!r}, neither as a column nor in its metadata"
        raise ComparisonError(msg)
    return [known.get(name, f"\0{name}") for name in examples]
