"""Python's own notation in the cells of a CSV file, which pandas writes where a cell holds a list or dict."""

import ast
import re
import warnings
from typing import Any

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
