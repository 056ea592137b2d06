"""What token counts and the attributes beside them say about how they were counted.

Attributes are JSON text. The engines share no JSON functions, so a value is cut out of the text by what
stands before and after it. A key inside a nested text has its quotes escaped and is not taken for one.
"""

import re
from collections.abc import Sequence

import narwhals as nw

_LONGEST_COUNT = 15


def cache_tokens() -> nw.Expr:
    """Cache reads and writes together, of which an unknown one counts as none."""
    return nw.col("cache_read_tokens").fill_null(0) + nw.col("cache_write_tokens").fill_null(0)


def cache_exceeds_input() -> nw.Expr:
    """Whether more came from the cache than there was input, which inclusive counts cannot say."""
    return known_to_be(cache_tokens() > nw.col("input_tokens"))


def reasoning_exceeds_output() -> nw.Expr:
    """Whether there was more reasoning than output, which inclusive counts cannot say."""
    return known_to_be(nw.col("reasoning_tokens") > nw.col("output_tokens"))


def known_to_be(condition: nw.Expr) -> nw.Expr:
    """The condition, false where it cannot be told."""
    return condition.fill_null(value=False)


def attribute_text(key: str) -> nw.Expr:
    """The text of an attribute; null where it is absent or no text.

    Args:
        key: Name of the attribute.
    """
    attributes, before = nw.col("attributes"), _before([key], quoted=True)
    value = attributes.str.replace_all(f"(?s)^.*?{before}", "").str.replace_all('(?s)".*$', "")
    return nw.when(known_to_be(attributes.str.contains(before))).then(value)


def attribute_count(keys: Sequence[str]) -> nw.Expr:
    """The whole number of the first attribute in the text that is one of these; null where there is none.

    Args:
        keys: Names of attributes.
    """
    attributes, before = nw.col("attributes"), _before(keys, quoted=False)
    digits = attributes.str.replace_all(f"(?s)^.*?{before}", "").str.replace_all("(?s)[^0-9].*$", "")
    # The zero is for texts that hold no number there: an engine may convert them all before it chooses.
    number = nw.concat_str(nw.lit("0"), digits.str.head(_LONGEST_COUNT).fill_null("")).cast(nw.Int64)
    return nw.when(known_to_be(attributes.str.contains(f"{before}[0-9]"))).then(number)


def _before(keys: Sequence[str], *, quoted: bool) -> str:
    names = "|".join(re.escape(key) for key in keys)
    return rf'"(?:{names})"\s*:\s*' + ('"' if quoted else '"?')
