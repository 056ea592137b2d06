"""What is remembered of episodes from run to run: a small file beside the data, written in one step."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from llmops_lib.alerts.episodes import Episode
from llmops_lib.errors import AlertError
from llmops_lib.sources.export_files import ALERTS_SUFFIX
from llmops_lib.whole_files import write_whole

_VERSION = 1
_LOCK_SECONDS = 60


def memory_path(source: str) -> Path:
    """Where the episodes of a source are remembered: beside the store, folder or file, hidden.

    Raises:
        AlertError: If the source is a pattern, beside which is nowhere.
    """
    path = Path(source)
    if not path.exists():
        msg = (
            f"{source}: is no single path, so its alerts need a place to be remembered; name one with --state"
        )
        raise AlertError(msg)
    resolved = path.resolve()
    return resolved.with_name(f".{resolved.name}{ALERTS_SUFFIX}")


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Holds a memory for one run: two at once would both tell of the same episode.

    Raises:
        AlertError: If another run holds it, or its folder cannot be written.
    """
    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        msg = (
            f"{path}: another check has held the alerts for {_LOCK_SECONDS} s; wait for it, then check again"
        )
        raise AlertError(msg) from error
    except OSError as error:
        msg = f"{path}: the alerts cannot be remembered there ({error.strerror}); name a place with --state"
        raise AlertError(msg) from error
    try:
        yield
    finally:
        lock.release()


def recalled(path: Path) -> list[Episode]:
    """The episodes of earlier runs; none where there was no run.

    Raises:
        AlertError: If the file is broken: taken for an empty one, everything would be told again.
    """
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION:
            msg = f"version {document['version']!r}"
            raise ValueError(msg)  # noqa: TRY301 - one way to say that a file is not ours
        return [_episode(entry) for entry in document["episodes"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = (
            f"{path}: the record of alerts cannot be read ({error}); restore it, or remove it to have every "
            "open episode told once more"
        )
        raise AlertError(msg) from error


def remember(path: Path, episodes: Iterable[Episode]) -> None:
    """Writes the episodes in one step.

    Raises:
        AlertError: If it cannot be written; the old file stays.
    """
    entries = [
        {
            **asdict(episode),
            "started_at": episode.started_at.isoformat(),
            "last_at": episode.last_at.isoformat(),
        }
        for episode in episodes
    ]
    text = json.dumps({"version": _VERSION, "episodes": entries}, indent=1)
    try:
        write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: the record of alerts cannot be written ({error.strerror}); what it held is intact"
        raise AlertError(msg) from error


def _episode(entry: dict[str, Any]) -> Episode:
    times = {name: datetime.fromisoformat(entry[name]) for name in ("started_at", "last_at")}
    names = {name: tuple(entry[name]) for name in ("pending", "delivered")}
    return Episode(**{**entry, **times, **names})
