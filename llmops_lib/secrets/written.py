"""What is written to disk for later steps: everything but keys and passwords."""

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from llmops_lib.secrets.findings import Finding
from llmops_lib.secrets.patterns import CERTAIN
from llmops_lib.secrets.placeholders import Placeholders
from llmops_lib.secrets.places import find_secrets
from llmops_lib.secrets.suspects import may_hold_secret, suspects

_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_BARE_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*+"')
_ENCODED = re.compile(r"(?:[A-Za-z0-9+/=]|\\[nrt/]){16,}+")


def hide_secrets(text: str) -> str:
    """The text with a placeholder for each key and password; personal data stays.

    What is JSON stays JSON: of a private key whose lines are texts of their own, each line is replaced.

    Example:
        >>> hide_secrets("ann@example.com has hf_" + "Ab1" * 12)
        'ann@example.com has <SECRET_1>'
    """
    return _hidden(text)[0]


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
    return secrets_hidden(table)[0]


def secrets_hidden(table: pl.DataFrame, *, but: frozenset[str] = frozenset()) -> tuple[pl.DataFrame, int]:
    """The table with a placeholder for each key and password in its texts, and how many these are.

    Args:
        table: Any table; columns of texts and of lists of texts are gone through.
        but: Columns that stay as they are, such as ids that rows are joined by.
    """
    columns = {
        name: pl.col(name) if dtype == pl.String else pl.col(name).list.join("\n", ignore_nulls=True)
        for name, dtype in table.schema.items()
        if name not in but and dtype in (pl.String, pl.List(pl.String))
    }
    # One row of flags first: nearly every column of nearly every table holds none.
    flags = table.select(may_hold_secret(text).any().alias(name) for name, text in columns.items())
    changed, count = [], 0
    for name in (name for name, is_held in flags.row(0, named=True).items() if is_held):
        column = table[name].filter(table.select(may_hold_secret(columns[name])).to_series())
        is_list = column.dtype == pl.List(pl.String)
        texts = column.explode() if is_list else column
        # Words around a value have no columnar expression; distinct texts that may hold one only.
        hidden = {text: found for text in suspects(texts) if (found := _hidden(text))[1]}
        count += sum(hidden[text][1] for text in texts if text in hidden)
        one = pl.element() if is_list else pl.col(name)
        one = one.replace({text: found[0] for text, found in hidden.items()})
        changed.append(pl.col(name).list.eval(one) if is_list else one)
    return (table.with_columns(changed) if changed else table), count


def _hidden(text: str) -> tuple[str, int]:
    places = find_secrets(text)
    numbers = Placeholders()
    if text[:1] in ("{", "[", '"') and (across := [place for place in places if _is_across(text, place)]):
        text, count = _hidden_by_literal(text, across, numbers)
        places = [place for place in find_secrets(text) if not _is_across(text, place)]
        return numbers.replaced(text, places), count + len(places)
    return numbers.replaced(text, places), len(places)


def _is_across(text: str, place: Finding) -> bool:
    """Whether a place would take the quotes between two texts of JSON along."""
    return _BARE_QUOTE.search(text, place.start, place.end) is not None


def _hidden_by_literal(text: str, across: list[Finding], numbers: Placeholders) -> tuple[str, int]:
    count = 0

    def hidden(match: re.Match[str]) -> str:
        nonlocal count
        inner = match[1]
        is_within = any(place.start < match.end() and match.start() < place.end for place in across)
        if is_within and _ENCODED.fullmatch(inner):
            places = [Finding(0, len(inner), "SECRET", "private_key", CERTAIN)]
        else:
            places = find_secrets(inner)
        count += len(places)
        return f'"{numbers.replaced(inner, places)}"'

    return _LITERAL.sub(hidden, text), count
