r"""Text from traces made fit to be shown: sensitive values replaced, control characters visible, length cut.

What is hidden depends on form alone (`sensitive.py`): e-mail addresses, phone numbers, payment cards,
IBANs, IP addresses, US social security numbers, keys and passwords. Names and postal addresses stay.
"""

import re
import unicodedata

import polars as pl

from llmops_lib.errors import SchemaError
from llmops_lib.safety.sensitive import Mode, find_sensitive
from llmops_lib.secrets.patterns import LONGEST_MATCH
from llmops_lib.secrets.placeholders import Placeholders

_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cn", "Co", "Cs")
# Nothing outside these ranges needs a second look: most text is passed over at the speed of `re`.
_SUSPECT = re.compile("[^\\x20-\\x7e\\xa1-\\xac\\xae-\\u024f]")


def mask_text(
    text: str, *, limit: int = 200, placeholders: Placeholders | None = None, mode: Mode = "report"
) -> str:
    r"""The text as it may be shown: one line of at most `limit` characters without personal data or secrets.

    Each value becomes a placeholder that names its kind; the same value gets the same number within
    one text, so that a reader still sees who is who. White space is collapsed; control, bidirectional
    and invisible characters are written as escapes.

    This does not make the text safe as HTML, Markdown or a spreadsheet cell: whoever writes those escapes it.

    Args:
        text: Any text, hostile ones included.
        limit: Longest result; a longer text ends in `…`.
        placeholders: Numbers shared with other texts of the same trace; this text has its own without.
        mode: How personal data is looked for; `off` shows it. Secrets are hidden in any case.

    Returns:
        The masked text.

    Example:
        >>> mask_text("ann@example.com wrote to bob@example.com,  then\nANN@example.com paid")
        '<EMAIL_1> wrote to <EMAIL_2>, then <EMAIL_1> paid'
    """
    # White space goes first: a number broken over two lines would else be joined after the search.
    line = " ".join(text.split())
    # A long prompt is not searched to its end for a few shown characters, but a value that the window
    # cuts must still be recognized.
    window = 8 * limit
    seen = line[: window + LONGEST_MATCH]
    places = [place for place in find_sensitive(seen, mode=mode) if place.start < window]
    numbers = Placeholders() if placeholders is None else placeholders
    shown = _visible(numbers.replaced(seen, places, end=window))
    if len(shown) <= limit and len(line) <= window:
        return shown
    return shown[: limit - 1] + "…"


def mask_column(texts: pl.Series, *, limit: int = 200, mode: Mode = "report") -> pl.Series:
    """The column with every text masked; null stays null.

    For the small tables of a report: a short text takes well under a millisecond, a prompt about five.

    Args:
        texts: Texts from traces.
        limit: Longest result per row.
        mode: As `mask_text` takes it.

    Returns:
        A String series of the same name and length.

    Raises:
        SchemaError: If the column does not hold text.
    """
    if texts.dtype not in (pl.String, pl.Null):
        msg = f"column {texts.name!r} holds {texts.dtype}, expected String; mask text columns only"
        raise SchemaError(msg)
    # Check digits and numbering within one text have no columnar expression.
    masked = [None if text is None else mask_text(text, limit=limit, mode=mode) for text in texts]
    return pl.Series(texts.name, masked, dtype=pl.String)


def _visible(text: str) -> str:
    return _SUSPECT.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    # Variation selectors carry hidden text; only the two that choose between text and emoji are ordinary.
    is_smuggler = 0xE0100 <= code <= 0xE01EF or 0xFE00 <= code <= 0xFE0D
    if not is_smuggler and unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
