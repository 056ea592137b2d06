"""Python's own notation in the cells of a CSV file, which pandas writes where a cell holds a list or dict."""

import ast
import re
import warnings
from typing import Any

import orjson

from llmops_lib.sources.langfuse_fields import unwrapped

# Python's parser needs half a kilobyte of memory per character outside of quotes.
_NOTATION_LIMIT = 4 << 20
_UNQUOTED_LIMIT = 256 << 10
_QUOTED = re.compile(r"'(?:[^'\\]|\\.?)*(?:'|\Z)|\"(?:[^\"\\]|\\.?)*(?:\"|\Z)", re.DOTALL)


def from_notation(text: str) -> Any:
    """The literal that a text writes in Python's notation; the text itself where it is none.

    Only literals are read and nothing is executed; a text too large to be a cell of an export stays text.

    Args:
        text: A cell, hostile ones included.

    Example:
        >>> from_notation("{'role': 'user'}"), from_notation("__import__('os')")
        ({'role': 'user'}, "__import__('os')")
    """
    if len(text) > _NOTATION_LIMIT or len(_QUOTED.sub("s", text)) > _UNQUOTED_LIMIT:
        return text
    try:
        with warnings.catch_warnings():
            # The parser warns of odd escapes, and would print the text of the cell with the warning.
            warnings.simplefilter("ignore")
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def object_in(cell: Any) -> Any:
    """The object or list that a cell holds as JSON text or in Python's notation; anything else as it is.

    What JSON has no word for, such as a set or a key that is no text, becomes text.

    Args:
        cell: A cell or field.

    Example:
        >>> object_in('{"user": null}'), object_in("{'user': None}"), object_in("{none}")
        ({'user': None}, {'user': None}, '{none}')
    """
    found = unwrapped(cell)
    if not isinstance(found, str) or found.lstrip()[:1] not in ("{", "["):
        return found
    literal = from_notation(found.strip())
    if not isinstance(literal, dict | list):
        return found
    try:
        return orjson.loads(orjson.dumps(literal, default=repr, option=orjson.OPT_NON_STR_KEYS))
    except (TypeError, ValueError):
        return found
