"""What texts of one structure hold: the value of one of them, with a token for each string and number.

One of them that is JSON makes all of them JSON, and shows where each field stands.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count, zip_longest
from typing import Any

from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.refusals import Refused

__all__ = ["IS_TOKEN", "PLACES", "filled", "skeleton_of", "token_of", "tokens_in"]

PLACES = 1 << 32
"""More tokens than a text has."""

IS_TOKEN = re.compile("s[0-9]+")
"""A string in a skeleton."""

_EXPONENT = re.compile("0[eE]")
_ZERO = re.compile("0")


def skeleton_of(between: Sequence[str], *, levels: int = 0) -> Any:
    """What texts of one structure hold, with `s1`, `s3` ... for the strings and 0, 2 ... for the numbers.

    The number is that of the token, which for a number is the token that it stands in; `PLACES` is added
    for each number before it in that token. A name that is no word is a string too.

    Args:
        between: The even tokens with the words written out, each number as 0.
        levels: How deep in their texts they stand.

    Raises:
        Refused: If they are no JSON.
    """
    if any(map(_EXPONENT.search, between)):
        raise Refused(reason="json")
    parse_json(_filled(between, levels))
    numbered = [_numbered(2 * place, token) for place, token in enumerate(between)]
    value = parse_json(_filled(numbered, levels))
    for _ in range(levels):
        value = value[0]
    return value


def _numbered(place: int, token: str) -> str:
    following = count(place, PLACES)
    return _ZERO.sub(lambda _: str(next(following)), token)


def _filled(between: Sequence[str], levels: int) -> bytes:
    strings = (f'"s{2 * place + 1}"' for place in range(len(between) - 1))
    tokens = chain.from_iterable(zip_longest(between, strings, fillvalue=""))
    return ("[" * levels + "".join(tokens) + "]" * levels).encode()


def token_of(leaf: Any) -> int:
    """The token in which a string or number of a skeleton stands.

    Raises:
        ValueError: If it is neither.
    """
    if type(leaf) is int:
        return leaf % PLACES
    if isinstance(leaf, str) and IS_TOKEN.fullmatch(leaf):
        return int(leaf[1:])
    raise ValueError(leaf)


def tokens_in(value: Any) -> Iterator[int]:
    """The tokens of all strings and numbers in a skeleton, or a part of one."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for held in value:
            yield from tokens_in(held)
    elif value is not None and not isinstance(value, bool):
        yield token_of(value)


def filled(value: Any, held: Mapping[int, Any]) -> Any:
    """A skeleton, or a part of one, with what its tokens hold.

    Args:
        value: The skeleton.
        held: Token -> the string or number.
    """
    if isinstance(value, dict):
        return {key: filled(part, held) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, held) for part in value]
    return value if value is None or isinstance(value, bool) else held[token_of(value)]
