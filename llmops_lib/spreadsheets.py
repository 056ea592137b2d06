"""Tables as CSV that a spreadsheet opens without running what stands in them."""

from pathlib import Path
from typing import Any

import orjson
import polars as pl
import polars.selectors as cs

from llmops_lib.frames import collected
from llmops_lib.whole_files import write_whole

_ACTIVE = (
    "^(?:[\t\r\n]|[\\s\\p{Cc}\\p{Cf}]*['=+\\-@|;,\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b])"
)
"""How text begins that a spreadsheet may take for a formula or a separator, or that was marked before."""


def write_csv(table: Any, path: str | Path) -> None:
    r"""Writes a table as CSV (UTF-8) whose texts no spreadsheet takes for formulas.

    Text, column names included, that begins like a formula gets an apostrophe before it, which spreadsheets
    do not show; so does text that begins with an apostrophe, so that taking one away gives the original.
    Numbers stay numbers, text is quoted, null is an empty cell and empty text is `""`; lists and structs
    become JSON. For machines, write Parquet, which changes nothing.

    Args:
        table: Any dataframe.
        path: The file; an old one is replaced in one step.

    Raises:
        OSError: If it cannot be written; the old file stays.

    Source:
        OWASP, CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "spend.csv"
        ...     write_csv(pl.DataFrame({"tenant": ["=1+1", "acme"], "spend_usd": [-1.5, 2.0]}), file)
        ...     print(file.read_text("utf-8"))
        "tenant","spend_usd"
        "'=1+1",-1.5
        "acme",2.0
        <BLANKLINE>
    """
    rows = collected(table)
    nested = [name for name, kind in rows.schema.items() if kind.is_nested() or kind == pl.Object]
    plain = rows.with_columns(
        pl.Series(name, [None if one is None else _json(one) for one in rows[name].to_list()], pl.String)
        for name in nested
    )
    safe = plain.cast({cs.categorical() | cs.enum(): pl.String}).with_columns(
        cs.string().str.replace(_ACTIVE, "'$0")
    )
    names = pl.Series(safe.columns, dtype=pl.String).str.replace(_ACTIVE, "'$0").to_list()
    safe.columns = names
    write_whole(Path(path), lambda beside: safe.write_csv(beside, quote_style="non_numeric"))


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
