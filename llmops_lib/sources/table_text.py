"""Cells of any dtype as text, and text cells as JSON, column by column."""

from dataclasses import dataclass

import orjson
import polars as pl

_EXACT_LIMIT = 2.0**53
# A longer number would not come back from JSON as it went in.
_LITERAL = r"^(?:true|false|-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?)$"


@dataclass(frozen=True)
class TextBlock:
    """Consecutive rows of a table.

    Attributes:
        cells: Columns of the table, all text; null where a cell is empty.
        numbers: Line of a JSON Lines file, else row of the table, counted from 1.
        content: Each row as JSON text, the same for the same row in any file.
    """

    cells: pl.DataFrame
    numbers: pl.Series
    content: pl.Series


def without_empty(cells: pl.DataFrame) -> pl.DataFrame:
    """The same text cells, empty ones as null."""
    return cells.with_columns(pl.when(pl.all() != "").then(pl.all()))


def cells_as_text(table: pl.DataFrame) -> pl.DataFrame:
    """The same rows with every column as text.

    A whole number is written without a fraction even where the column holds floats, which is what
    one missing value makes of counts. NaN, which stands for a missing value there, becomes null.
    Times are written in ISO form, without a zone where they have none; durations in milliseconds;
    lists and structs as JSON.
    """
    binary = [name for name, dtype in table.schema.items() if dtype == pl.Binary]
    table = table.with_columns(_binary_text(table[name]) for name in binary)
    return table.select(_as_text(pl.col(name), dtype).alias(name) for name, dtype in table.schema.items())


def utf8_texts(cells: pl.Series) -> pl.Series:
    """Each run of bytes as text; null where it is not UTF-8."""
    try:
        return cells.cast(pl.String)
    except pl.exceptions.PolarsError:
        # One bad cell fails the whole cast, so the cells of such a block are decoded one by one.
        return pl.Series(cells.name, [_decoded(cell) for cell in cells], dtype=pl.String)


def json_strings(text: pl.Series) -> pl.Series:
    """Each text as a JSON string; null stays null."""
    encoded = text.to_frame("").select(pl.struct(pl.all()).struct.json_encode()).to_series()
    # The struct is written as {"":"text"}.
    return pl.select(pl.when(text.is_not_null()).then(encoded.str.slice(4).str.strip_suffix("}"))).to_series()


def json_texts(text: pl.Series, *, opening: str = '{["') -> pl.Series:
    """Each text as JSON: what already is a JSON object, list or string stays, the rest is encoded.

    Args:
        text: Cells.
        opening: First characters of what may already be JSON.
    """
    candidate = text.str.strip_chars_start().str.slice(0, 1).is_in(list(opening)).fill_null(value=False)
    positions = candidate.arg_true()
    # Only a parser knows whether text is JSON; polars has none that judges one row at a time.
    flags = [_is_json(value) for value in text.gather(positions)]
    is_json = pl.zeros(text.len(), pl.Boolean, eager=True).scatter(positions, flags)
    return pl.select(pl.when(is_json).then(text).otherwise(json_strings(text))).to_series()


def json_objects(cells: pl.DataFrame) -> pl.Series:
    """Each row as a JSON object of its cells that are not null, in the order of their names.

    Numbers, truth values, objects and lists stand in it as such, other text as strings.
    """
    if not cells.width:
        return pl.Series(["{}"] * cells.height, dtype=pl.String)
    members = pl.DataFrame([_members(cells[name]) for name in sorted(cells.columns)])
    joined = pl.concat_str(pl.all(), separator=",", ignore_nulls=True)
    return members.select(pl.concat_str(pl.lit("{"), joined, pl.lit("}"))).to_series()


def merged_objects(stated: pl.Series, rest: pl.Series) -> pl.Series:
    """The members of two JSON objects as one; a stated cell that is no object becomes a member itself.

    Args:
        stated: Cells of an attributes column, or null.
        rest: JSON objects as `json_objects` writes them.
    """
    left = pl.col("stated").str.strip_chars()
    is_object = left.str.starts_with("{") & (left == pl.col("json").str.strip_chars())
    inner = left.str.slice(1).str.strip_suffix("}").str.strip_chars()
    members = pl.when(is_object).then(inner).otherwise(pl.concat_str(pl.lit('"attributes":'), pl.col("json")))
    others = pl.col("rest").str.slice(1).str.strip_suffix("}")
    both = pl.concat_str(
        pl.when(members != "").then(members),
        pl.when(others != "").then(others),
        separator=",",
        ignore_nulls=True,
    )
    parts = pl.DataFrame({"stated": stated, "json": json_texts(stated, opening="{["), "rest": rest})
    return parts.select(pl.concat_str(pl.lit("{"), both, pl.lit("}"))).to_series()


def _members(cells: pl.Series) -> pl.Series:
    texts = json_texts(cells, opening="{[")
    values = pl.when(cells.str.contains(_LITERAL)).then(cells).otherwise(texts)
    key = orjson.dumps(cells.name).decode() + ":"
    return pl.select(pl.concat_str(pl.lit(key), values)).to_series().alias(cells.name)


def _decoded(cell: bytes | None) -> str | None:
    try:
        return None if cell is None else cell.decode()
    except UnicodeDecodeError:
        return None


def _binary_text(cells: pl.Series) -> pl.Series:
    texts = utf8_texts(cells)
    return texts.zip_with(texts.is_not_null(), cells.bin.encode("base64"))


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _as_text(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_float():
        whole = (cell == cell.floor()) & (cell.abs() < _EXACT_LIMIT)
        number = pl.when(whole).then(cell.cast(pl.Int64, strict=False).cast(pl.String))
        return number.when(cell.is_not_nan()).then(cell.cast(pl.Float64).cast(pl.String))
    if isinstance(dtype, pl.Datetime):
        zone = "Z" if dtype.time_zone else ""
        utc = cell.dt.convert_time_zone("UTC") if zone else cell
        return utc.dt.strftime(f"%Y-%m-%dT%H:%M:%S%.f{zone}")
    if isinstance(dtype, pl.Duration):
        return (cell.dt.total_nanoseconds(fractional=True) / 1e6).cast(pl.String)
    if dtype.is_nested():
        # Only a struct can be written as JSON, so the cell is wrapped in one, {"":...}, and unwrapped again.
        wrapped = pl.struct(cell.alias("")).struct.json_encode()
        return pl.when(cell.is_not_null()).then(wrapped.str.slice(4).str.strip_suffix("}"))
    return cell.cast(pl.String)
