"""Which answers of production refuse."""

from typing import Any

from llmops_lib.calls import portable
from llmops_lib.frames import narwhal
from llmops_lib.refusals import is_refused


@portable
def with_refusals(spans: Any) -> Any:
    """The spans with whether they were refused: by the provider's word, else by the first English sentences.

    Args:
        spans: SPANS on any engine; uses `output`, and `finish_reason` where the table has it.

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
    told = {"output", "finish_reason"} & set(frame.collect_schema().names())
    return frame.with_columns(is_refused(told)).to_native()
