"""Which reader a file of eval results is for, told from its content."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llmops_lib.errors import SourceError, UnknownFormatError
from llmops_lib.sources.best_match import best_match
from llmops_lib.sources.compressed import open_decompressed
from llmops_lib.sources.results import (
    alpaca_eval,
    deepeval,
    inspect_logs,
    junit,
    lm_eval,
    openai_evals,
    promptfoo,
    ragas,
    score_table,
)
from llmops_lib.sources.results.score_rows import ScoreRows
from llmops_lib.sources.sample import Sample, take_sample

_ZIP_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True)
class ScoreReader:
    """One format of eval results.

    Attributes:
        source_format: Its name.
        looked_for: One line that says how it is recognised.
        matches: Whether a file is in it.
        read: The scores of a file.
    """

    source_format: str
    looked_for: str
    matches: Callable[[Sample], bool]
    read: Callable[..., ScoreRows]


SCORE_READERS = (
    ScoreReader(promptfoo.FORMAT, promptfoo.LOOKED_FOR, promptfoo.matches, promptfoo.read_promptfoo),
    ScoreReader(
        inspect_logs.FORMAT, inspect_logs.LOOKED_FOR, inspect_logs.matches, inspect_logs.read_inspect
    ),
    ScoreReader(deepeval.FORMAT, deepeval.LOOKED_FOR, deepeval.matches, deepeval.read_deepeval),
    ScoreReader(
        openai_evals.FORMAT, openai_evals.LOOKED_FOR, openai_evals.matches, openai_evals.read_openai_evals
    ),
    ScoreReader(lm_eval.FORMAT, lm_eval.LOOKED_FOR, lm_eval.matches, lm_eval.read_lm_eval),
    ScoreReader(
        alpaca_eval.FORMAT, alpaca_eval.LOOKED_FOR, alpaca_eval.matches, alpaca_eval.read_alpaca_eval
    ),
    ScoreReader(junit.FORMAT, junit.LOOKED_FOR, junit.matches, junit.read_junit),
    ScoreReader(ragas.FORMAT, ragas.LOOKED_FOR, ragas.matches, ragas.read_ragas),
    ScoreReader(
        score_table.FORMAT, score_table.LOOKED_FOR, score_table.matches, score_table.read_score_table
    ),
)
"""The formats in the order in which they are tried; a plain table is whatever no other format is."""


def detect_score_reader(path: Path) -> ScoreReader:
    """The reader for a file of eval results, told from its content and never from its name.

    Args:
        path: A plain, gzip or zstd file, a Parquet file or a ZIP archive.

    Raises:
        SourceNotFoundError: If there is no such file.
        UnknownFormatError: If the content matches no known format; the message says what was looked for.
        SourceError: If the file is empty or cannot be read.
    """
    sample = take_score_sample(path)
    found = best_match(path, sample, [reader.matches for reader in SCORE_READERS])
    if found is not None:
        return SCORE_READERS[found]
    if path.stat().st_size == 0:
        msg = f"{path}: the file is empty; expected eval results. Look whether the run was cut off."
        raise SourceError(msg)
    # Names come from the file, so their number, length and characters are bounded.
    names = ", ".join(ascii(name[:40]) for name in sample.columns[:12]) or "(none)"
    msg = f"{path}: the content matches no known format of eval results. Found {sample.kind}: {names}. "
    msg += "Looked for:\n" + "\n".join(f"  {reader.looked_for}" for reader in SCORE_READERS)
    msg += "\nIf it is a table of scores, pass columns={'example_id': '<its id column>', 'score': '<...>'}."
    raise UnknownFormatError(msg)


def named_score_reader(source_format: str) -> ScoreReader:
    """The reader of a format by its name.

    Raises:
        SourceError: If there is no such format; the message lists the known ones.
    """
    known = {reader.source_format: reader for reader in SCORE_READERS}
    if source_format not in known:
        msg = f"source_format {source_format!r} is unknown for eval results; expected one of {list(known)}"
        raise SourceError(msg)
    return known[source_format]


def take_score_sample(path: Path) -> Sample:
    """The sample of a file; that of a ZIP archive has kind `zip` and the names of its members as columns.

    Args:
        path: A file.

    Raises:
        SourceError: If the file cannot be read.
    """
    with open_decompressed(path) as stream:
        is_zip = stream.read(4) == _ZIP_MAGIC
    return Sample("zip", None, _members(path)) if is_zip else take_sample(path)


def _members(path: Path) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        msg = f"{path}: begins like a ZIP archive but is not readable as one ({error}); copy it again"
        raise SourceError(msg) from error
