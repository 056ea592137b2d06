"""What changed between two periods."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import Frame, known_rows, ordered, portable, stacked
from llmops_lib.errors import SchemaError
from llmops_lib.frames import by_columns


@portable
def change_between(
    before: Any, after: Any, *, on: str | Sequence[str] = (), columns: str | Sequence[str]
) -> Any:
    """Two measures of the same groups side by side, with what changed.

    A group that only one table has is kept, with null on the other side: it is new or gone, and the
    size of its change is left to the reader. A null group matches a null group.

    Args:
        before: A measure of the earlier period, one row per group, on the engine of `after`.
        after: The same measure of the later period.
        on: Grouping columns of both; none compares two total rows.
        columns: Columns of numbers to compare.

    Returns:
        One row per group of either table, by the first column after the change downwards with null
        last, then before, then by `on`: `on`, and for each column `<column>_before`, `<column>_after`,
        `<column>_change` (after - before, null where one is unknown) and `<column>_change_share`
        (of before; null where before is 0 or unknown).

    Raises:
        SchemaError: If an eager table has two rows for one group; lazy tables are not checked.

    Example:
        >>> import polars as pl
        >>> before = pl.DataFrame({"model": ["small", "old"], "spend_usd": [2.0, 1.0]})
        >>> after = pl.DataFrame({"model": ["small", "new"], "spend_usd": [3.0, 0.5]})
        >>> change_between(before, after, on="model", columns="spend_usd").rows()
        [('small', 2.0, 3.0, 1.0, 0.5), ('new', None, 0.5, None, None), ('old', 1.0, None, None, None)]
    """
    keys, names = by_columns(on), by_columns(columns)
    # A full join drops null keys on some engines; stacking and grouping keeps them on all.
    sides = [_side(table, keys, names, side) for table, side in ((before, "before"), (after, "after"))]
    both = stacked(sides)
    filled = [f"{name}_{side}" for name in names for side in ("before", "after")]
    every = [nw.col(name).max() for name in filled]
    paired: Frame = both.group_by(keys).agg(*every) if keys else both.select(*every)
    changed = paired.with_columns(*(expression for name in names for expression in _changes(name)))
    suffixes = ("before", "after", "change", "change_share")
    sizes = [f"{names[0]}_after", f"{names[0]}_before"]
    selected = changed.select([*keys, *(f"{name}_{suffix}" for name in names for suffix in suffixes)])
    return ordered(selected, [*sizes, *keys], largest_first=sizes).to_native()


def _side(table: Any, keys: list[str], names: list[str], side: str) -> Frame:
    frame = known_rows(table, [*keys, *names])
    if isinstance(frame, nw.DataFrame) and len(frame) > (len(frame.unique(subset=keys)) if keys else 1):
        msg = f"the table {side} has several rows for one group of {keys}; expected one row per group"
        raise SchemaError(msg)
    return frame.rename({name: f"{name}_{side}" for name in names})


def _changes(name: str) -> list[nw.Expr]:
    before, after = nw.col(f"{name}_before"), nw.col(f"{name}_after")
    change = after - before
    return [
        change.alias(f"{name}_change"),
        nw.when(before != 0).then(change / before).alias(f"{name}_change_share"),
    ]
