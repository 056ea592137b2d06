"""The files of an audit log: entries by the number of their first one, the anchor of the last, torn bytes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from llmops_lib.errors import AuditError
from llmops_lib.safety.audit.entries import LONGEST_LINE, digest

ANCHOR = "head.json"
"""Number and hash of the last entry, beside the log: without it nobody would miss a tail that was cut off."""

LOCK_WAIT_S = 60
"""Longest wait for other writers."""

_TAIL = 8 * LONGEST_LINE


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds a log for one writer.

    Raises:
        AuditError: If another one holds it too long, or the folder cannot be written.
    """
    lock = FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=LOCK_WAIT_S)
    except Timeout as error:
        msg = f"{folder}: another process has held the audit log for {LOCK_WAIT_S} s; nothing was done"
        raise AuditError(msg) from error
    except OSError as error:
        msg = (
            f"{folder}: the audit log cannot be written ({error.strerror}), so nothing was done; make it "
            "writable, or name another folder in LLMOPS_AUDIT"
        )
        raise AuditError(msg) from error
    try:
        yield
    finally:
        lock.release()


def log_files(folder: Path) -> list[Path]:
    """The files of entries, in order."""
    return sorted(folder.glob("audit-*.jsonl"))


def new_file(folder: Path, seq: int) -> Path:
    """The file whose first entry has this number."""
    return folder / f"audit-{seq:012d}.jsonl"


def tail_of(path: Path, *, is_whole: bool = False) -> tuple[list[bytes], bytes]:
    """The last whole lines of a file, or all of them, and the bytes of a line without its end."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        begin = 0 if is_whole else max(0, size - _TAIL)
        stream.seek(begin)
        block = stream.read()
    *lines, torn = block.split(b"\n")
    whole = [line + b"\n" for line in lines]
    # The first of them may have been cut by the window.
    return (whole[1:] if begin else whole), torn


def read_anchor(folder: Path, key: bytes | None) -> tuple[int, str] | None:
    """Number and hash of the last entry by the anchor; None where there is none.

    Raises:
        ValueError: If the anchor is not as it was written.
    """
    try:
        content = (folder / ANCHOR).read_bytes()
    except FileNotFoundError:
        return None
    facts = orjson.loads(content)
    if not isinstance(facts, dict) or content != _anchor(facts.get("seq"), facts.get("hash"), key):
        msg = "is not as it was written"
        raise ValueError(msg)
    return facts["seq"], facts["hash"]


def write_anchor(folder: Path, seq: int, hash_: str, key: bytes | None) -> None:
    """Writes the anchor in one step; it may be behind the log after a kill or a power cut, never torn."""
    beside = folder / f".{ANCHOR}.tmp"
    beside.write_bytes(_anchor(seq, hash_, key))
    beside.replace(folder / ANCHOR)


def append_bytes(path: Path, content: bytes) -> None:
    """Adds bytes to a file and waits until they are on the disk; all of them, or none as far as possible.

    Raises:
        OSError: If they cannot be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        try:
            written = os.write(handle, content)
            while written < len(content):
                written += os.write(handle, content[written:])
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)


def _anchor(seq: object, hash_: object, key: bytes | None) -> bytes:
    facts = {"seq": seq, "hash": hash_}
    return orjson.dumps({**facts, "mac": digest({"anchor": facts}, key)}, option=orjson.OPT_SORT_KEYS) + b"\n"
