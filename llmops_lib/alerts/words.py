"""Values of a trace in a message: masked, on one line and without signs that a reader obeys."""

from collections.abc import Sequence

from llmops_lib.safety import mask_text

_LONGEST_VALUE = 60

# Chat, mail and terminals each read other signs as markup, a mention or a link; look-alikes are read by none.
_INERT = {
    "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    "&": "\N{FULLWIDTH AMPERSAND}",
    "*": "\N{ASTERISK OPERATOR}",
    "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
    "[": "\N{LEFT WHITE SQUARE BRACKET}",
    "]": "\N{RIGHT WHITE SQUARE BRACKET}",
    "|": "\N{BROKEN BAR}",
    "~": "\N{TILDE OPERATOR}",
    "@": "\N{FULLWIDTH COMMERCIAL AT}",
    "#": "\N{FULLWIDTH NUMBER SIGN}",
    "\\": "\N{FULLWIDTH REVERSE SOLIDUS}",
}
_TRANSLATED = str.maketrans(_INERT)


def inert(text: str | None) -> str:
    """A value of a trace as a message may hold it.

    Example:
        >>> hostile = inert("<!channel> [x](http://a.b) **b** @here")
        >>> any(sign in hostile for sign in ("<", "[", "*", "@", "//"))
        False
    """
    if text is None:
        return "not recorded"
    shown = mask_text(text, limit=_LONGEST_VALUE).translate(_TRANSLATED)
    return shown.replace("//", "\N{FRACTION SLASH}" * 2)


def group_label(dimensions: Sequence[str], group: Sequence[str | None]) -> str:
    """The group in words.

    Example:
        >>> group_label(("tenant", "user_id"), ("acme", None)), group_label((), ())
        ('tenant acme, user not recorded', 'all calls')
    """
    pairs = zip(dimensions, group, strict=True)
    names = [f"{name.removesuffix('_id')} {inert(value)}" for name, value in pairs]
    return ", ".join(names) or "all calls"
