"""Which writing system texts are in: a property of their letters, and not their language."""

import polars as pl

_SCRIPTS = (
    "Latin",
    "Cyrillic",
    "Greek",
    "Armenian",
    "Georgian",
    "Hebrew",
    "Arabic",
    "Ethiopic",
    "Devanagari",
    "Bengali",
    "Gurmukhi",
    "Gujarati",
    "Tamil",
    "Telugu",
    "Kannada",
    "Malayalam",
    "Sinhala",
    "Thai",
    "Lao",
    "Khmer",
    "Myanmar",
    "Hangul",
    "Han",
)
# What masking puts in place of personal data says nothing of the text.
_PLACEHOLDER = r"<[A-Z][A-Z_]*_\d+>"


def scripts(texts: pl.Series) -> pl.Series:
    """The script that most letters of each text are of: `Latin`, `Cyrillic`, `Han`, `other`, `none` ...

    A script is not a language: English, Turkish and Vietnamese are all `Latin`. Han with kana is `Japanese`,
    the script of that name. Placeholders of masked texts do not count. `none` has no letter, `other` mostly
    letters of scripts that are not told apart here; null where there is no text.

    Args:
        texts: Texts.

    Source:
        Unicode Standard Annex 24, Unicode Script Property; ISO 15924 for Japanese (Jpan).

    Example:
        >>> scripts(pl.Series(["Where is it?", "Где мой заказ?", "注文はどこ", "7 < 8", None])).to_list()
        ['Latin', 'Cyrillic', 'Japanese', 'none', None]
    """
    plain = pl.DataFrame({"text": texts.str.replace_all(_PLACEHOLDER, "")}, schema={"text": pl.String})
    letters = {name: rf"\p{{{name}}}" for name in _SCRIPTS}
    letters |= {"Japanese": r"[\p{Hiragana}\p{Katakana}]", "other": r"\p{L}"}
    found = plain.select(pl.col("text").str.count_matches(one).alias(name) for name, one in letters.items())
    told = [*_SCRIPTS, "Japanese"]
    is_japanese = pl.col("Japanese") > 0
    counted = found.with_columns(
        pl.when(is_japanese).then(pl.col("Han") + pl.col("Japanese")).otherwise(0).alias("Japanese"),
        pl.when(is_japanese).then(0).otherwise(pl.col("Han")).alias("Han"),
        other=pl.col("other").cast(pl.Int64) - pl.sum_horizontal(told).cast(pl.Int64),
    ).select(pl.all().cast(pl.Int64))
    at = counted.select(pl.concat_list([*told, "other"]).list.arg_max()).to_series()
    names = pl.Series([*told, "other"]).gather(at.fill_null(0))
    has_letters = found["other"] > 0
    written = pl.DataFrame({"name": names, "has_letters": has_letters, "text": plain["text"]})
    named = pl.when("has_letters").then("name").when(pl.col("text").is_not_null()).then(pl.lit("none"))
    return written.select(named.alias("script")).to_series()
