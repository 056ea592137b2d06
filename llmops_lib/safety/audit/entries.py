"""One entry of an audit log: a line of JSON that carries the hash of the line before it, and its own.

A line is the one spelling of its content (sorted keys, no white space), so that whoever changes a byte of it
changes what is hashed. With a key the hash is an HMAC: without the key nobody can write a line that holds.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from llmops_lib.errors import AuditError
from llmops_lib.safety.sensitive import find_sensitive

BEGINNING = "0" * 64
"""What the first entry has as the hash of the one before it."""

PLAIN, KEYED = "sha256", "hmac-sha256"
"""How an entry is hashed."""

LONGEST_LINE = 16_384
"""Bytes that no line exceeds."""

_LONGEST_TEXT, _SHORTEST_SECRET = 300, 12
_MOST_DETAILS = 12_000


@dataclass(frozen=True)
class Entry:
    """One recorded action.

    Attributes:
        seq: Its number, from 1 on without a gap.
        at: When, ISO 8601 in UTC.
        actor: Who: a user of this machine, or an agent as traces name it.
        action: What, such as `endpoint_call`.
        details: Facts about it; no text of anybody.
        prev: Hash of the entry before.
        alg: How it is hashed.
        hash: Its hash.
    """

    seq: int
    at: str
    actor: str
    action: str
    details: Mapping[str, Any]
    prev: str
    alg: str
    hash: str

    def line(self) -> bytes:
        """The entry as it stands in a file."""
        return orjson.dumps(vars(self), option=orjson.OPT_SORT_KEYS) + b"\n"


def hashed(key: bytes | None, **content: Any) -> Entry:
    """The entry of this content.

    Args:
        key: Key of the HMAC; None for a plain hash.
        **content: Fields of `Entry` but for `alg` and `hash`.

    Raises:
        AuditError: If the content is no JSON, or longer than an entry may be.
    """
    whole = {**content, "alg": KEYED if key else PLAIN}
    try:
        entry = Entry(**whole, hash=digest(whole, key))
        length = len(entry.line())
    except (TypeError, orjson.JSONEncodeError) as error:
        msg = f"the details of {content.get('action')} are no JSON ({error}); nothing was recorded or done"
        raise AuditError(msg) from error
    if length > LONGEST_LINE:
        msg = (
            f"the details of {content.get('action')} take {length:,} bytes, expected at most {LONGEST_LINE:,}"
        )
        raise AuditError(msg)
    return entry


def digest(content: Mapping[str, Any], key: bytes | None) -> str:
    """The hash of an entry without its own hash, in hex."""
    text = orjson.dumps({k: v for k, v in content.items() if k != "hash"}, option=orjson.OPT_SORT_KEYS)
    return hmac.new(key, text, "sha256").hexdigest() if key else hashlib.sha256(text).hexdigest()


def parsed(line: bytes) -> Entry:
    """The entry of a line, whose hash may still be wrong.

    Args:
        line: A line with its end.

    Raises:
        ValueError: If it is no entry in its one spelling.
    """
    content = orjson.loads(line)
    if not isinstance(content, dict) or set(content) != set(Entry.__dataclass_fields__):
        msg = "no entry of an audit log"
        raise ValueError(msg)
    entry = Entry(**content)
    if type(entry.seq) is not int or not all(
        isinstance(text, str) for text in (entry.prev, entry.hash, entry.at)
    ):
        msg = "fields of other types than an entry has"
        raise ValueError(msg)
    if entry.line() != line:
        msg = "another spelling than an entry has"
        raise ValueError(msg)
    return entry


def clean(value: Any) -> Any:
    """Details as they may be recorded: texts cut, keys and passwords replaced.

    Names of tools and ids come from traces, which others write.
    """
    if isinstance(value, str):
        if len(value) < _SHORTEST_SECRET:
            return value.encode("utf-8", "backslashreplace").decode()
        text = value[:_MOST_DETAILS]
        for place in reversed(find_sensitive(text, mode="off")):
            text = f"{text[: place.start]}<SECRET>{text[place.end :]}"
        text = text.encode("utf-8", "backslashreplace").decode()
        return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
    if isinstance(value, Mapping):
        return {str(clean(str(name))): clean(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value
