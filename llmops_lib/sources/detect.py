"""Which reader a file is for, told from its content."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llmops_lib.errors import SourceError, UnknownFormatError
from llmops_lib.sources import (
    braintrust,
    helicone,
    langfuse,
    langsmith,
    litellm,
    mlflow,
    opik,
    otlp,
    phoenix,
    table,
    weave,
)
from llmops_lib.sources.best_match import best_match
from llmops_lib.sources.bills.pages import is_bill
from llmops_lib.sources.compressed import open_decompressed
from llmops_lib.sources.fetch.manifest import read_manifest
from llmops_lib.sources.rows import SourceRows
from llmops_lib.sources.sample import Sample, take_sample


@dataclass(frozen=True)
class Reader:
    """One export format.

    Attributes:
        source_format: Its name.
        looked_for: One line that says how it is recognised.
        matches: Whether a file is in it.
        read: The rows of a file.
    """

    source_format: str
    looked_for: str
    matches: Callable[[Sample], bool]
    read: Callable[..., SourceRows]


READERS = (
    Reader(otlp.FORMAT, otlp.LOOKED_FOR, otlp.matches, otlp.read_otlp),
    Reader(phoenix.FORMAT, phoenix.LOOKED_FOR, phoenix.matches, phoenix.read_phoenix),
    Reader(langfuse.FORMAT, langfuse.LOOKED_FOR, langfuse.matches, langfuse.read_langfuse),
    Reader(mlflow.FORMAT, mlflow.LOOKED_FOR, mlflow.matches, mlflow.read_mlflow),
    Reader(opik.FORMAT, opik.LOOKED_FOR, opik.matches, opik.read_opik),
    Reader(braintrust.FORMAT, braintrust.LOOKED_FOR, braintrust.matches, braintrust.read_braintrust),
    Reader(weave.FORMAT, weave.LOOKED_FOR, weave.matches, weave.read_weave),
    Reader(langsmith.FORMAT, langsmith.LOOKED_FOR, langsmith.matches, langsmith.read_langsmith),
    Reader(litellm.FORMAT, litellm.LOOKED_FOR, litellm.matches, litellm.read_litellm),
    Reader(helicone.FORMAT, helicone.LOOKED_FOR, helicone.matches, helicone.read_helicone),
    Reader(table.FORMAT, table.LOOKED_FOR, table.matches, table.read_table),
)
"""The formats in the order in which they are tried; a plain table is whatever no other format is."""


def detect_format(path: str | Path) -> str:
    """The format of an export, told from the first 64 kB of its content and never from its name.

    Args:
        path: A plain, gzip, zstd, bzip2 or xz file, or a Parquet file.

    Returns:
        The `source_format` of one of `READERS`, such as `otlp` or `langfuse`.

    Raises:
        SourceNotFoundError: If there is no such file.
        UnknownFormatError: If the content matches no known format; the message says what was looked for.
        SourceError: If the file is empty or cannot be read.
    """
    return detect_reader(Path(path)).source_format


def detect_reader(path: Path) -> Reader:
    """The reader for a file, as `detect_format` tells it."""
    sample = take_sample(path)
    found = best_match(path, sample, [reader.matches for reader in READERS])
    if found is not None:
        return READERS[found]
    pulled = read_manifest(path)
    if pulled is not None and pulled.rows_received == 0 == path.stat().st_size:
        # The server had nothing in the window, which is no fault of the file.
        return named_reader(pulled.source)
    if sample.kind == "unknown" and _is_empty(path):
        msg = f"{path}: the file is empty; expected an export. Look whether the export was cut off."
        raise SourceError(msg)
    found_instead = _NODE_PRINT if _is_printed_by_node(path) else _summary(sample)
    msg = f"{path}: the content matches no known format. Found {found_instead}. Looked for:\n"
    msg += "\n".join(f"  {reader.looked_for}" for reader in READERS)
    if is_bill(sample):
        msg += "\nIt begins like a bill; load_bill reads those."
    else:
        msg += "\nIf it is a table of requests, pass columns={'started_at': '<its time column>', ...}."
    raise UnknownFormatError(msg)


def named_reader(source_format: str) -> Reader:
    """The reader of a format by its name.

    Raises:
        SourceError: If there is no such format; the message lists the known ones.
    """
    known = {reader.source_format: reader for reader in READERS}
    if source_format not in known:
        msg = f"source_format {source_format!r} is unknown; expected one of {list(known)}"
        raise SourceError(msg)
    return known[source_format]


def _is_empty(path: Path) -> bool:
    with open_decompressed(path) as stream:
        return not stream.read(1 << 20).strip()


_NODE_KEY = re.compile(rb"^\{\r?\n  (?:[A-Za-z_$][\w$]*|'[^'\n]*'): ", re.MULTILINE)
_NODE_PRINT = (
    "objects as Node prints them, which is no JSON: their keys have no double quotes (write the spans with "
    "the exporter for OTLP, or as JSON)"
)


def _is_printed_by_node(path: Path) -> bool:
    """Whether objects look as `console.dir` prints them, which is what ConsoleSpanExporter calls."""
    with open_decompressed(path) as stream:
        return _NODE_KEY.search(stream.read(1 << 16)) is not None


_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\ufffd]")


def _summary(sample: Sample) -> str:
    names = {
        "csv": "a text table with the columns",
        "parquet": "a Parquet table with the columns",
        "lines": "JSON objects with the keys",
        "objects": "JSON objects with the keys",
        "document": "a JSON value with the keys",
    }
    if sample.kind not in names or any(_CONTROL.search(name) for name in sample.columns):
        return "neither JSON nor a table (if it is OTLP in protobuf, export it as JSON)"
    if not sample.columns:
        return "JSON without any object in it, such as the empty page of an API"
    # Names come from the file, so their number, length and characters are bounded.
    columns = [ascii(name[:40]) for name in sample.columns[:12]]
    more = ", ..." if len(sample.columns) > 12 else ""
    return f"{names[sample.kind]} {', '.join(columns)}{more}"
