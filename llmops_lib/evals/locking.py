"""Locks suites, and says what is not as it was locked."""

from pathlib import Path

from llmops_lib.errors import LockedSuiteError, SuiteError
from llmops_lib.evals.locks import Change, Lock, changes_between, changes_since, lock_json, read_lock
from llmops_lib.evals.suites import LOCK_FILE, Suite
from llmops_lib.registry import git
from llmops_lib.registry.folders import Folder
from llmops_lib.whole_files import write_whole


def suite_changes(suite: Suite, *, against: str = "") -> list[Change]:
    """What is not as it was locked; nothing where the suite can be trusted to be the one of its version.

    Args:
        suite: The suite.
        against: Revision, such as `origin/main`, whose lock counts too: content that changed under the same
            version is found although suite and lock were edited together. Without it, only the lock that
            lies there.

    Raises:
        RevisionError: If git knows no such revision.
        SuiteError: If the lock of that revision cannot be read.
    """
    if suite.lock is None:
        return [Change("lock", "", f"is missing; run `llmops eval lock {suite.name}`")]
    found = changes_between(suite.lock, suite.parts)
    base = _lock_at(suite, against) if against else None
    return found if base is None else [*found, *changes_since(base, suite.lock)]


def lock_suite(suite: Suite, *, is_bump: bool = False) -> Lock:
    """The lock of the suite as it is, written beside it.

    A suite that was never locked gets version 1. One that is as it was locked keeps its lock. One that
    changed gets the next version where that is asked for, since its results can no longer be compared with
    earlier ones.

    Args:
        suite: The suite.
        is_bump: Accept what changed, as a new version.

    Raises:
        LockedSuiteError: If it changed and `is_bump` is false; the message names what changed.
        SuiteError: If the lock cannot be written.
    """
    if suite.is_locked and suite.lock is not None:
        return suite.lock
    if suite.lock is not None and not is_bump:
        listed = "\n".join(f"  {change}" for change in suite_changes(suite))
        msg = (
            f"suite {suite.name} is not as version {suite.lock.version} was locked:\n{listed}\n"
            "Undo it, or accept it as a new version with --bump."
        )
        raise LockedSuiteError(msg)
    now = suite.parts
    lock = Lock(now.suite, now.version + 1, now.suite_hash, now.settings, now.graders, now.cases)
    _write(suite.path / LOCK_FILE, lock_json(lock))
    return lock


def _lock_at(suite: Suite, revision: str) -> Lock | None:
    folder = suite.path.parent
    name = f"{suite.name}/{LOCK_FILE}"
    commit = git.resolve(folder, revision)
    content = Folder(folder, commit).read(name, limit=8 * 1024 * 1024)
    return None if content is None else read_lock(content, f"{name} at {commit[:12]}")


def _write(path: Path, content: bytes) -> None:
    try:
        write_whole(path, lambda beside: beside.write_bytes(content))
    except OSError as error:
        msg = f"{path}: the lock cannot be written ({error.strerror}); check the folder"
        raise SuiteError(msg) from error
