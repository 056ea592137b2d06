"""What a load refused: told apart from what was merely merged, counted for a warning, or raised."""

import polars as pl

from llmops_lib.errors import BadLineError, SourceError
from llmops_lib.schema import BENIGN_REASONS

_CODE = pl.col("reason").str.split(":").list.first()


def check_on_bad(on_bad: str) -> None:
    """Nothing, once the argument `on_bad` of a load is known to be one.

    Raises:
        SourceError: If it is none.
    """
    if on_bad not in ("quarantine", "raise"):
        msg = f"on_bad {on_bad!r} is unknown; expected 'quarantine' or 'raise'"
        raise SourceError(msg)


def refused_rows(quarantine: pl.DataFrame) -> pl.DataFrame:
    """The rows of a quarantine that are lost: duplicates and merged rows stand in another one.

    Args:
        quarantine: QUARANTINE.
    """
    return quarantine.filter(~_CODE.is_in(BENIGN_REASONS))


def counted_reasons(refused: pl.DataFrame) -> str:
    """How many rows were refused for each reason, such as `json 3, time 1`.

    Codes and counts only: a detail or a raw row may hold what must not be in a log.

    Args:
        refused: Rows of QUARANTINE.
    """
    codes = refused.group_by(_CODE.alias("code")).len().sort("code").rows()
    return ", ".join(f"{code} {count}" for code, count in codes)


def raise_first(refused: pl.DataFrame, what: str) -> None:
    """Raises for rows that were refused.

    Args:
        refused: Rows of QUARANTINE, at least one.
        what: What they cannot become, such as `rows cannot become spans`.

    Raises:
        BadLineError: Names the place and the reason of the first, and the number of all.
    """
    first = refused.row(0, named=True)
    line = "" if first["source_line"] is None else f":{first['source_line']}"
    msg = (
        f"{first['source_file']}{line}: {first['reason']}; {refused.height} {what}. Mend the file, or load "
        "with on_bad='quarantine' to set them aside"
    )
    raise BadLineError(msg)
