"""Lists as a table of text keeps them: in the notation of Python, or in that of NumPy."""

import re
from typing import Any

from llmops_lib.sources.notation import from_notation

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
    found = from_notation(noted)
    return value if found is noted else found
