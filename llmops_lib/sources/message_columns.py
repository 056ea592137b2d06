"""Plain chat messages in the shape of OpenTelemetry: a column of JSON text that is never taken apart.

orjson writes a value in one way only, so patterns on what it wrote are exact: no blanks stand between
tokens, and every quote in a string is escaped, so `","content":"` and `"},{"role":"` stand between strings
and never in one. Whatever is not recognised is left to `langfuse_content`, cell by cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import polars as pl

from llmops_lib.sources.json_text import json_text
from llmops_lib.sources.langfuse_content import messages_in
from llmops_lib.sources.langfuse_exchange import is_sent
from llmops_lib.sources.langfuse_fields import unwrapped
from llmops_lib.sources.messages import tool_calls_of
from llmops_lib.sources.provider_answers import RESPONSE_ITEMS
from llmops_lib.sources.refusals import Refused

_MESSAGE = r'\{"role":"[a-z]+","content":"(?:[^"\\]|\\.)*"\}'
_IS_MESSAGE = pl.col("cell").str.contains(f"^{_MESSAGE}$")
_IS_LIST = pl.col("cell").str.contains(rf"^\[{_MESSAGE}(?:,{_MESSAGE})*\]$")
# Text that is no JSON text itself: it begins with a visible character that opens no value and no escape.
_IS_TEXT = pl.col("cell").str.contains(r'^"[\p{L}\p{N}!#$%&' + r"'()*+,\-./:;<=>?@^_`|}~]")
# An object or a list without any of these keys holds no message, no tool call and no pair of a mapping, and
# is no answer of a provider.
_MESSAGE_KEYS = ['"role":', '"messages":', '"additional_kwargs":', '"parts":', '"key":']
_ANSWER_KEYS = ['"choices":', '"candidates":', '"generations":', '"message":', '"finishReason":']
_ANSWER_KEYS += ['"content":[', '"response_metadata":', '"object":"response"']
_ANSWER_KEYS += [f'"type":"{item}"' for item in RESPONSE_ITEMS]
_HOLDS_NONE = ~pl.col("cell").str.contains_any([*_MESSAGE_KEYS, *_ANSWER_KEYS])
# The messages of a batch of prompts.
_IS_BATCH = pl.col("cell").str.starts_with("[[")
_OTEL_MESSAGES = (
    pl.col("cell")
    .str.replace_all('","content":"', '","parts":[{"type":"text","content":"', literal=True)
    .str.replace_all('"},{"role":"', '"}]},{"role":"', literal=True)
)


@dataclass(frozen=True, slots=True)
class Contents:
    """Input or output of many observations.

    Attributes:
        column: JSON text, null where there is none.
        tool_calls: JSON text of the tool calls that messages ask for, by the number of the row.
        refused: Numbers of the rows whose content cannot be right, or is no messages alone.
    """

    column: pl.Series
    tool_calls: dict[int, str] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)


def message_columns(written: Sequence[bytes] | pl.Series, role: str, *, is_call: bool) -> Contents:
    """Input or output of observations as `langfuse_content.content` and `json_text` give it.

    Args:
        written: What orjson writes of each cell, out of its layers of JSON text; `null` where there is none.
        role: Role of messages that state none.
        is_call: Whether they are model calls: their requests and answers tell more than messages.
    """
    if not isinstance(written, pl.Series):
        written = pl.Series(written, dtype=pl.Binary).cast(pl.String)
    cells = written.to_frame("cell")
    cells = cells.select(pl.when((pl.col("cell") != "null") & (pl.col("cell") != '""')).then("cell"))
    is_plain = _HOLDS_NONE & ~_IS_BATCH & ~pl.col("cell").str.starts_with('"')
    is_kept = pl.col("cell").is_null() | _IS_TEXT | is_plain
    others = cells.with_row_index("row").filter(~is_kept)
    if others.is_empty():
        return Contents(cells["cell"])
    in_list, alone = _OTEL_MESSAGES.str.strip_suffix("}]"), _OTEL_MESSAGES.str.strip_suffix("}")
    converted = others.select(
        "row",
        pl.when(_IS_LIST)
        .then(pl.concat_str(in_list, pl.lit("}]}]")))
        .when(_IS_MESSAGE)
        .then(pl.concat_str(pl.lit("["), alone, pl.lit("}]}]")))
        .alias("cell"),
    )
    is_whole = others.height == cells.height
    found = Contents(
        converted["cell"] if is_whole else cells["cell"].scatter(converted["row"], converted["cell"])
    )
    left = converted["cell"].is_null().arg_true()
    texts: dict[int, str | None] = {}
    for row in converted["row"].gather(left):
        try:
            value = _value(written[row])
            if is_call and is_sent(value, role):
                found.refused.add(row)
            else:
                texts[row] = _converted(value, role, found.tool_calls, row)
        except Refused:
            found.refused.add(row)
    if not texts:
        return found
    return replace(found, column=found.column.scatter(list(texts), list(texts.values())))


def _value(written: str) -> Any:
    value = orjson.loads(written)
    # Text inside was unwrapped before it was written, but not a list of the pairs of a mapping.
    return unwrapped(value) if isinstance(value, list) else value


def _converted(value: Any, role: str, tool_calls: dict[int, str], row: int) -> str | None:
    value = messages_in(value, role)
    if calls := tool_calls_of(value):
        tool_calls[row] = json_text(calls)
    return None if value is None or value == "" else json_text(value)
