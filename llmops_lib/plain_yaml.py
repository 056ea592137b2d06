"""YAML as text, lists and mappings only: how reviewed data such as prices and budgets is read."""

from collections.abc import Hashable
from typing import Any

import yaml


class PlainLoader(yaml.BaseLoader):
    """Builds text, lists and mappings only, so a model named `1.10` or a tenant named `no` stays one.

    Aliases are refused because a few lines of them can stand for gigabytes, repeated keys because one of
    the two would be lost.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node, unless it is an alias."""
        if self.check_event(yaml.AliasEvent):
            msg = "an alias"
            raise yaml.MarkedYAMLError(problem=msg, problem_mark=self.peek_event().start_mark)  # type: ignore[no-untyped-call] # PyYAML leaves it untyped
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping, unless it names a key twice."""
        keys = [key.value for key, _ in node.value]
        if len(keys) != len({str(key) for key in keys}):
            msg = "a mapping that names a key twice"
            raise yaml.MarkedYAMLError(problem=msg, problem_mark=node.start_mark)
        return super().construct_mapping(node, deep=deep)
