"""Writes an audit log: one writer at a time, on the disk before anything is done, never after a change."""

import getpass
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmops_lib.errors import AuditError
from llmops_lib.safety.audit.entries import BEGINNING, KEYED, PLAIN, Entry, clean, digest, hashed, parsed
from llmops_lib.safety.audit.files import (
    append_bytes,
    held,
    log_files,
    new_file,
    read_anchor,
    tail_of,
    write_anchor,
)
from llmops_lib.whole_files import synced

PLACE_VARIABLE, KEY_VARIABLE = "LLMOPS_AUDIT", "LLMOPS_AUDIT_KEY"
"""Environment variables: folder of the log, and key of its hashes."""

Action = tuple[str, Any, str]
"""Action, details and actor, ready to be recorded."""

_BATCH = 500


def audit_folder(beside: str | Path = "reports") -> Path:
    """Where actions are recorded: as `LLMOPS_AUDIT` says, else `.audit` in a folder of reports.

    Args:
        beside: Folder of reports.
    """
    named = os.environ.get(PLACE_VARIABLE, "").strip()
    return Path(named) if named else Path(beside) / ".audit"


def audit_key() -> bytes | None:
    """The key of the hashes, where the environment holds one."""
    return os.environ.get(KEY_VARIABLE, "").encode() or None


def this_user() -> str:
    """Who acts: the user of this process, by name where it has one."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


@dataclass(frozen=True)
class AuditLog:
    """A record of actions that many processes add to.

    What cannot be recorded must not be done: every failure is an error. A line that a killed process left
    unfinished is moved to a file of its own, and that is recorded; anything else that is not as it was
    written stops the log, until `verify_audit` has said what.

    Attributes:
        folder: Folder of the log; made if absent.
        key: Key of an HMAC, which whoever might change the log must not have; None: plain hashes.
        file_bytes: Size from which on a new file is begun; the chain goes on over files.
    """

    folder: Path
    key: bytes | None = None
    file_bytes: int = 16_000_000

    @classmethod
    def of_environment(cls, beside: str | Path = "reports") -> "AuditLog":
        """The log that the environment names, see `audit_folder` and `audit_key`."""
        return cls(audit_folder(beside), audit_key())

    def append(self, action: str, details: Mapping[str, Any], *, actor: str | None = None) -> Entry:
        """The entry of an action, once it is on the disk.

        Args:
            action: What is about to be done, or was done.
            details: Facts about it, no text of anybody; keys and passwords are replaced all the same.
            actor: Who; without, the user of this process.

        Raises:
            AuditError: If it cannot be recorded; do not do it then.
        """
        return self.append_all([(action, details, actor)])[-1]

    def append_all(self, actions: Iterable[tuple[str, Mapping[str, Any], str | None]]) -> list[Entry]:
        """The entries of many actions, written together.

        Args:
            actions: Action, details and actor of each, as `append` takes them.

        Raises:
            AuditError: If they cannot be recorded.
        """
        wanted = [(action, clean(details), clean(actor or this_user())) for action, details, actor in actions]
        done: list[Entry] = []
        with held(self.folder):
            for at in range(0, len(wanted), _BATCH):
                done += self._appended(wanted[at : at + _BATCH])
        return done

    def _appended(self, wanted: list[Action]) -> list[Entry]:
        try:
            path, last, repairs = self._end()
            entries = self._chained([*repairs, *wanted], last)
            is_new = path is None or path.stat().st_size >= self.file_bytes
            target = new_file(self.folder, entries[0].seq) if is_new or path is None else path
            append_bytes(target, b"".join(entry.line() for entry in entries))
            if is_new:
                synced(self.folder)
            write_anchor(self.folder, entries[-1].seq, entries[-1].hash, self.key)
        except OSError as error:
            msg = f"{self.folder}: cannot be written ({error.strerror}); what was to be recorded was not done"
            raise AuditError(msg) from error
        return entries[len(repairs) :]

    def _chained(self, actions: list[Action], last: Entry | None) -> list[Entry]:
        entries: list[Entry] = []
        for action, details, actor in actions:
            content = {
                "seq": last.seq + 1 if last else 1,
                "at": datetime.now(UTC).isoformat(timespec="microseconds"),
                "actor": actor,
                "action": action,
                "details": details,
                "prev": last.hash if last else BEGINNING,
            }
            last = hashed(self.key, **content)
            entries.append(last)
        return entries

    def _end(self) -> tuple[Path | None, Entry | None, list[Action]]:
        """The last file, its last entry, and what was repaired; raises where the log was changed."""
        repairs: list[Action] = []
        files = log_files(self.folder)
        try:
            anchor = self._anchor(is_new=not files)
            tail: list[Entry] = []
            for path in reversed(files):
                lines, torn = tail_of(path)
                if torn:
                    repairs.append(("log_repaired", self._set_aside(path, torn), this_user()))
                found = _since(lines, anchor[0])
                if found and found[0].seq > anchor[0] + 1:
                    # Killed after many entries and before their anchor: it lies before the window.
                    found = _since(tail_of(path, is_whole=True)[0], anchor[0])
                tail = found + tail
                # An anchor that a power cut took back may lie files before.
                if tail and tail[0].seq <= anchor[0] + 1:
                    break
            last = self._checked_end(tail, *anchor)
        except ValueError as error:
            msg = f"{self.folder}: {error}. `llmops audit verify` says where; until then nothing is done"
            raise AuditError(msg) from error
        return (files[-1] if files else None), last, repairs

    def _anchor(self, *, is_new: bool) -> tuple[int, str]:
        anchor = read_anchor(self.folder, self.key)
        if anchor is None:
            if not is_new:
                msg = "the anchor head.json is missing"
                raise ValueError(msg)
            anchor = (0, BEGINNING)
            write_anchor(self.folder, *anchor, self.key)
        return anchor

    def _checked_end(self, tail: list[Entry], seq: int, hash_: str) -> Entry | None:
        # A process may have been killed between its entries and their anchor: from it on the chain must hold.
        ahead = [entry for entry in tail if entry.seq > seq]
        anchored = next((entry for entry in tail if entry.seq == seq), None)
        if anchored is None and not ahead and seq > 0:
            msg = f"the anchor names entry {seq}, which is missing"
            raise ValueError(msg)
        if anchored is not None and (anchored.hash != hash_ or not self._holds(anchored)):
            msg = f"entry {seq} is not the one that the anchor names"
            raise ValueError(msg)
        for number, entry in enumerate(ahead, start=seq + 1):
            if entry.seq != number or entry.prev != hash_ or not self._holds(entry):
                msg = f"entry {entry.seq} does not follow the anchored entry {seq}"
                raise ValueError(msg)
            hash_ = entry.hash
        return tail[-1] if tail else None

    def _holds(self, entry: Entry) -> bool:
        return entry.alg == (KEYED if self.key else PLAIN) and entry.hash == digest(vars(entry), self.key)

    def _set_aside(self, path: Path, torn: bytes) -> dict[str, Any]:
        named = hashlib.sha256(torn).hexdigest()
        aside = self.folder / f"torn-{named[:16]}.bin"
        append_bytes(aside, b"" if aside.exists() else torn)
        os.truncate(path, path.stat().st_size - len(torn))
        return {"file": path.name, "torn_bytes": len(torn), "kept_as": aside.name, "sha256": named}


def _since(lines: list[bytes], seq: int) -> list[Entry]:
    """The last entries, back to the one with this number."""
    entries: list[Entry] = []
    for line in reversed(lines):
        entries.append(parsed(line))
        if entries[-1].seq <= seq:
            break
    return entries[::-1]
