"""Reads entries of an audit log, without checking them."""

from pathlib import Path

from llmops_lib.errors import AuditError
from llmops_lib.safety.audit.entries import Entry, parsed
from llmops_lib.safety.audit.files import log_files


def latest_entries(folder: Path, *, limit: int, action: str | None = None) -> list[Entry]:
    """The latest entries, the last one last.

    Args:
        folder: Folder of the log.
        limit: How many.
        action: Only these.

    Raises:
        AuditError: If a line is no entry; `verify_audit` says which and why.
    """
    found: list[Entry] = []
    for path in reversed(log_files(folder)):
        for line in reversed(path.read_bytes().splitlines(keepends=True)):
            try:
                entry = parsed(line)
            except ValueError as error:
                msg = f"{path}: a line is no entry ({error}); `llmops audit verify` says which"
                raise AuditError(msg) from error
            if action in (None, entry.action):
                found.append(entry)
            if len(found) == limit:
                return found[::-1]
    return found[::-1]
