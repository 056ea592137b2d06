"""Samples of an Inspect log as inspect_ai itself reads them, where it is installed.

- It knows every form that its own logs have had, and puts back what a log moved out of its samples.
- It takes a log as a whole or not at all, holds all of it, and does not bound what an archive unpacks to.
  So it is given only logs of moderate size that were unpacked here before; a log that it refuses, for one
  damaged sample among good ones say, is read by our own reader, and the logger `llmops_lib` says why.
- It is imported when the first Inspect log is met, which takes some seconds.
- Called in a notebook it would patch the kernel's event loop, so it gets a thread and a loop of its own.
"""

import asyncio
import io
import logging
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.inspect_archive import SAMPLES, EvalArchive

SIZE_LIMIT = 32 << 20
"""Bytes of JSON, or of an archive unpacked, up to which inspect_ai is asked; it needs many times as many."""

# Transcripts are no scores. The whole of them is most of a log.
_LEFT_OUT = {"events", "store", "attachments", "timelines", "events_data"}

_logger = logging.getLogger("llmops_lib")


def json_samples(path: Path, text: str) -> list[bytes]:
    """The samples of a JSON log in their order, or none where inspect_ai does not give them.

    Args:
        path: The log, for the message why.
        text: What it holds.
    """
    if not _is_installed():
        return []
    if len(text) > SIZE_LIMIT:
        return _not_read(path, "its size")
    return [written for _, written in _read(path, text.encode(), "json")]


def archive_samples(path: Path, archive: EvalArchive) -> dict[str, bytes]:
    """The samples of an archive by the names of their members, empty where inspect_ai does not give them.

    Args:
        path: The archive.
        archive: The same, open.
    """
    if not _is_installed():
        return {}
    if problem := _problem_of(archive):
        _not_read(path, problem)
        return {}
    found = dict(_read(path, path.read_bytes(), "eval"))
    if found and found.keys() != {member.name for member in archive.under(SAMPLES)}:
        _not_read(path, "names of its samples")
        return {}
    return found


def _is_installed() -> bool:
    return find_spec("inspect_ai") is not None


def _problem_of(archive: EvalArchive) -> str | None:
    size = 0
    try:
        for member in archive.members:
            size += len(archive.read(member.name))
            if size > SIZE_LIMIT:
                return "its size"
    except Refused:
        return "a damaged member"
    return None


def _read(path: Path, content: bytes, form: Literal["json", "eval"]) -> list[tuple[str, bytes]]:
    try:
        with ThreadPoolExecutor(max_workers=1) as executor:
            samples = executor.submit(_samples, content, form).result()
    except Exception as error:  # noqa: BLE001 - whatever it raises, the log is read without it
        return _not_read(path, type(error).__name__)
    return samples


def _samples(content: bytes, form: Literal["json", "eval"]) -> list[tuple[str, bytes]]:
    from inspect_ai.log import read_eval_log_async  # noqa: PLC0415 - heavy, and optional

    log = asyncio.run(read_eval_log_async(io.BytesIO(content), resolve_attachments="full", format=form))
    samples = log.samples or []
    return [(f"{SAMPLES}{one.id}_epoch_{one.epoch}.json", _written(one)) for one in samples]


def _written(sample: Any) -> bytes:
    # Only what the log states: the defaults of the newest release are not what an old one said.
    written: str = sample.model_dump_json(exclude=_LEFT_OUT, exclude_unset=True)
    return written.encode()


def _not_read(path: Path, reason: str) -> list[Any]:
    # Never the message of an error, which may quote the log.
    _logger.info("%s: read without inspect_ai because of %s", path, reason)
    return []
