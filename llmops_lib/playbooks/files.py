"""Reads playbooks: Markdown files with YAML front matter."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from llmops_lib.errors import IncidentError
from llmops_lib.plain_yaml import PlainLoader
from llmops_lib.playbooks.declared import Playbook

_OWN = Path(__file__).parent
_SIZE_LIMIT = 64 * 1024
_PARTS = re.compile(r"\A---\r?\n(.*?)^---\r?\n(.*)\Z", re.DOTALL | re.MULTILINE)
_HINT = "compare docs/incidents.md and the playbooks of the library"


def load_playbooks(folder: str | Path | None = None) -> tuple[Playbook, ...]:
    """The playbooks of a folder, by name; those of the library without one.

    Args:
        folder: Folder of Markdown files with YAML front matter: `title`, `signature`, `evidence`,
            `mitigation`, `rollback`, `follow_ups`.

    Raises:
        IncidentError: If there is no playbook, or one is not as expected; the message says which and why.

    Example:
        >>> [playbook.name for playbook in load_playbooks()][:3]
        ['cost_runaway', 'data_leak', 'failing_requests']
    """
    place = Path(folder) if folder else _OWN
    files = sorted(place.glob("*.md"))
    if not files:
        msg = f"{place}: holds no playbook, expected Markdown files with front matter; {_HINT}"
        raise IncidentError(msg)
    return tuple(_playbook(path) for path in files)


def _playbook(path: Path) -> Playbook:
    try:
        with path.open("rb") as stream:
            content = stream.read(_SIZE_LIMIT + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as UTF-8 text ({error}); {_HINT}"
        raise IncidentError(msg) from error
    parts = _PARTS.match(text) if len(content) <= _SIZE_LIMIT else None
    if parts is None:
        msg = f"{path}: found no front matter between two lines of ---, or more than 64 KB; {_HINT}"
        raise IncidentError(msg)
    return _checked(path, _front_matter(path, parts[1]), parts[2].strip())


def _front_matter(path: Path, text: str) -> dict[str, Any]:
    try:
        found = yaml.load(text, Loader=PlainLoader)  # noqa: S506 - builds text, lists and mappings only
    except (yaml.YAMLError, RecursionError) as error:
        msg = f"{path}: the front matter is no plain YAML ({str(error).splitlines()[0]}); {_HINT}"
        raise IncidentError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path}: found {type(found).__name__} as front matter, expected fields; {_HINT}"
        raise IncidentError(msg)
    return found


def _checked(path: Path, fields: dict[str, Any], body: str) -> Playbook:
    try:
        return Playbook.model_validate({**fields, "name": path.stem, "body": body})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        msg = f"{path}: {place}: {first['msg'].removeprefix('Value error, ')}; {_HINT}"
        raise IncidentError(msg) from error
