"""Keys and tokens must not reach a report: the key formats of `safety`, read more strictly.

Masking must not spoil prose, so it wants proof that a text is a key. Here a report is stopped or an
error message cut, which is the smaller harm, so everything that begins as a key does is taken for one.
"""

import re
from collections.abc import Iterator
from typing import Any

from llmops_lib.secrets.patterns import SECRET_PATTERNS

# An upper-case letter or a digit keeps CSS classes and prose such as sk-toggleable__content out.
_KEY_LIKE = re.compile(r"(?<![A-Za-z0-9])sk-(?=[a-z_-]{0,40}[A-Z0-9])[\w-]{16,400}+")
# Base64 of an image holds any short prefix by chance.
_EMBEDDED = re.compile(r"data:image/[a-z+.-]{1,20}(?:;[\w=-]{1,20}){0,3},[^\"'\s)<>\\]*+")
# What already stands in place of a password, as HTML writes it, is none; the audit log numbers none.
_ESCAPED_PLACEHOLDER = re.compile(r"&lt;[A-Z]{2,6}(?:_\d{1,9})?&gt;")


def has_secret(text: str) -> bool:
    """Whether a key or token occurs in a text; embedded images are not searched.

    Example:
        >>> has_secret("key: " + "hf_" + "Ab1" * 12), has_secret("see the risk-assessment of 2026-11")
        (True, False)
    """
    return next(_places(text), None) is not None


def without_secrets(text: str) -> str:
    """The text with every key and token replaced by a note; embedded images are not searched.

    Example:
        >>> without_secrets("refused: " + "hf_" + "Ab1" * 12)
        'refused: [secret removed]'
        >>> without_secrets("postgres://app:&lt;SECRET_1&gt;@db, its place in the page of a report")
        'postgres://app:&lt;SECRET_1&gt;@db, its place in the page of a report'
    """
    parts, at = [], 0
    for start, end in sorted(_places(text)):
        if start >= at:
            parts += [text[at:start], "[secret removed]"]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def scrubbed(value: Any) -> Any:
    """A JSON value, such as a notebook, with the secrets in its texts replaced; images stay as they are."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, list):
        return [scrubbed(item) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key in {"image/png", "image/jpeg"} else scrubbed(item) for key, item in value.items()
        }
    return value


def _places(text: str) -> Iterator[tuple[int, int]]:
    text = _EMBEDDED.sub(lambda match: " " * len(match[0]), text)
    text = _ESCAPED_PLACEHOLDER.sub(lambda match: "<" * len(match[0]), text)
    for pattern in SECRET_PATTERNS:
        group = "value" if "value" in pattern.regex.groupindex else 0
        for match in pattern.regex.finditer(text):
            if pattern.check is None or pattern.check(match) is not None:
                yield match.span(group)
    yield from (match.span() for match in _KEY_LIKE.finditer(text))
