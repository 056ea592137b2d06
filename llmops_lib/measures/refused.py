"""Which answers of production refuse."""

from typing import Any

import narwhals as nw

from llmops_lib.calls import portable
from llmops_lib.frames import narwhal
from llmops_lib.refusals import refusal_in


@portable
def with_refusals(spans: Any) -> Any:
    """The spans with whether their answer refuses: by a pattern over its first sentences, in English.

    Args:
        spans: SPANS on any engine; uses `output`.

    Returns:
        The same rows with `is_refused` (null where there is no output), so that a table without texts can be
        compared later.

    Example:
        >>> import polars as pl
        >>> said = [f'[{{"role":"assistant","parts":[{{"type":"text","content":"{text}"}}]}}]'
        ...         for text in ("I cannot help with that.", "Within 30 days.")]
        >>> with_refusals(pl.DataFrame({"output": said}))["is_refused"].to_list()
        [True, False]
    """
    frame = narwhal(spans, columns=["output"])
    return frame.with_columns(refusal_in(nw.col("output")).alias("is_refused")).to_native()
