"""Error classes as what accounts for a rise of failed calls: each adds its own share of all calls."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from llmops_lib.signals.contrast import Sides, contrasted

UNNAMED = "(no class)"
"""Failed calls whose class the export does not say."""


def class_parts(sides: Sides, classes: Mapping[str, Sides]) -> pl.DataFrame:
    """One row per error class, as `contrasted` gives them; the contributions add up to the change.

    A class is no group of calls but of failures, so that its share is of all calls.

    Args:
        sides: All failed calls.
        classes: Those of each class.
    """
    whole = contrasted(sides, []).row(0, named=True)
    names = ("seen_before", "bad_before", "seen_during", "bad_during")
    rows = [{"error_type": name, **contrasted(part, []).row(0, named=True)} for name, part in classes.items()]
    rest = {name: whole[name] - sum(row[name] for row in rows) for name in ("bad_before", "bad_during")}
    if any(count > 0.5 for count in rest.values()):
        cells = pl.DataFrame([{**{name: whole[name] for name in names}, **rest}])
        rows.append(
            {"error_type": UNNAMED, **contrasted(Sides(cells, is_amount=False), []).row(0, named=True)}
        )
    table = pl.DataFrame(rows, schema=["error_type", *whole], orient="row", infer_schema_length=None)
    change = whole["change"]
    return table.with_columns(
        pl.lit(change, pl.Float64).alias("change"),
        (pl.col("contribution") / change if change else pl.lit(None, pl.Float64)).alias("explained_share"),
    ).sort("contribution", "error_type", descending=[True, False])


def class_candidates(
    whole: Sides, classes: Mapping[str, Sides], levels: Callable[[Sides], Sequence[pl.Expr]]
) -> list[dict[str, Any]]:
    """Each error class as a candidate, as `candidates` gives them.

    Args:
        whole: All failed calls.
        classes: Those of each class.
        levels: Further columns of counts.
    """
    change = contrasted(whole, [])["change"].item()
    rows = [
        {
            **contrasted(sides, []).with_columns(levels(sides)).row(0, named=True),
            "columns": ["error_type"],
            "values": [name],
        }
        for name, sides in classes.items()
    ]
    return [{**row, "explained_share": row["contribution"] / change if change else 0.0} for row in rows]
