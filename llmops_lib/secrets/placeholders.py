"""What stands in a text in place of personal data and secrets: `<EMAIL_1>`, the same for the same value."""

import re
from collections.abc import Sequence

from llmops_lib.secrets.findings import Finding
from llmops_lib.secrets.folding import plain_form

_SEPARATORS = re.compile(r"[^\w@]")


class Placeholders:
    """Numbers of values, shared by all texts of one trace, so that a reader still sees who is who.

    Example:
        >>> from llmops_lib.safety import find_sensitive
        >>> numbers = Placeholders()
        >>> texts = ["from ann@example.com", "to bob@example.com, cc Ann@example.com"]
        >>> [numbers.replaced(text, find_sensitive(text)) for text in texts]
        ['from <EMAIL_1>', 'to <EMAIL_2>, cc <EMAIL_1>']
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}

    def replaced(self, text: str, places: Sequence[Finding], *, end: int | None = None) -> str:
        """The text up to `end` with a placeholder at each place.

        Args:
            text: A text of the trace.
            places: What was found in it, in order of place, none overlapping.
            end: Where the text is cut; its own end without.
        """
        parts, at = [], 0
        for place in places:
            parts += [text[at : place.start], self._placeholder(place.kind, text[place.start : place.end])]
            at = place.end
        return "".join([*parts, text[at:end]])

    def _placeholder(self, kind: str, text: str) -> str:
        value = (kind, same_value(text))
        if value not in self._numbers:
            self._numbers[value] = self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"<{kind}_{self._numbers[value]}>"


def same_value(text: str) -> str:
    """What two spellings of one value have in common: neither case, separators nor invisible characters.

    Example:
        >>> same_value("4111-1111") == same_value("4111 1111")
        True
    """
    return _SEPARATORS.sub("", plain_form(text.replace("%40", "@"))[0]).casefold()
