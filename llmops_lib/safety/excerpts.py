"""Small tables and message texts as a report may show them: masked, on one line, cut."""

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson
import polars as pl

from llmops_lib.frames import collected
from llmops_lib.safety.masking import mask_column, mask_text
from llmops_lib.safety.sensitive import Mode, find_sensitive
from llmops_lib.secrets.placeholders import Placeholders

KEPT_AS_IS = ("trace_id", "span_id", "started_on", "dimension")
"""Identifiers that a reader copies to find a trace again, and names that are ours."""

_USERS = ("user", "human")
_EXCERPTS = {"input": "input_excerpt", "output": "output_excerpt", "error_message": "error_excerpt"}


def masked(table: pl.DataFrame, *, limit: int = 60, is_raw: bool = False) -> pl.DataFrame:
    """The table with every text masked, control characters shown and cut, but for trace and span ids.

    A user id may be an e-mail address and a model name may be a page of markup; both come from a trace.

    Args:
        table: A small table, such as the result of a measure.
        limit: Longest text per cell, in characters.
        is_raw: Whether personal data is shown, for whoever asked for it; keys and passwords never are.

    Returns:
        The same rows and columns.

    Example:
        >>> masked(pl.DataFrame({"user_id": ["ann@example.com"], "call_count": [3]})).rows()
        [('<EMAIL_1> (71d4)', 3)]
    """
    texts = [name for name, dtype in table.schema.items() if dtype == pl.String and name not in KEPT_AS_IS]
    return table.with_columns(_masked_names(table[name], limit, _mode(is_raw)) for name in texts)


def with_excerpts(calls: Any, *, limit: int = 160, is_raw: bool = False) -> pl.DataFrame:
    """The calls with masked excerpts in place of `input`, `output` and `error_message`.

    The same value has the same placeholder in all excerpts of a trace.

    Args:
        calls: A few rows of SPANS, on any engine.
        limit: Longest excerpt, in characters.
        is_raw: As `masked` takes it.

    Returns:
        The other columns masked as by `masked`, then `input_excerpt` (the last message sent),
        `output_excerpt` (the answer) and `error_excerpt`, where the table has their source.

    Example:
        >>> calls = pl.DataFrame({"trace_id": ["a1"], "input": ["Write to ann@example.com"]})
        >>> with_excerpts(calls).rows()
        [('a1', 'Write to <EMAIL_1>')]
    """
    calls = collected(calls)
    present = {source: name for source, name in _EXCERPTS.items() if source in calls.columns}
    traces = calls["trace_id"] if "trace_id" in calls.columns else pl.int_range(calls.height, eager=True)
    numbers = {trace: Placeholders() for trace in traces}
    # At most a few dozen rows, each with JSON of its own shape.
    excerpts = [
        pl.Series(
            name,
            [
                _excerpt(text, limit, numbers[trace], _mode(is_raw))
                for text, trace in zip(calls[source], traces, strict=True)
            ],
            dtype=pl.String,
        )
        for source, name in present.items()
    ]
    return masked(calls.drop(present), is_raw=is_raw).with_columns(excerpts)


def last_message(text: str | None) -> str:
    """The text of the last message of a call's input or output, as it is: for a judge and never for a reader.

    Args:
        text: `input` or `output` of SPANS, JSON or not.

    Returns:
        The text; empty where there is none.

    Example:
        >>> last_message('[{"role": "user", "content": "Hi"}, {"role": "user", "content": "Where is it?"}]')
        'Where is it?'
    """
    return "" if text is None else "\n".join(_last_message(text))


def with_masked_texts(table: pl.DataFrame, *columns: str, limit: int = 1_200) -> pl.DataFrame:
    """The table with the texts of some columns masked and cut, for texts that are to be read whole.

    Args:
        table: A small table.
        columns: Columns of text.
        limit: Longest text, in characters.

    Example:
        >>> with_masked_texts(pl.DataFrame({"answer": ["write to ann@example.com"]}), "answer").rows()
        [('write to <EMAIL_1>',)]
    """
    return table.with_columns(mask_column(table[name], limit=limit) for name in columns)


def last_asked(text: str | None) -> str:
    """The text of the last message of a user, as it is; of the last message where none says that it is.

    What follows it in the calls of an agent, such as results of tools, is not what anybody asked.

    Args:
        text: `input` of SPANS, JSON or not.

    Example:
        >>> last_asked('[{"role": "user", "content": "Where is it?"}, {"role": "tool", "content": "{}"}]')
        'Where is it?'
    """
    try:
        messages = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return last_message(text)
    found = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    asked = (
        said for one in reversed(found) if one.get("role") in _USERS and (said := "\n".join(_texts(one)))
    )
    return next(asked, None) or last_message(text)


def with_input_text(calls: pl.DataFrame, *, limit: int = 300) -> pl.DataFrame:
    """The calls with `text`, the last message of a user, masked and cut, and `unit`, whose calls are alike.

    Args:
        calls: Rows of SPANS or of a sample; uses `input`, `user_id`, `session_id`, `trace_id`.
        limit: Longest text, in characters.

    Returns:
        The same rows with `text` (null where no input was recorded) and `unit`: user, else session, else
        trace.
    """
    # Each has JSON of its own shape.
    texts = [None if text is None else mask_text(last_asked(text), limit=limit) for text in calls["input"]]
    unit = pl.coalesce("user_id", "session_id", "trace_id").alias("unit")
    return calls.with_columns(pl.Series("text", texts, dtype=pl.String), unit)


def _mode(is_raw: bool) -> Mode:
    return "off" if is_raw else "report"


def _masked_names(names: pl.Series, limit: int, mode: Mode) -> pl.Series:
    distinct = names.drop_nulls().unique()
    shown = mask_column(distinct, limit=limit, mode=mode)
    # Two people behind one placeholder would become one row to a reader. Four digits of a hash tell them
    # apart, the same in every table, and are too few to find out who they are.
    told_apart = [
        f"{after} ({hashlib.sha256(before.encode()).hexdigest()[:4]})"
        if find_sensitive(before, mode=mode)
        else after
        for before, after in zip(distinct, shown, strict=True)
    ]
    return names.replace_strict(distinct, told_apart, default=None, return_dtype=pl.String)


def _excerpt(text: str | None, limit: int, placeholders: Placeholders, mode: Mode) -> str | None:
    if text is None:
        return None
    return mask_text(" ".join(_last_message(text)), limit=limit, placeholders=placeholders, mode=mode)


def _last_message(text: str) -> Iterator[str]:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        return iter([text])
    if isinstance(content, list) and content and all(isinstance(message, dict) for message in content):
        return _texts(content[-1])
    return _texts(content)


def _texts(value: Any) -> Iterator[str]:
    """The texts of a message in order, of whatever shape its instrumentation gave it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        spoken = [value[key] for key in ("content", "parts", "text", "arguments", "result") if value.get(key)]
        if spoken:
            yield from _texts(spoken)
        else:
            yield orjson.dumps(value).decode()
    elif value is not None:
        yield str(value)
