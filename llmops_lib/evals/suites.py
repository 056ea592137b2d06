"""A suite: its settings, its graders, its cases, and whether they are as they were locked."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from llmops_lib.errors import SuiteError
from llmops_lib.evals.cases import Case, Text, read_cases
from llmops_lib.evals.locks import Lock, parts_of, read_lock
from llmops_lib.json_schemas import check_schema
from llmops_lib.registry.folders import Folder, found_folder
from llmops_lib.registry.names import checked_name
from llmops_lib.registry.prompt_files import in_words
from llmops_lib.registry.strict_yaml import read_mapping

SUITE_FILE, CASES_FILE, LOCK_FILE = "suite.yaml", "cases.jsonl", "suite.lock"
_CASES_LIMIT = 64 * 1024 * 1024
_LOCK_LIMIT = 8 * 1024 * 1024
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
_WORD = r"^[a-z][a-z0-9_]{0,63}$"

Word = Annotated[str, Field(pattern=_WORD)]


class Grader(BaseModel):
    """How answers are judged.

    Attributes:
        name: Name of its score; one suite can use one kind twice.
        kind: Which grader it is.
        settings: What that kind needs to know.
        must_pass: Whether one failed case of it blocks a change.
    """

    model_config = _STRICT

    name: Word
    kind: Word
    settings: dict[str, JsonValue] = {}
    must_pass: bool = False


class SuiteSettings(BaseModel):
    """What `suite.yaml` holds."""

    model_config = _STRICT

    description: Text
    owner: Text
    prompt: Text
    graders: Annotated[list[Grader], Field(min_length=1)]
    schemas: dict[Word, dict[str, JsonValue]] = {}


@dataclass(frozen=True)
class Suite:
    """A suite of cases as its files state it.

    Attributes:
        name: Name of its folder.
        path: Its folder.
        settings: What `suite.yaml` holds: description, owner, prompt, graders, schemas.
        cases: Its cases, in order.
        lock: Its lock; None where it was never locked.
    """

    name: str
    path: Path
    settings: SuiteSettings = field(repr=False)
    cases: tuple[Case, ...] = field(repr=False)
    lock: Lock | None = field(repr=False)

    @cached_property
    def parts(self) -> Lock:
        """The hashes of its parts as they are now, with the version that its lock has (0 without one)."""
        settings = self.settings.model_dump(exclude_unset=True, exclude={"graders", "description", "owner"})
        graders = {one.name: one.model_dump(exclude_unset=True) for one in self.settings.graders}
        cases = {case.id: case.case_hash for case in self.cases}
        version = self.lock.version if self.lock else 0
        return parts_of(self.name, version, settings=settings, graders=graders, cases=cases)

    @property
    def suite_hash(self) -> str:
        """SHA-256 of all that decides about scores: cases and their order, graders, schemas, prompt."""
        return self.parts.suite_hash

    @property
    def version(self) -> int | None:
        """Version that the lock states; None where there is no lock."""
        return self.lock.version if self.lock else None

    @property
    def is_locked(self) -> bool:
        """Whether it is as it was locked; results of a suite that is not cannot be compared with others."""
        return self.lock is not None and self.lock == self.parts


def load_suite(name: str, *, folder: str | Path | None = None) -> Suite:
    """A suite from its folder, `evals/<name>/{suite.yaml, cases.jsonl, suite.lock}`.

    A suite that is not as it was locked loads too; `is_locked` says so, and a gate must refuse it.

    Args:
        name: Name of the suite.
        folder: Folder of suites; without it, `evals/` below the working directory or, where there is none,
            the suites that come with the library.

    Raises:
        SuiteError: If there is no such suite, its settings or a case are not as expected, an id stands twice,
            two cases have the same inputs, or a case names a schema that the suite does not have.

    Example:
        >>> load_suite("support_quality").is_locked
        True
    """
    checked_name(name, "suite", SuiteError)
    place = found_folder(folder, "evals", SuiteError)
    known = suite_names(place)
    if name not in known:
        msg = f"suite {name}: is not in {place}; there are {known}"
        raise SuiteError(msg)
    settings = _settings(_content(place, name, SUITE_FILE), f"{name}/{SUITE_FILE}")
    cases = read_cases(_content(place, name, CASES_FILE), f"{name}/{CASES_FILE}")
    _check_schemas(settings, cases, name)
    lock_content = _optional(place, name, LOCK_FILE)
    lock = None if lock_content is None else read_lock(lock_content, f"{name}/{LOCK_FILE}")
    return Suite(name, place / name, settings, cases, lock)


def suite_names(folder: Path) -> list[str]:
    """Names of the suites of a folder, in order."""
    return sorted(path.parent.name for path in folder.glob(f"*/{SUITE_FILE}"))


def suites_of(prompt: str, *, folder: str | Path | None = None) -> list[Suite]:
    """The suites that are for a prompt, by name; none where there is no folder of suites.

    Args:
        prompt: Name of the prompt.
        folder: Folder of suites; without it, as for `load_suite`.

    Raises:
        SuiteError: If a suite of the folder is not as expected.
    """
    try:
        place = found_folder(folder, "evals", SuiteError)
    except SuiteError:
        return []
    loaded = [load_suite(name, folder=place) for name in suite_names(place)]
    return [suite for suite in loaded if suite.settings.prompt == prompt]


def _content(place: Path, name: str, file: str) -> bytes:
    content = _optional(place, name, file)
    if content is None:
        msg = f"suite {name}: has no {file}; expected {SUITE_FILE} and {CASES_FILE} in {place / name}"
        raise SuiteError(msg)
    return content


def _optional(place: Path, name: str, file: str) -> bytes | None:
    limits = {CASES_FILE: _CASES_LIMIT, LOCK_FILE: _LOCK_LIMIT}
    try:
        return Folder(place).read(f"{name}/{file}", limit=limits.get(file, 256 * 1024))
    except ValueError as error:
        msg = f"{name}/{file}: {error}"
        raise SuiteError(msg) from error


def _settings(content: bytes, where: str) -> SuiteSettings:
    try:
        settings = SuiteSettings.model_validate(read_mapping(content.decode("utf-8-sig")))
        for name, schema in settings.schemas.items():
            _check_named_schema(name, schema)
    except ValidationError as error:
        msg = f"{where}: {in_words(error, SuiteSettings)}"
        raise SuiteError(msg) from error
    except ValueError as error:
        msg = f"{where}: {error}"
        raise SuiteError(msg) from error
    names = [grader.name for grader in settings.graders]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        msg = f"{where}: two graders are called {repeated[0]!r}; their scores could not be told apart"
        raise SuiteError(msg)
    return settings


def _check_named_schema(name: str, schema: dict[str, Any]) -> None:
    try:
        check_schema(schema)
    except ValueError as error:
        msg = f"schemas.{name} {error}"
        raise ValueError(msg) from error


def _check_schemas(settings: SuiteSettings, cases: tuple[Case, ...], name: str) -> None:
    used = {case.id: case.expected.schema_name for case in cases if case.expected.schema_name}
    unknown = [(case, schema) for case, schema in used.items() if schema not in settings.schemas]
    if unknown:
        case, schema = unknown[0]
        known = list(settings.schemas)
        msg = f"{name}/{CASES_FILE}: case {case!r} names the schema {schema!r}; {SUITE_FILE} has {known}"
        raise SuiteError(msg)
