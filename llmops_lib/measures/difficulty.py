"""How hard a call is, as an application wrote it into its spans."""

from typing import Any

import polars as pl

from llmops_lib.errors import EngineError
from llmops_lib.frames import narwhal


def with_difficulty(spans: Any, attribute: str = "") -> Any:
    """The spans with a difficulty score that stands in their attributes.

    Args:
        spans: SPANS as a polars DataFrame or LazyFrame; uses `attributes`.
        attribute: Top key of `attributes`, such as `app.difficulty`; empty where there is none.

    Returns:
        The same rows with `difficulty_score` (null where there is no number under the key).

    Raises:
        EngineError: If the table is of another kind: no other engine reads JSON alike.

    Example:
        >>> told = ['{"app.difficulty": 0.25}', '{"app.difficulty": "hard"}', None]
        >>> spans = pl.DataFrame({"attributes": told})
        >>> with_difficulty(spans, "app.difficulty")["difficulty_score"].to_list()
        [0.25, None, None]
    """
    native = narwhal(spans, columns=["attributes"] if attribute else []).to_native()
    if not isinstance(native, pl.DataFrame | pl.LazyFrame):
        msg = (
            f"with_difficulty() found a {type(native).__module__}.{type(native).__name__}, expected a polars "
            "DataFrame or LazyFrame; convert the table first"
        )
        raise EngineError(msg)
    if not attribute:
        return native.with_columns(pl.lit(None, pl.Float64).alias("difficulty_score"))
    # The key stands in brackets and quotes, where only these two characters could end it early.
    key = attribute.replace("\\", "\\\\").replace("'", "\\'")
    number = pl.col("attributes").str.json_path_match(f"$['{key}']").cast(pl.Float64, strict=False)
    return native.with_columns(number.fill_nan(None).alias("difficulty_score"))
