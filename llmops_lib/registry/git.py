"""What git knows of a folder: commits, files as they were, and whether something changed since.

The git command is used, not a library. It is there wherever a checkout is, it reads every repository that
it wrote (worktrees, partial clones, new object formats), and it costs no dependency; GitPython calls it
too, dulwich and pygit2 bring readers of their own. Nothing is passed through a shell, revisions cannot be
options, and settings of the repository that would run programs are switched off.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from llmops_lib.errors import RevisionError

_TIMEOUT_S = 60
_NO_PROGRAMS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_FIELDS = "%H%x00%cI%x00%an%x00%s"


@dataclass(frozen=True)
class Commit:
    """One commit of a history.

    Attributes:
        sha: Its full id.
        committed_at: When it was committed, UTC.
        author: Name of its author.
        subject: First line of its message.
    """

    sha: str
    committed_at: datetime
    author: str
    subject: str


def resolve(folder: Path, revision: str) -> str:
    """The full id of the commit that a branch, tag or abbreviated id stands for.

    Args:
        folder: A folder of the repository.
        revision: What git calls a revision, such as `main`, `v1.2` or `HEAD~3`.

    Raises:
        RevisionError: If git is missing, the folder is in no repository, or there is no such commit.
    """
    try:
        found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except (RevisionError, ValueError) as error:
        msg = f"revision {revision[:80]!r} is no commit of the repository of {folder.name}/ ({error})"
        raise RevisionError(msg) from error
    return found.decode().strip()


def head(folder: Path) -> str | None:
    """The commit that is checked out; None without git, outside a repository and before the first commit."""
    try:
        return resolve(folder, "HEAD")
    except RevisionError:
        return None


def differs_from_head(folder: Path, names: list[str]) -> bool | None:
    """Whether files of a folder are not as they were committed, or never were; None where git cannot tell.

    Args:
        folder: A folder of the repository.
        names: Files or folders below it.
    """
    try:
        changed = _git(
            folder, "status", "--porcelain", "-z", "--untracked-files=all", "--ignored", "--", *names
        )
    except RevisionError:
        return None
    return bool(changed)


def file_at(folder: Path, commit: str, name: str) -> bytes | None:
    """A file of the folder as it was in a commit; None where the commit has no such file.

    Args:
        folder: A folder of the repository.
        commit: Full id.
        name: Path below the folder.
    """
    try:
        return _git(folder, "cat-file", "blob", f"{commit}:./{name}")
    except RevisionError:
        return None


def files_at(folder: Path, commit: str) -> list[str]:
    """Paths of all files that a commit has in and below the folder, relative to it."""
    listed = _git(folder, "ls-tree", "-r", "--name-only", "-z", commit)
    return [name for name in listed.decode("utf-8", "replace").split("\0") if name]


def history(folder: Path, names: list[str]) -> list[Commit]:
    """The commits reachable from the one checked out that changed one of the files, newest first.

    Args:
        folder: A folder of the repository.
        names: Files or folders below it.

    Raises:
        RevisionError: If git is missing, or the folder is in no repository with a commit.
    """
    listed = _git(folder, "log", "-z", f"--format={_FIELDS}", "HEAD", "--", *names).decode("utf-8", "replace")
    fields = listed.removesuffix("\0").split("\0") if listed else []
    rows = (fields[start : start + 4] for start in range(0, len(fields), 4))
    return [Commit(sha, _utc(at), author, subject) for sha, at, author, subject in rows]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _git(folder: Path, *arguments: str) -> bytes:
    command = shutil.which("git")
    if command is None:
        msg = "the git command is not installed"
        raise RevisionError(msg)
    # Inside a hook, variables such as GIT_DIR would point at another repository than the folder's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and revisions stand behind --end-of-options
            [command, *_NO_PROGRAMS, "-C", str(folder), *arguments],
            capture_output=True,
            check=True,
            env=environment,
            timeout=_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        msg = said[0][:200] if said else "no such revision"
        raise RevisionError(msg) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"git could not run: {error}"
        raise RevisionError(msg) from error
    return done.stdout
