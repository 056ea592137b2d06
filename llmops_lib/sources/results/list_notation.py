"""Lists as a table of text keeps them: in the notation of Python, or in that of NumPy."""

import ast
import re
import warnings
from typing import Any

# Python's parser needs half a kilobyte of memory per character outside of quotes.
_NOTATION_LIMIT = 256 << 10
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ARRAY = re.compile(rf"\[(?:\s*(?:{_QUOTED}))+\s*\]", re.DOTALL)
_ITEM = re.compile(_QUOTED, re.DOTALL)


def list_of(value: Any) -> Any:
    """The list that a cell notes down; any other value as it is.

    An array has no commas between its texts, which Python itself would join to one.

    Args:
        value: A cell.

    Example:
        >>> list_of("['Paris', 'Lyon']"), list_of("['Paris' 'Lyon']"), list_of("[sic]")
        (['Paris', 'Lyon'], ['Paris', 'Lyon'], '[sic]')
    """
    if not isinstance(value, str) or not value.startswith("[") or len(value) > _NOTATION_LIMIT:
        return value
    noted = f"[{','.join(_ITEM.findall(value))}]" if _ARRAY.fullmatch(value) else value
    try:
        with warnings.catch_warnings():
            # The parser warns of odd escapes, and would print the text of the cell with the warning.
            warnings.simplefilter("ignore")
            return ast.literal_eval(noted)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value
