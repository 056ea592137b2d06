"""Reads a price file, YAML or CSV, into PRICES."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from llmops_lib.errors import PriceError
from llmops_lib.plain_yaml import PlainLoader
from llmops_lib.pricing.flat_list import public_prices
from llmops_lib.pricing.price_checks import Entry, parsed_entry, prices_frame
from llmops_lib.schema import PRICES, conform

_SIZE_LIMITS = {".yaml": 256 * 1024, ".yml": 256 * 1024, ".csv": 4 * 1024 * 1024}
_NULLS = ("", "~", "null", "Null", "NULL")


def load_prices(path: str | Path | None = None) -> pl.DataFrame:
    """A price file as a checked table; without a path, the public list as far as a table can hold it.

    Args:
        path: YAML (`.yaml`, `.yml`: a list of entries under `prices`) or CSV, with the columns of PRICES
            as keys. `provider`, `service_tier`, `min_input_tokens` (0), the cache prices and `source` may
            be left out.

    Returns:
        PRICES, one row per model, service tier, input-size tier and start date. The public list is for
        looking at and for starting a list of one's own: entries without a date start on 1970-01-01, and
        models with prices by the time of day, per request or for reasoning apart are left out.

    Raises:
        PriceError: If the file cannot be read or contradicts itself; the message says which entry, what
            was found, what was expected, and what to do.
    """
    if path is None:
        return public_prices()
    file = Path(path)
    text = _text(file)
    entries = (
        _csv_entries(text, file.name) if file.suffix.lower() == ".csv" else _yaml_entries(text, file.name)
    )
    return prices_frame(entries, file.name)


def checked_prices(prices: str | Path | pl.DataFrame | None) -> pl.DataFrame:
    """The own list of a caller, however given, as checked PRICES; empty where there is none.

    Raises:
        PriceError: If the list cannot be read or contradicts itself.
    """
    if prices is None:
        return PRICES.empty()
    if isinstance(prices, pl.DataFrame):
        rows = conform(prices, PRICES).iter_rows(named=True)
        return prices_frame(
            [Entry(f"prices frame: row {n}", row) for n, row in enumerate(rows)], "prices frame"
        )
    if isinstance(prices, (str, Path)):
        return load_prices(prices)
    msg = (
        f"prices: found a {type(prices).__name__}, expected the path of a YAML or CSV file, or a polars "
        "DataFrame with the columns of PRICES"
    )
    raise PriceError(msg)


def _text(file: Path) -> str:
    limit = _SIZE_LIMITS.get(file.suffix.lower())
    if limit is None:
        msg = f"{file.name}: found the ending {file.suffix!r}, expected .yaml, .yml or .csv; rename the file"
        raise PriceError(msg)
    try:
        with file.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        msg = f"{file}: the price file cannot be read ({error.strerror}); check the path"
        raise PriceError(msg) from error
    if len(content) > limit:
        msg = (
            f"{file.name}: larger than {limit // 1024} KB, expected a short list of prices; "
            "keep the models in use, or give a PRICES frame"
        )
        raise PriceError(msg)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{file.name}: byte {error.start} is not UTF-8; save the file as UTF-8"
        raise PriceError(msg) from error


def _yaml_entries(text: str, file: str) -> list[Entry]:
    try:
        loader = PlainLoader(text)
        document = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else "?"
        msg = f"{file}: line {line}: found {error.problem}, expected plain YAML with a list under `prices`"
        raise PriceError(msg) from error
    except (yaml.YAMLError, RecursionError) as error:
        msg = f"{file}: not plain YAML, expected a list under `prices`"
        raise PriceError(msg) from error
    if (
        not isinstance(document, dict)
        or list(document) != ["prices"]
        or not isinstance(document["prices"], list)
    ):
        found = list(document)[:5] if isinstance(document, dict) else type(document).__name__
        msg = f"{file}: found {found} at the top, expected the one key `prices` with a list of entries"
        raise PriceError(msg)
    return [_yaml_entry(entry, f"{file}: entry {n}") for n, entry in enumerate(document["prices"], start=1)]


def _yaml_entry(entry: Any, where: str) -> Entry:
    if not isinstance(entry, dict):
        msg = f"{where}: found a {type(entry).__name__}, expected keys and values such as `model: my-model`"
        raise PriceError(msg)
    nested = [key for key, value in entry.items() if not isinstance(value, str)]
    if nested:
        msg = f"{where}: found a list or mapping under {nested[0]!r}, expected one value"
        raise PriceError(msg)
    return parsed_entry({key: None if value in _NULLS else value for key, value in entry.items()}, where)


def _csv_entries(text: str, file: str) -> list[Entry]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    entries = []
    try:
        _reject_repeated(reader.fieldnames or [], file)
        for row in reader:
            where = f"{file}: line {reader.line_num}"
            if None in row or None in row.values():
                header = len(reader.fieldnames or [])
                msg = f"{where}: found other than the {header} fields of the header; check the separators"
                raise PriceError(msg)
            entries.append(parsed_entry({k: v.strip() or None for k, v in row.items()}, where))
    except csv.Error as error:
        msg = f"{file}: line {reader.line_num + 1}: not CSV ({error}); check quotes and separators"
        raise PriceError(msg) from error
    return entries


def _reject_repeated(header: Sequence[str], file: str) -> None:
    repeated = sorted({name for name in header if list(header).count(name) > 1})
    if repeated:
        msg = f"{file}: line 1: found the column {repeated[0]!r} twice, expected it once; remove one"
        raise PriceError(msg)
