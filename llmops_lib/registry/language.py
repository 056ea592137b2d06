"""The part of Jinja that a prompt may use: variables, conditions, loops over lists, a few filters.

What is not listed here is refused when a prompt is loaded: calls, arithmetic, assignments, macros,
includes and imports, attributes that begin with an underscore, and so every known way out of a sandbox
and every short text that stands for a long one.
"""

import re
from collections.abc import Iterator

from jinja2 import meta, nodes

from llmops_lib.errors import TemplateError

FILTERS = ("default", "indent", "join", "length", "lower", "tojson", "trim", "upper")
TESTS = ("boolean", "defined", "mapping", "none", "number", "sequence", "string", "undefined")
LOOP_ATTRIBUTES = ("first", "index", "index0", "last", "length", "revindex", "revindex0")
VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED = frozenset({"caller", "kwargs", "loop", "self", "super", "varargs", "true", "false", "none"})
"""Names that mean something to Jinja, so that no variable can have them."""

_ALLOWED = frozenset(
    {
        nodes.And,
        nodes.Compare,
        nodes.CondExpr,
        nodes.Const,
        nodes.Filter,
        nodes.For,
        nodes.Getattr,
        nodes.Getitem,
        nodes.If,
        nodes.Keyword,
        nodes.List,
        nodes.Name,
        nodes.Not,
        nodes.Operand,
        nodes.Or,
        nodes.Output,
        nodes.TemplateData,
        nodes.Test,
    }
)
_DEEPEST = 40
_DEEPEST_LOOPS = 3
_LONGEST_FILTERS = 3
_LARGEST_ARGUMENT = 100
"""Largest number, and most characters of a text, that a filter takes as an argument."""


def check_language(template: nodes.Template, variables: frozenset[str], *, first_line: int) -> None:
    """Refuses a template that uses more than this module allows.

    Args:
        template: As Jinja has parsed it.
        variables: Names that the input schema declares.
        first_line: Line of the file that the template begins on.

    Raises:
        TemplateError: If it does; the message says on which line, what was found and what is allowed.
    """
    for node, depth, loops in _walk(template):
        if depth > _DEEPEST or loops > _DEEPEST_LOOPS:
            _refuse(
                node, first_line, f"more than {_DEEPEST_LOOPS} loops or {_DEEPEST} levels inside each other"
            )
        if found := next(_objections(node), None):
            _refuse(node, first_line, found)
    unknown = sorted(meta.find_undeclared_variables(template) - variables)
    if unknown:
        msg = (
            f"uses {', '.join(repr(name) for name in unknown)}, which its input_schema does not declare; it "
            f"declares {sorted(variables)}"
        )
        raise TemplateError(msg)


def _walk(template: nodes.Template) -> Iterator[tuple[nodes.Node, int, int]]:
    # A loop and no recursion: a template can nest deeper than Python may recurse.
    waiting: list[tuple[nodes.Node, int, int]] = [(node, 1, 0) for node in template.body]
    while waiting:
        node, depth, loops = waiting.pop()
        loops += isinstance(node, nodes.For)
        yield node, depth, loops
        waiting += [(child, depth + 1, loops) for child in node.iter_child_nodes()]


def _refuse(node: nodes.Node, first_line: int, found: str) -> None:
    msg = (
        f"line {node.lineno + first_line - 1}: found {found}; a prompt may use variables and their fields, "
        f"conditions, loops over lists, and the filters {', '.join(FILTERS)}"
    )
    raise TemplateError(msg)


def _objections(node: nodes.Node) -> Iterator[str | None]:
    """What may speak against one node."""
    match node:
        case _ if type(node) not in _ALLOWED:
            yield f"a {type(node).__name__.lower()}"
        case nodes.Name(name=name) | nodes.Getattr(attr=name) if name.startswith("_"):
            yield f"{name[:40]!r}, a name with an underscore first"
        case nodes.Name(name=name, ctx=use) if name in RESERVED and (name != "loop" or use == "store"):
            yield f"the name {name!r}, which is Jinja's own"
        case nodes.Getitem():
            yield _objection_to_item(node)
        case nodes.For():
            yield _objection_to_loop(node)
        case nodes.Filter():
            yield _objection_to_filter(node)
        case nodes.Test(name=name) if name not in TESTS:
            yield f"the test {name[:40]!r} (there are {', '.join(TESTS)})"
        case nodes.List(items=items) if not all(isinstance(item, nodes.Const) for item in items):
            yield "a list of other things than literals"
        case nodes.Output(nodes=parts) if not all(_has_variable(part) for part in parts):
            yield "an output without a variable in it; write the text as it is, or in {% raw %}"


def _objection_to_item(node: nodes.Getitem) -> str | None:
    key = node.arg.value if isinstance(node.arg, nodes.Const) else None
    if type(key) not in {int, str} or (isinstance(key, str) and key.startswith("_")):
        return "an index that is no literal number or name"
    return None


def _objection_to_loop(node: nodes.For) -> str | None:
    if node.recursive:
        return "a recursive loop"
    if not isinstance(node.target, nodes.Name):
        return "a loop that takes its values apart"
    if not isinstance(node.iter, nodes.Name | nodes.Getattr | nodes.Getitem):
        return "a loop over something else than a variable or a field of one"
    return None


def _objection_to_filter(node: nodes.Filter) -> str | None:
    if node.name not in FILTERS:
        return f"the filter {node.name[:40]!r}"
    if node.node is None or node.dyn_args or node.dyn_kwargs:
        return "a filter without a value, or with arguments from a list"
    arguments = [*node.args, *(keyword.value for keyword in node.kwargs)]
    if not all(_is_small(argument) for argument in arguments):
        return f"an argument of a filter that is no literal of at most {_LARGEST_ARGUMENT}"
    length = 1
    inner: nodes.Expr | None = node.node
    while isinstance(inner, nodes.Filter):
        length, inner = length + 1, inner.node
    return f"more than {_LONGEST_FILTERS} filters in a row" if length > _LONGEST_FILTERS else None


def _is_small(argument: nodes.Expr) -> bool:
    if not isinstance(argument, nodes.Const):
        return False
    size = len(argument.value) if isinstance(argument.value, str) else abs(argument.value or 0)
    return bool(size <= _LARGEST_ARGUMENT)


def _has_variable(part: nodes.Node) -> bool:
    return (
        isinstance(part, nodes.TemplateData | nodes.Name) or next(part.find_all(nodes.Name), None) is not None
    )
