"""Which calls of production a rerun is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from llmops_lib.calls.drawn import drawn_by_stratum
from llmops_lib.errors import PromptError

_TEXTS = ("system_instructions", "input", "output", "attributes")
_FACTS = (
    "trace_id",
    "span_id",
    "started_at",
    "user_id",
    "session_id",
    "feature",
    "model",
    "prompt_name",
    "prompt_version",
    "prompt_hash",
    "is_error",
)
_SHOWN = 5


@dataclass(frozen=True)
class DrawnCalls:
    """Calls of production that a rerun is made of.

    Attributes:
        calls: One row per drawn call, by stratum: columns of SPANS, `unit` (user, else session, else
            trace), `stratum`, `stratum_count` and `weight` (how many calls it stands for).
        found_count: Calls that carried the prompt, of which these were drawn.
        other_version_count: Calls that carried the prompt in another version and were left out.
    """

    calls: pl.DataFrame
    found_count: int
    other_version_count: int


def draw_calls(  # noqa: PLR0913 - what is drawn from, and how
    spans: pl.LazyFrame,
    *,
    prompt_name: str,
    prompt_hash: str | None = None,
    features: Sequence[str] = (),
    size: int = 50,
    seed: int = 0,
) -> DrawnCalls:
    """Model calls that carried a prompt, drawn at random by stratum (`drawn_by_stratum`).

    Args:
        spans: SPANS.
        prompt_name: Prompt that they must carry.
        prompt_hash: Version that they must carry, where any call carries it; else all versions are drawn.
        features: Features that they must be of; with it, calls that carry no prompt at all are drawn too.
        size: How many.
        seed: Another number draws other calls.

    Raises:
        PromptError: If there is no such call; the message lists the prompts and features that there are.
    """
    calls = spans.filter(pl.col("is_model_call"))
    carries = pl.col("prompt_name") == prompt_name
    if features:
        carries = pl.col("feature").is_in(features) & (carries | pl.col("prompt_name").is_null())
    length = pl.sum_horizontal(pl.col(name).str.len_chars().fill_null(0) for name in _TEXTS[:2])
    frame = calls.filter(carries).select(*_FACTS, length.alias("input_chars")).collect(engine="streaming")
    if frame.is_empty():
        raise PromptError(_nothing(calls, prompt_name, features))
    kept = frame.filter(pl.col("prompt_hash") == prompt_hash) if prompt_hash else frame
    kept = frame if kept.is_empty() else kept
    drawn = drawn_by_stratum(kept, size=size, seed=seed)
    keys = ["trace_id", "span_id"]
    texts = calls.join(drawn.lazy().select(keys), on=keys, how="semi").select(*keys, *_TEXTS)
    found = texts.unique(keys, keep="first").collect(engine="streaming")
    whole = drawn.join(found, on=keys, how="left", maintain_order="left")
    unit = pl.coalesce("user_id", "session_id", "trace_id").alias("unit")
    return DrawnCalls(whole.with_columns(unit), kept.height, frame.height - kept.height)


def _nothing(calls: pl.LazyFrame, prompt_name: str, features: Sequence[str]) -> str:
    listed = []
    for column in ("prompt_name", "feature"):
        names = calls.group_by(column).len().drop_nulls().sort("len", descending=True).head(_SHOWN)
        listed.append(", ".join(map(repr, names.collect()[column].to_list())) or "none")
    of = f" of {', '.join(features)}" if features else ""
    return (
        f"found no model call{of} that carries the prompt {prompt_name!r}; prompts that are carried: "
        f"{listed[0]}; features: {listed[1]}; where calls carry no prompt, name their feature (--feature)"
    )
