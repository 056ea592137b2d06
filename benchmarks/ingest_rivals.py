"""What a person would write instead of `load_traces`: the same rows, with none of its checks.

Each function takes a file of clean lines and gives the number of rows that it made. None of them knows
more than one dialect, folds repeated calls, or tells what it could not read.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
from ingest_rivals_langfuse import duckdb_langfuse, loop_langfuse, plain_langfuse
from ingest_rivals_otlp import duckdb_otlp, loop_otlp, plain_otlp

_PANDAS_LINES = 500


def read_bytes(path: Path) -> int:
    """The bare speed of the file."""
    with path.open("rb") as stream:
        return sum(1 for _ in iter(lambda: stream.read(1 << 20), b""))


def parse_lines(path: Path) -> int:
    """JSON to Python objects and no more: what nothing that makes objects of a line can pass."""
    with path.open("rb") as stream:
        return sum(1 for _ in map(orjson.loads, stream))


def pandas_otlp(path: Path) -> int:
    """Chunks of lines in pandas, one row per span; as whole it would take tens of gigabytes."""
    return sum(
        len(pd.DataFrame([row for group in chunk["resourceSpans"] for row in _flattened(group)]))
        for chunk in pd.read_json(path, lines=True, chunksize=_PANDAS_LINES)
    )


def pandas_langfuse(path: Path) -> int:
    """Chunks of lines in pandas, put together."""
    chunks = pd.read_json(path, lines=True, chunksize=10_000, convert_dates=["startTime", "endTime"])
    return len(pd.concat(list(chunks)))


def _flattened(groups: Any) -> Iterator[dict[str, Any]]:
    for span in (span for group in groups for scope in group["scopeSpans"] for span in scope["spans"]):
        held = {pair["key"]: next(iter(pair["value"].values())) for pair in span["attributes"]}
        yield {**{name: value for name, value in span.items() if name != "attributes"}, **held}


RIVALS: dict[str, dict[str, Callable[[Path], int]]] = {
    "otlp": {
        "read bytes": read_bytes,
        "orjson.loads": parse_lines,
        "orjson loop": loop_otlp,
        "json loop": plain_otlp,
        "DuckDB": duckdb_otlp,
        "pandas": pandas_otlp,
    },
    "langfuse": {
        "read bytes": read_bytes,
        "orjson.loads": parse_lines,
        "orjson loop": loop_langfuse,
        "json loop": plain_langfuse,
        "DuckDB": duckdb_langfuse,
        "pandas": pandas_langfuse,
    },
}
"""Format -> name of a rival -> the rival."""
