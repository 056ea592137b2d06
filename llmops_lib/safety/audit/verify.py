"""Checks an audit log, and says where it is not as it was written."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from llmops_lib.errors import AuditError
from llmops_lib.safety.audit.entries import BEGINNING, KEYED, LONGEST_LINE, Entry, digest, parsed
from llmops_lib.safety.audit.files import ANCHOR, log_files, new_file, read_anchor

_MOST_PROBLEMS = 100


@dataclass(frozen=True)
class AuditProblem:
    """One place where a log is not as it was written.

    Attributes:
        file: Name of the file.
        line: Line in it; 0 for the file as a whole.
        what: What is wrong there.
    """

    file: str
    line: int
    what: str


@dataclass
class Verification:
    """What a check of an audit log found.

    Attributes:
        entry_count: Lines that are entries.
        file_count: Files of entries.
        head: Number and hash of the last entry, to be kept elsewhere as an anchor; None of an empty log.
        is_keyed: Whether the hashes are HMACs.
        problems: Where it is not as it was written; the first hundred.
    """

    entry_count: int = 0
    file_count: int = 0
    head: tuple[int, str] | None = None
    is_keyed: bool = False
    problems: list[AuditProblem] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """Whether everything is as it was written."""
        return not self.problems

    def add(self, file: str, line: int, what: str) -> None:
        """Notes a problem."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(AuditProblem(file, line, what))


def verify_audit(
    folder: str | Path, *, key: bytes | None = None, anchor: tuple[int, str] | None = None
) -> Verification:
    """What is wrong with an audit log, place by place.

    A changed, deleted, inserted or moved entry breaks the chain where it stands; a tail that was cut off is
    missed by the anchor beside the log. Whoever can write the whole folder can forge all of it but for what
    they have not: the key of the hashes, or a head that was kept elsewhere, as in the manifest of a report.

    Args:
        folder: Folder of the log.
        key: Key of the hashes, where they are HMACs.
        anchor: Number and hash of an entry, as they were once told.

    Raises:
        AuditError: If there is no log, or its hashes cannot be checked without their key.
    """
    folder = Path(folder)
    files = log_files(folder)
    if not files and not (folder / ANCHOR).exists():
        msg = f"{folder}: no audit log there; name its folder, or set LLMOPS_AUDIT"
        raise AuditError(msg)
    found = Verification(file_count=len(files))
    # The anchor is read first: entries that are written meanwhile are ahead of it.
    kept = _kept_anchor(folder, key, found)
    files = log_files(folder)
    known = dict(one for one in (kept, anchor) if one is not None)
    last = None
    for path in files:
        last = _checked_file(path, last, key, known, found)
    found.head = (last.seq, last.hash) if last else None
    found.file_count = len(files)
    if kept is not None and kept[0] > (last.seq if last else 0):
        at = last.seq if last else 0
        found.add(ANCHOR, 0, f"names entry {kept[0]}, and the log ends with entry {at}: its end was cut off")
    if anchor is not None and (found.head is None or anchor[0] > found.head[0]):
        at = found.head[0] if found.head else 0
        found.add(
            files[-1].name if files else ANCHOR, 0, f"ends with entry {at}; entry {anchor[0]} is missing"
        )
    return found


def _checked_file(
    path: Path, last: Entry | None, key: bytes | None, known: dict[int, str], found: Verification
) -> Entry | None:
    expected = new_file(path.parent, last.seq + 1 if last else 1).name
    if path.stat().st_size == 0 and path.name != expected:
        found.add(path.name, 0, f"is empty, and not named {expected} for the next entry")
    for number, line in enumerate(_lines(path), start=1):
        if not line.endswith(b"\n"):
            found.add(path.name, number, "a line without an end: torn, or cut off")
            continue
        try:
            entry = parsed(line)
        except ValueError as error:
            found.add(path.name, number, f"no entry: {error}")
            continue
        found.entry_count += 1
        found.is_keyed = entry.alg == KEYED
        for what in _faults(entry, last, key, known):
            found.add(path.name, number, what)
        if number == 1 and path.name != new_file(path.parent, entry.seq).name:
            found.add(path.name, number, f"the file is not named for its first entry, {entry.seq}")
        if entry.action == "log_repaired":
            _check_torn(path.parent, entry, found)
        last = entry
    return last


def _faults(entry: Entry, last: Entry | None, key: bytes | None, known: dict[int, str]) -> Iterator[str]:
    if entry.alg == KEYED and key is None:
        msg = "the hashes of this log are HMACs; set LLMOPS_AUDIT_KEY to check them"
        raise AuditError(msg)
    if key is not None and entry.alg != KEYED:
        yield f"entry {entry.seq} is not hashed with the key"
    elif entry.hash != digest(vars(entry), key):
        yield f"entry {entry.seq} was changed: its hash does not fit"
    expected = last.seq + 1 if last else 1
    if entry.seq != expected:
        kind = (
            "entries are missing or were moved" if entry.seq > expected else "an entry was inserted or moved"
        )
        yield f"found entry {entry.seq}, expected {expected}: {kind}"
    elif entry.prev != (last.hash if last else BEGINNING):
        yield f"entry {entry.seq} does not follow the entry before it"
    if known.get(entry.seq, entry.hash) != entry.hash:
        yield f"entry {entry.seq} is not the one whose hash was kept: the log was written anew"


def _kept_anchor(folder: Path, key: bytes | None, found: Verification) -> tuple[int, str] | None:
    try:
        anchor = read_anchor(folder, key)
    except ValueError as error:
        found.add(ANCHOR, 1, str(error))
        return None
    if anchor is None:
        found.add(ANCHOR, 0, "is missing")
    return anchor


def _check_torn(folder: Path, entry: Entry, found: Verification) -> None:
    aside = folder / Path(str(entry.details.get("kept_as"))).name
    try:
        is_kept = hashlib.sha256(aside.read_bytes()).hexdigest() == entry.details.get("sha256")
    except OSError:
        is_kept = False
    if not is_kept:
        found.add(aside.name, 0, f"torn bytes that entry {entry.seq} set aside are missing or were changed")


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        # Bounded: a file without line ends must not fill the memory.
        while line := stream.readline(4 * LONGEST_LINE):
            yield line
