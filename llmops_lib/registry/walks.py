"""The ways in which templates can have made texts, found by walking both side by side.

Depth first with a stack of its own, since a list in a text may be longer than Python may recurse. A budget
counts every step and every place that was looked at: a hostile text ends the walk, not the machine.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from llmops_lib.errors import PromptInputError
from llmops_lib.registry.bound import COUNT, Bound, Path, declared
from llmops_lib.registry.written_values import UNREAD, json_end, values_of, without_filters

MOST_STEPS = 20_000
"""Steps of one walk."""


Scope = Mapping[str, Path]
Todo = tuple[Any, Scope, Any] | None
"""A node and what names mean there, and what comes after it."""


@dataclass(frozen=True)
class _More:
    """The place behind one turn of a loop, where it ends or turns again."""

    loop: nodes.For
    path: Path
    number: int


@dataclass(frozen=True)
class _State:
    todo: Todo
    text: int
    at: int
    bound: Bound


class Walk:
    """A walk along the texts that templates made.

    Args:
        templates: Trees, as `sandbox.parsed` gives them.
        texts: What each has made.
        schema: Input schema of the prompt; says what kind of value a text may stand for.
    """

    def __init__(
        self, templates: Sequence[nodes.Template], texts: Sequence[str], schema: Mapping[str, Any]
    ) -> None:
        self._templates, self._texts, self._schema = templates, texts, schema
        self._left = MOST_STEPS

    def readings(self) -> Iterator[Bound]:
        """Every way to read the texts.

        Raises:
            PromptInputError: If there are more than can be followed.
        """
        # Iterators and no lists: a long text has as many ways to go on as it has characters.
        stack = [iter([_State(self._template(0), 0, 0, Bound())])]
        while stack:
            state = next(stack[-1], None)
            if state is None:
                stack.pop()
                continue
            self._spend(1)
            if state.todo is not None:
                stack.append(self._steps(state))
            elif state.at == len(self._texts[state.text]):
                following = state.text + 1
                if following == len(self._texts):
                    yield state.bound
                else:
                    stack.append(iter([_State(self._template(following), following, 0, state.bound)]))

    def _template(self, number: int) -> Todo:
        return _chain(self._templates[number].body, {}, None)

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            msg = "its text can be read in too many ways to follow them all"
            raise PromptInputError(msg)

    def _steps(self, state: _State) -> Iterator[_State]:
        if state.todo is None:
            return
        node, scope, rest = state.todo
        match node:
            case nodes.Output(nodes=parts):
                yield _State(_chain(parts, scope, rest), state.text, state.at, state.bound)
            case nodes.TemplateData(data=written) | nodes.Const(value=written):
                if self._texts[state.text].startswith(str(written), state.at):
                    yield _State(rest, state.text, state.at + len(str(written)), state.bound)
            case nodes.If() | nodes.CondExpr():
                for branch in _branches(node):
                    yield _State(_chain(branch, scope, rest), state.text, state.at, state.bound)
            case nodes.For():
                yield from self._loop(node, scope, rest, state)
            case _More():
                yield from self._turns(node, scope, rest, state)
            case _:
                yield from self._value(node, scope, rest, state)

    def _loop(self, loop: nodes.For, scope: Scope, rest: Todo, state: _State) -> Iterator[_State]:
        path = path_of(loop.iter, scope)
        if path is None or loop.test is not None:
            return
        yield from self._turn(_More(loop, path, 0), scope, rest, state)
        empty = state.bound.holding((*path, COUNT), 0)
        if empty is not None:
            yield _State(_chain(loop.else_, scope, rest), state.text, state.at, empty)

    def _turns(self, more: _More, scope: Scope, rest: Todo, state: _State) -> Iterator[_State]:
        yield from self._turn(more, scope, rest, state)
        ended = state.bound.holding((*more.path, COUNT), more.number)
        if ended is not None:
            yield _State(rest, state.text, state.at, ended)

    def _turn(self, more: _More, scope: Scope, rest: Todo, state: _State) -> Iterator[_State]:
        if more.number > len(self._texts[state.text]):
            return
        target = more.loop.target
        name = target.name if isinstance(target, nodes.Name) else ""
        inner = {**scope, name: (*more.path, more.number), "loop": ("loop", more.number)}
        after = (_More(more.loop, more.path, more.number + 1), scope, rest)
        yield _State(_chain(more.loop.body, inner, after), state.text, state.at, state.bound)

    def _value(self, node: nodes.Expr, scope: Scope, rest: Todo, state: _State) -> Iterator[_State]:
        text = self._texts[state.text]
        inner, filters = without_filters(node)
        path = path_of(inner, scope)
        if path is None:
            return
        for end in json_end(text, state.at) if filters == ["tojson"] else _ends(text, state.at, rest):
            self._spend(1)
            if path[0] == "loop":
                # Which turn it is; rendering it again checks that.
                yield _State(rest, state.text, end, state.bound)
                continue
            for value in values_of(text[state.at : end], filters, node, declared(self._schema, path)):
                bound = state.bound if value is UNREAD else state.bound.holding(path, value)
                if bound is not None:
                    yield _State(rest, state.text, end, bound)


def used_paths(listed: Sequence[Any], scope: Scope) -> Iterator[Path]:
    """The places in the inputs that a template uses, with `*` for any part of a list and `#` for their count.

    Args:
        listed: Nodes, such as the body of a template.
        scope: What names of loops mean.
    """
    for node in listed:
        if isinstance(node, nodes.For):
            path = path_of(node.iter, scope)
            target = node.target.name if isinstance(node.target, nodes.Name) else ""
            inner = {**scope, target: (*(path or ("",)), "*"), "loop": ("loop",)}
            yield (*(path or ("",)), COUNT)
            yield from used_paths(node.else_, scope)
            yield from used_paths([*([node.test] if node.test else []), *node.body], inner)
        elif (path := path_of(node, scope)) is not None:
            yield path
        else:
            yield from used_paths(list(node.iter_child_nodes()), scope)


def _ends(text: str, start: int, rest: Todo) -> Iterator[int]:
    # What comes next says where a value may end; only literal text does so at the speed of `find`.
    following = rest
    while following is not None and isinstance(following[0], nodes.Output):
        following = _chain(following[0].nodes, following[1], following[2])
    if following is None:
        yield len(text)
        return
    literal = following[0].data if isinstance(following[0], nodes.TemplateData) else ""
    end = text.find(literal, start)
    while end >= 0:
        yield end
        end = text.find(literal, end + 1) if end < len(text) else -1


def _branches(node: nodes.If | nodes.CondExpr) -> list[list[Any]]:
    if isinstance(node, nodes.If):
        return [node.body, *(one.body for one in node.elif_), node.else_]
    return [[one] for one in (node.expr1, node.expr2) if one is not None]


def _chain(listed: Sequence[Any], scope: Scope, rest: Todo) -> Todo:
    for node in reversed(listed):
        rest = (node, scope, rest)
    return rest


def path_of(node: Any, scope: Scope) -> Path | None:
    """The place in the inputs that an expression names; None where it is more than a name."""
    match node:
        case nodes.Name(name=name):
            return scope.get(name, (name,))
        case nodes.Getattr(node=inner, attr=step) | nodes.Getitem(node=inner, arg=nodes.Const(value=step)):
            path = path_of(inner, scope)
            return None if path is None else (*path, step)
    return None
