"""What is known of a pulled file, written beside it as `<file>.fetch.json`."""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmops_lib.errors import FetchError
from llmops_lib.sources.export_files import MANIFEST_SUFFIX


@dataclass(frozen=True)
class FetchOutcome:
    """A pulled file and how whole it is; its fields are those of the manifest.

    Attributes:
        path: The file, JSON Lines, one row of the server per line.
        source: `langfuse` or `phoenix`.
        server: Base address.
        project: Id or name of the project, where it is known.
        window: `from` and `to`, the half-open window of start times in UTC; None where it is open.
        rows_expected: Rows that the server announced; None where it announces none.
        announced_by: What announced them.
        rows_received: Rows in the file.
        is_complete: Whether both are the same; None where nothing was announced.
        duplicates_dropped: Rows that came more than once.
        truncated_metadata_count: Langfuse metadata values that the server gave shortened only.
        page_count: Pages read.
        retry_count: Requests that had to be sent again.
        bytes_received: Bytes of all answers, decompressed.
        size_bytes: Size of the file.
        started_at: When the pull began, UTC.
        finished_at: When it ended, UTC.
        secret_count: Keys and passwords that were replaced in the rows.
        is_raw: Whether they were left as they came, as in files of older versions.
    """

    path: str
    source: str
    server: str
    project: str | None
    window: dict[str, str | None]
    rows_expected: int | None
    announced_by: str | None
    rows_received: int
    is_complete: bool | None
    duplicates_dropped: int
    truncated_metadata_count: int
    page_count: int
    retry_count: int
    bytes_received: int
    size_bytes: int
    started_at: str
    finished_at: str
    secret_count: int = 0
    is_raw: bool = True


def manifest_path(path: Path) -> Path:
    """Where the manifest of a pulled file stands."""
    return path.with_name(path.name + MANIFEST_SUFFIX)


def write_manifest(outcome: FetchOutcome) -> None:
    """Writes the manifest of a pull; the old one or the new one is there at any moment."""
    written = asdict(outcome) | {"path": Path(outcome.path).name}
    write_whole(manifest_path(Path(outcome.path)), written)


def read_manifest(path: Path) -> FetchOutcome | None:
    """The outcome of the pull that wrote a file; None where no readable manifest stands beside it."""
    try:
        written: dict[str, Any] = json.loads(manifest_path(path).read_bytes())
        return FetchOutcome(**(written | {"path": str(path)}))
    except (OSError, ValueError, TypeError):
        return None


def write_whole(path: Path, value: dict[str, Any]) -> None:
    """Writes a small JSON file under another name and renames it.

    Raises:
        FetchError: If the disk refuses.
    """
    # Always the same name, so that what a kill leaves is written over by the next run.
    temporary = path.with_name(f"{path.name}.new.fetch-state")
    try:
        temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise FetchError(msg) from error
