"""The lock of a suite: a hash of every part, so that a change can be named and not only noticed.

A lock does not stop somebody who edits suite and lock together. Compare with the lock of the base branch
(`changes_since`), and let a code owner review `suite.lock`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any

import orjson

from llmops_lib.errors import SuiteError
from llmops_lib.registry.canonical import content_hash

_KEYS = ["suite", "version", "suite_hash", "settings", "graders", "cases", "seal"]


@dataclass(frozen=True)
class Lock:
    """Hashes of the parts of a suite.

    Attributes:
        suite: Name of the suite.
        version: Version of the suite, from 1.
        suite_hash: Hash of all hashes below, the order of cases included.
        settings: Hash of prompt and schemas.
        graders: Hash by grader.
        cases: Hash by case, in order.
    """

    suite: str
    version: int
    suite_hash: str
    settings: str
    graders: tuple[tuple[str, str], ...]
    cases: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Change:
    """One part of a suite that is not as it was locked.

    Attributes:
        part: `case`, `order`, `grader`, `settings`, `version` or `lock`.
        name: Which case or grader; empty for the others.
        what: What happened to it.
    """

    part: str
    name: str
    what: str

    def __str__(self) -> str:
        return " ".join(word for word in (self.part, self.name, self.what) if word)


def parts_of(
    suite: str,
    version: int,
    *,
    settings: Any,
    graders: Mapping[str, Any],
    cases: Mapping[str, str],
) -> Lock:
    """The lock of a suite as it is.

    Args:
        suite: Its name.
        version: Its version.
        settings: Plain JSON of what is neither grader nor case.
        graders: Plain JSON by grader; their order does not matter.
        cases: Hash by case, in order.
    """
    hashed = tuple(sorted((name, content_hash(grader)) for name, grader in graders.items()))
    return _sealed(suite, version, content_hash(settings), hashed, tuple(cases.items()))


def lock_json(lock: Lock) -> bytes:
    """The content of `suite.lock`: one case per line, so that a review sees which ones changed."""
    stated = asdict(lock) | {"graders": dict(lock.graders), "cases": dict(lock.cases)}
    ordered = {key: stated[key] for key in _KEYS if key != "seal"}
    # Version and name are in no other hash.
    ordered["seal"] = content_hash([lock.suite, lock.version, lock.suite_hash])
    return orjson.dumps(ordered, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_lock(content: bytes, where: str) -> Lock:
    """A lock from its file.

    Args:
        content: As `lock_json` writes it.
        where: The file, for messages.

    Raises:
        SuiteError: If it is no lock, or was edited by hand.
    """
    try:
        stated = orjson.loads(content)
        lock = _sealed(
            stated["suite"],
            stated["version"],
            stated["settings"],
            tuple(stated["graders"].items()),
            tuple(stated["cases"].items()),
        )
        is_own = lock_json(lock) == content and lock.suite_hash == stated["suite_hash"]
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
        msg = f"{where}: is no lock ({type(error).__name__}); restore it from git, or lock the suite anew"
        raise SuiteError(msg) from error
    if not is_own or type(lock.version) is not int or lock.version < 1:
        msg = f"{where}: was edited by hand or merged; restore it from git, or delete it and lock anew"
        raise SuiteError(msg)
    return lock


def changes_between(locked: Lock, now: Lock) -> list[Change]:
    """What is not as it was locked, part by part; nothing where all is.

    Args:
        locked: The lock.
        now: The same suite as it is.
    """
    found = [
        *_named("case", dict(locked.cases), dict(now.cases)),
        *_moved([name for name, _ in locked.cases], [name for name, _ in now.cases]),
        *_named("grader", dict(locked.graders), dict(now.graders)),
    ]
    if locked.settings != now.settings:
        found.append(Change("settings", "", "changed: prompt or schemas"))
    if locked.suite != now.suite:
        found.append(Change("lock", "", f"is that of the suite {locked.suite!r}"))
    return found


def changes_since(base: Lock, lock: Lock) -> list[Change]:
    """What speaks against a lock, given the one of a base branch: content that changed under its version.

    Args:
        base: Lock of the base branch.
        lock: Lock of this one.
    """
    if lock.version < base.version:
        return [Change("version", "", f"{lock.version} is lower than {base.version} of the base")]
    if lock.suite_hash == base.suite_hash or lock.version > base.version:
        return []
    kept = Change("version", "", f"{lock.version} is that of the base, whose content was another; use --bump")
    return [kept, *changes_between(base, lock)]


def _sealed(
    suite: Any, version: Any, settings: Any, graders: tuple[Any, ...], cases: tuple[Any, ...]
) -> Lock:
    content = {"settings": settings, "graders": dict(graders), "cases": [list(case) for case in cases]}
    return Lock(suite, version, content_hash(content), settings, graders, cases)


def _named(part: str, locked: Mapping[str, str], now: Mapping[str, str]) -> list[Change]:
    removed = [Change(part, name, "removed") for name in locked if name not in now]
    added = [Change(part, name, "added") for name in now if name not in locked]
    changed = [Change(part, name, "changed") for name in now if locked.get(name, now[name]) != now[name]]
    return [*changed, *added, *removed]


def _moved(locked: Sequence[str], now: Sequence[str]) -> list[Change]:
    before = [name for name in locked if name in set(now)]
    after = [name for name in now if name in set(locked)]
    if before == after:
        return []
    kept = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    still = {name for block in kept for name in before[block.a : block.a + block.size]}
    return [Change("order", name, "moved") for name in after if name not in still]
