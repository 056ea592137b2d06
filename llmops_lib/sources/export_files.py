"""Which files a path means: one file, a list of them, a directory, or a pattern."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from llmops_lib.errors import SourceError, SourceNotFoundError
from llmops_lib.sources.announced import is_fetch_note

STORE_MARKER = "llmops-store.json"
"""File that makes a directory a span store."""

MANIFEST_SUFFIX = ".fetch.json"
"""What the manifest of a pulled file is named with; it stands beside the file and is no export."""

ALERTS_SUFFIX = ".llmops-alerts.json"
"""What the record of alerts beside a source is named with; it is no export either."""

_PULL_SUFFIXES = (
    ALERTS_SUFFIX,
    f"{ALERTS_SUFFIX}.lock",
    MANIFEST_SUFFIX,
    ".fetch-partial",
    ".fetch-state",
    ".fetch-lock",
)


@dataclass(frozen=True)
class ExportFile:
    """A file to load.

    Attributes:
        path: Where it is.
        is_named: Whether the caller named this very file; then it must be an export, whereas a
            directory may hold other things too.
    """

    path: Path
    is_named: bool


def export_files(paths: str | Path | Iterable[str | Path]) -> list[ExportFile]:
    """The files that a path, or several, stand for; each once, in the order of their names.

    The note of a fetch beside its file is no export; it is read with that file.

    Args:
        paths: Files, directories (taken with all that is below) or patterns such as `exports/**/*.jsonl`.

    Raises:
        SourceNotFoundError: If a path does not exist or a pattern matches no file.
        SourceError: If a path is a span store, or the name of a file is no text.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found: dict[Path, ExportFile] = {}
    for path in given:
        for file in _files_of(path):
            if is_fetch_note(file.path):
                continue
            _require_text(file.path)
            known = found.setdefault(file.path.resolve(), file)
            if file.is_named and not known.is_named:
                found[file.path.resolve()] = file
    if not found:
        msg = f"no files in {[str(path) for path in given]}; expected at least one export"
        raise SourceNotFoundError(msg)
    return list(found.values())


def _require_text(path: Path) -> None:
    """Refuses a name that could stand in no table, where every row names its file.

    Raises:
        SourceError: If the name holds bytes that are no text here.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        name = str(path).encode(errors="backslashreplace").decode()
        msg = f"{name}: the name of the file is no UTF-8; rename it, or set PYTHONUTF8=1 if it is"
        raise SourceError(msg) from error


def store_of(source: object) -> Path | None:
    """The directory of the span store that a source is; None where it is exports.

    Args:
        source: A path, or several.
    """
    is_store = isinstance(source, str | Path) and (Path(source) / STORE_MARKER).is_file()
    return Path(str(source)) if is_store else None


def _files_of(given: str | Path) -> Iterator[ExportFile]:
    path = Path(given)
    if store_of(path) is not None:
        msg = f"{path}: is a span store, not an export; read it with scan_traces() or open_source()"
        raise SourceError(msg)
    if path.is_dir():
        yield from (ExportFile(file, is_named=False) for file in _below(path))
    elif path.exists():
        yield ExportFile(path, is_named=True)
    else:
        yield from (ExportFile(file, is_named=False) for file in _matching(str(given)))


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, onerror=_refuse_unreadable):
        folders.sort()
        if STORE_MARKER in files:
            # The store may live beside the exports it was filled from; its own files are no exports.
            folders.clear()
            continue
        yield from (Path(parent, file) for file in sorted(files) if not file.endswith(_PULL_SUFFIXES))


def _refuse_unreadable(error: OSError) -> None:
    msg = f"{error.filename}: the directory cannot be read: {error.strerror}"
    raise SourceError(msg) from error


def _matching(pattern: str) -> Iterator[Path]:
    if not glob.has_magic(pattern):
        msg = f"{pattern}: there is no such file or directory; look at the spelling and the working directory"
        raise SourceNotFoundError(msg)
    # Path.glob takes no absolute pattern, and its ** finds no files before Python 3.13.
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    matches = [Path(match) for match in found if Path(match).is_file() and not match.endswith(_PULL_SUFFIXES)]
    if not matches:
        msg = f"{pattern}: the pattern matches no file"
        raise SourceNotFoundError(msg)
    yield from matches
