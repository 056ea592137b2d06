"""Two texts held against each other word by word."""

import re
from difflib import SequenceMatcher

LONGEST = 1_000
"""Words and signs of each text that are compared; of longer ones, the beginning."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def word_diff(old: str, new: str) -> list[tuple[str, str]]:
    """The pieces of both texts in order: `same`, `removed` (in the old one only) or `added`.

    Args:
        old: The earlier text.
        new: The later text.

    Example:
        >>> word_diff("within 14 days", "within 30 days")
        [('same', 'within '), ('removed', '14'), ('added', '30'), ('same', ' days')]
    """
    before, after = (_WORDS.findall(text)[:LONGEST] for text in (old, new))
    pieces: list[tuple[str, str]] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(before[a:b])))
            continue
        pieces += [("removed", "".join(before[a:b]))] if b > a else []
        pieces += [("added", "".join(after[c:d]))] if d > c else []
    return pieces


def changed_share(old: str, new: str) -> float:
    """How much of two texts is not in both, 0 (the same) to 1, by words.

    Example:
        >>> changed_share("yes", "yes"), changed_share("yes", "no")
        (0.0, 1.0)
    """
    if old == new:
        return 0.0
    texts = [_WORDS.findall(text) for text in (old, new)]
    before, after = ([word for word in words if not word.isspace()][:LONGEST] for words in texts)
    same = SequenceMatcher(None, before, after, autojunk=False).ratio()
    # Texts that differ by white space, or behind the part that is compared, are not the same.
    return max(1 - same, 1 / (2 * LONGEST))
