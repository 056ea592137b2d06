"""Reads a file of reviewed data as a pydantic model, and says what is wrong with it in one line."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from llmops_lib.errors import LlmopsError
from llmops_lib.plain_yaml import PlainLoader

_SIZE_LIMIT = 256 * 1024

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class ReviewedKind:
    """How the errors of one kind of file are said.

    Attributes:
        error: What is raised.
        what: What the file holds, such as `alert rules`.
        holds: What is expected of it, such as ``lists under `rules` ``.
        todo: What to do about an error.
        no_such_key: What is said of a key of the whole file that it should not have; as of any other without.
        said: Words for types of pydantic errors.
        expected: What a field must hold, by its name.
    """

    error: type[LlmopsError]
    what: str
    holds: str
    todo: str
    no_such_key: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, str] = field(default_factory=dict)


def read_reviewed(path: Path, model: type[_Model], kind: ReviewedKind) -> _Model:
    """The checked content of a file.

    Args:
        path: YAML file.
        model: What it must hold.
        kind: How its errors are said.

    Raises:
        LlmopsError: Of `kind.error`, if the file cannot be read or does not hold what it must; the message
            says where, what was found, what was expected and what to do.
    """
    node = None
    try:
        loader = PlainLoader(_text(path, kind))
        node = loader.get_single_node()
        document = loader.construct_document(node) if node else None
        return model.model_validate(document)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        problem = f"found {error.problem}".replace("found found", "found")
        msg = f"{path}:{line}: {problem}, expected plain YAML with {kind.holds}; {kind.todo}"
        raise kind.error(msg) from error
    except (yaml.YAMLError, RecursionError) as error:
        msg = f"{path}: not plain YAML, expected {kind.holds}; {kind.todo}"
        raise kind.error(msg) from error
    except ValidationError as error:
        raise kind.error(_first_fault(error, path, node, kind)) from error


def _text(path: Path, kind: ReviewedKind) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_SIZE_LIMIT + 1)
    except OSError as error:
        msg = f"{path}: the {kind.what} cannot be read ({error.strerror}); check the path; {kind.todo}"
        raise kind.error(msg) from error
    if len(content) > _SIZE_LIMIT:
        msg = f"{path}: larger than {_SIZE_LIMIT // 1024} KB, expected {kind.holds}; {kind.todo}"
        raise kind.error(msg)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8"
        raise kind.error(msg) from error


def first_repeated(names: Iterable[str]) -> str | None:
    """The first of some names that stands more than once; None where each stands once.

    Example:
        >>> first_repeated(["a", "b", "a"])
        'a'
    """
    counts = Counter(names)
    return next((name for name, count in counts.items() if count > 1), None)


def _first_fault(error: ValidationError, path: Path, node: Any, kind: ReviewedKind) -> str:
    first, *more = error.errors(include_url=False)
    # Where a key itself is wrong, pydantic adds a step to the place of that key.
    at = [part for part in first["loc"] if part != "[key]"]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).lstrip(".")
    expected = kind.expected.get(str(at[-1])) if at else None
    said = kind.said.get(first["type"], first["msg"].removeprefix("Value error, "))
    if kind.no_such_key and first["type"] == "extra_forbidden" and len(at) == 1:
        said = kind.no_such_key
    found = "" if isinstance(first["input"], dict | BaseModel) else f"found {str(first['input'])[:60]!r}: "
    hint = f", expected {expected}" if expected else ""
    rest = f" ({len(more)} more after this one)" if more else ""
    line = _line(node, at)
    return f"{path}:{line}: {place or 'the file'}: {found}{said}{hint}; {kind.todo}{rest}"


def _line(node: Any, place: Sequence[int | str]) -> int:
    """The line that a place in the document stands on, or that of what should hold it."""
    line = 1
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = [(key, value) for key, value in pairs if key.value == part]
        if not found:
            break
        key, node = found[0]
        line = key.start_mark.line + 1
    return line
