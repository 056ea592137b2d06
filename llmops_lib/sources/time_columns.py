"""ISO times as a column, in the ways in which most exports write them."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from llmops_lib.schema import UTC_DATETIME
from llmops_lib.sources.times import KNOWN_PAST_US

_SECOND = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
_FORMS = tuple(
    (f"{_SECOND.replace('[T ]', separator)}{digits}{zone}$", f"%Y-%m-%d{separator}%H:%M:%S{fraction}{zone}")
    for separator, zone in (("T", "Z"), (" ", ""))
    for digits, fraction in ((r"\.[0-9]{3}", ".%3f"), (r"\.[0-9]{6}", ".%6f"), ("", ""))
)
"""Pattern and format of each way; a time without a zone is taken as UTC."""


def utc_times(texts: Sequence[Any] | pl.Series) -> pl.Series:
    """The moments that texts name, as `times.parse_time` finds them with the zone UTC.

    Args:
        texts: Values of an export.

    Returns:
        Datetimes; null where a value is no text, written in another way, no date, or not known to be past.
    """
    if not isinstance(texts, pl.Series) and not set(map(type, texts)) <= {str, type(None)}:
        texts = [text if isinstance(text, str) else None for text in texts]
    column = pl.Series("time", texts, dtype=pl.String)
    moments = pl.repeat(None, column.len(), dtype=pl.Datetime("us"), eager=True)
    for pattern, form in _FORMS:
        fits = column.str.contains(pattern)
        if fits.any():
            fitting = column if fits.all() else column.set(~fits, None)
            moments = moments.fill_null(_parsed(fitting, form))
        if moments.null_count() == column.null_count():
            break
    in_range = moments.cast(pl.Int64).is_between(*KNOWN_PAST_US)
    return moments.set(~in_range, None).cast(UTC_DATETIME)


def _parsed(texts: pl.Series, form: str) -> pl.Series:
    """Texts in one form as moments, null where one is no date."""
    try:
        # Arrow takes a fifth of the time, and none of the column where a text is no date or names no zone.
        found = texts.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return texts.str.to_datetime(form, time_unit="us", strict=False)
    return pl.Series(found).dt.replace_time_zone(None)
