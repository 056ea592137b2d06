r"""Text as a reader takes it: without invisible characters, wide and ornamental letters as plain ones.

`ann\u200b@example.com` and the same address in full-width letters are e-mail addresses to whoever reads or
copies them, and none to a pattern.
"""

import re
import unicodedata

# Soft hyphen, zero-width and direction marks, variation selectors, tags; wide and mathematical forms.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_ORNAMENTAL = re.compile(
    "[\u2460-\u24ff\ufe10-\ufe6f\uff01-\uff5e\U0001d400-\U0001d7ff\U0001f130-\U0001f149]"
)


def plain_form(text: str) -> tuple[str, list[int] | None]:
    r"""The text in plain characters, and for each of them where it stands in the text.

    Args:
        text: Any text.

    Returns:
        The plain text, and the index of each of its characters in `text` with the length of `text` at the
        end; None where nothing had to change.

    Example:
        >>> plain_form("a\u200bb")
        ('ab', [0, 2, 3])
        >>> plain_form("ab")
        ('ab', None)
    """
    if text.isascii() or not (_UNSEEN.search(text) or _ORNAMENTAL.search(text)):
        return text, None
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if _UNSEEN.match(character):
            continue
        plain = unicodedata.normalize("NFKC", character) if _ORNAMENTAL.match(character) else character
        # One for one: a longer form would move what stands behind it.
        characters.append(plain if len(plain) == 1 else character)
        places.append(place)
    return "".join(characters), [*places, len(text)]
