"""YAML that means one thing: the scalars of JSON, no aliases, no tags, no key twice.

PyYAML follows YAML 1.1, where `no` is false, `1:30` is 90 and `010` is 8, and a few lines of aliases can
stand for gigabytes. Here every plain scalar that JSON would not read as something else is text.
"""

import re
from collections.abc import Hashable
from typing import Any

import yaml

SIZE_LIMIT = 256 * 1024
"""Bytes of YAML that are read."""

_SCALARS = (
    ("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)$"), ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)$"), list("tf")),
    ("tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9][0-9]{0,17})$"), list("-0123456789")),
    (
        "tag:yaml.org,2002:float",
        re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]{1,2})?|[eE][-+]?[0-9]{1,2})$"),
        list("-0123456789"),
    ),
)


class _JsonLoader(yaml.SafeLoader):
    """Builds JSON values only; refuses aliases, tags, keys that repeat and keys that are no text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the name is PyYAML's

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call] # PyYAML leaves it untyped
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._refuse("an alias or an anchor", event.start_mark)
        if getattr(event, "tag", None):
            self._refuse("a tag", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if key.tag == "tag:yaml.org,2002:str"]
        if len(keys) != len(node.value):
            self._refuse("a key that is no text; put it in quotes", node.start_mark)
        if len(keys) != len(set(keys)):
            self._refuse("a mapping that names a key twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)

    def _refuse(self, problem: str, mark: yaml.Mark) -> None:
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


for _tag, _pattern, _first in _SCALARS:
    _JsonLoader.add_implicit_resolver(_tag, _pattern, _first)


def read_mapping(text: str, *, first_line: int = 1) -> dict[str, Any]:
    r"""The mapping that a short YAML text stands for, made of plain JSON values.

    Args:
        text: YAML.
        first_line: Line of the file that the text begins on, for messages.

    Raises:
        ValueError: If it is too long, no YAML, more than JSON can hold, or no mapping; the message
            says on which line.

    Example:
        >>> read_mapping("country: no\nversion: 1.10\ntime: 1:30\ndigits: 010")
        {'country': 'no', 'version': 1.1, 'time': '1:30', 'digits': '010'}
    """
    if len(text.encode()) > SIZE_LIMIT:
        msg = f"found more than {SIZE_LIMIT // 1024} KB of YAML, expected a few lines"
        raise ValueError(msg)
    try:
        value = _JsonLoader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + first_line}: " if error.problem_mark else ""
        msg = f"{line}is no plain YAML: {error.problem}"
        raise ValueError(msg) from error
    except (yaml.YAMLError, RecursionError) as error:
        msg = "found characters or nesting that YAML does not allow, expected plain YAML"
        raise ValueError(msg) from error
    if not isinstance(value, dict):
        msg = f"line {first_line}: found a {type(value).__name__}, expected keys and values"
        raise ValueError(msg)  # noqa: TRY004 - what is wrong is the text
    return value
