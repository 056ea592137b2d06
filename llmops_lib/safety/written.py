"""What is written to disk for later steps: everything but keys and passwords."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from llmops_lib.safety.placeholders import Placeholders
from llmops_lib.safety.prefilter import may_be_sensitive
from llmops_lib.safety.sensitive import find_sensitive


def hide_secrets(text: str) -> str:
    """The text with a placeholder for each key and password; personal data stays.

    Example:
        >>> hide_secrets("ann@example.com has hf_" + "Ab1" * 12)
        'ann@example.com has <SECRET_1>'
    """
    return Placeholders().replaced(text, find_sensitive(text, mode="off"))


def hide_secrets_in(value: Any) -> Any:
    """A JSON value with a placeholder for each key and password in its texts, keys of mappings too."""
    if isinstance(value, str):
        return hide_secrets(value)
    if isinstance(value, Mapping):
        return {hide_secrets(str(name)): hide_secrets_in(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [hide_secrets_in(item) for item in value]
    return value


def hide_secrets_of(table: pl.DataFrame) -> pl.DataFrame:
    """The table with a placeholder for each key and password in its texts.

    Args:
        table: Any table, such as SCORES.
    """
    texts = [name for name, dtype in table.schema.items() if dtype == pl.String]
    return table.with_columns(_hidden(table[name]) for name in texts)


def _hidden(texts: pl.Series) -> pl.Series:
    suspect = texts.drop_nulls().unique().to_frame("text").filter(may_be_sensitive())["text"]
    # Words around a value have no columnar expression; distinct texts that may hold one only.
    changed = {text: hidden for text in suspect if (hidden := hide_secrets(text)) != text}
    return texts.replace(changed) if changed else texts
