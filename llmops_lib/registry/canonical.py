"""One spelling of a JSON value, so that equal values have equal hashes."""

import hashlib
from typing import Any

import orjson

_STRICT = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)


def canonical_json(value: Any) -> bytes:
    r"""A JSON value with sorted keys and no spaces, in UTF-8.

    Args:
        value: Plain JSON: dicts with text keys, lists, text, numbers, booleans, None.

    Raises:
        TypeError: If it is anything else, such as text with half a surrogate pair or a number of more
            than 64 bits.

    Example:
        >>> canonical_json({"b": 1, "a": ["ü"]})
        b'{"a":["\xc3\xbc"],"b":1}'
    """
    return orjson.dumps(value, option=_STRICT)


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value, 64 hexadecimal digits.

    Args:
        value: Plain JSON.

    Example:
        >>> content_hash({"b": 1, "a": 2}) == content_hash({"a": 2, "b": 1})
        True
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()
