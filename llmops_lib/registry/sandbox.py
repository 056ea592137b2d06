"""Jinja as prompts use it: in an immutable sandbox, strict, over plain JSON values, within a budget."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes, pass_context
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS as JINJA_TESTS

from llmops_lib.errors import TemplateError
from llmops_lib.registry.language import FILTERS, LOOP_ATTRIBUTES, TESTS, check_language

MAX_CHARACTERS = 1_000_000
"""Most characters that one prompt may render to."""

MAX_WORK = 2_000_000
"""Most steps of one rendering: an element of a loop costs as many as the loop has parts, a filter as many
as its value has characters. Counted and not timed, so the same prompt fails on every machine or on none."""

MAX_TOKENS = 3_000
"""Most tokens of one template, as Jinja counts them: one that is longer takes seconds to compile."""

_TEXT_FILTERS = frozenset({"indent", "lower", "trim", "upper"})
_BUDGET = "_budget"
_LOOP = "_counted"


@dataclass
class _Budget:
    """Steps that one rendering has left."""

    left: int = MAX_WORK

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            msg = f"takes more than {MAX_WORK:,} steps; give it shorter lists or nest fewer loops"
            raise TemplateError(msg)


class _PromptEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox in which a field is an entry of a JSON object and never an attribute of a Python object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in LOOP_ATTRIBUTES:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if type(obj) is dict or (type(obj) is list and type(argument) is int):
            try:
                return obj[argument]
            except LookupError:
                pass
        return self.undefined(obj=obj, name=argument)


def _finalize(value: Any) -> Any:
    if isinstance(value, Undefined) or type(value) in {str, int, float}:
        return value
    what = {list: "a list", dict: "an object", bool: "true or false"}.get(type(value), "null")
    msg = f"would write {what} where text belongs; use a loop, a condition or the filter tojson"
    raise TemplateError(msg)


def _joined(value: Any, separator: str = "") -> str:
    if type(value) is not list or not all(type(item) in {str, int, float} for item in value):
        msg = "joins something else than a list of texts and numbers; loop over it instead"
        raise TemplateError(msg)
    return separator.join(str(item) for item in value)


def _to_json(value: Any) -> str:
    # Jinja's own filter escapes for HTML, and a model would read \u003c where the user wrote <.
    return json.dumps(value, ensure_ascii=False)


def _metered(name: str, apply: Callable[..., Any]) -> Callable[..., Any]:
    @pass_context
    def metered(context: Context, value: Any, *arguments: Any, **options: Any) -> Any:
        budget = context[_BUDGET]
        if name in _TEXT_FILTERS and type(value) is not str and not isinstance(value, Undefined):
            # Jinja would take Python's spelling of the value.
            msg = f"gives the filter {name} something else than text"
            raise TemplateError(msg)
        budget.spend(len(value) if type(value) in {str, list, dict} else 1)
        applied = apply(value, *arguments, **options)
        budget.spend(len(applied) if type(applied) is str else 1)
        return applied

    return metered


@pass_context
def _counted(context: Context, items: Any, parts: int) -> Any:
    if isinstance(items, Undefined):
        return iter(items)
    if type(items) is not list:
        msg = f"loops over a {type(items).__name__}; expected a list"
        raise TemplateError(msg)
    context[_BUDGET].spend(parts * len(items))
    return items


def _environment() -> _PromptEnvironment:
    made = _PromptEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
        cache_size=0,
    )
    made.globals.clear()
    own = {"join": _joined, "tojson": _to_json}
    made.filters = {name: _metered(name, own.get(name, JINJA_FILTERS[name])) for name in FILTERS}
    made.filters[_LOOP] = _counted
    made.tests = {name: JINJA_TESTS[name] for name in TESTS}
    return made


_ENVIRONMENT = _environment()


@lru_cache(maxsize=256)
def compiled(source: str, variables: frozenset[str], first_line: int = 1) -> Template:
    """A template that is known to use only what a prompt may.

    Args:
        source: Text of the template.
        variables: Names that the input schema declares.
        first_line: Line of the file that it begins on, for messages.

    Raises:
        TemplateError: If it is no template or uses more.
    """
    try:
        _refuse_long(source)
        # Jinja takes a comment or a raw block that never ends for an empty one where nothing follows.
        _ENVIRONMENT.parse(f"{source}.")
        parsed = _ENVIRONMENT.parse(source)
        check_language(parsed, variables, first_line=first_line)
        for loop in list(parsed.find_all(nodes.For)):
            parts = nodes.Const(1 + sum(1 for _ in loop.find_all(nodes.Node)))
            loop.iter = nodes.Filter(loop.iter, _LOOP, [parts], [], None, None)
        parsed.set_environment(_ENVIRONMENT)
        code = _ENVIRONMENT.compile(parsed, filename="<prompt>")
        return Template.from_code(_ENVIRONMENT, code, {})
    except TemplateSyntaxError as error:
        msg = f"line {error.lineno + first_line - 1}: is no template: {error.message}"
        raise TemplateError(msg) from error
    except (JinjaError, RecursionError, MemoryError, SyntaxError, ValueError) as error:
        if isinstance(error, TemplateError):
            raise
        msg = f"line {first_line}: is no template ({type(error).__name__}); it nests too deeply"
        raise TemplateError(msg) from error


@lru_cache(maxsize=256)
def parsed(source: str) -> nodes.Template:
    """The tree of a template that is known to compile, to be looked at and not changed."""
    return _ENVIRONMENT.parse(source)


def rendered(template: Template, inputs: Mapping[str, Any], *, characters: int = MAX_CHARACTERS) -> str:
    """The text that a template makes of inputs.

    Args:
        template: As `compiled` gives it.
        inputs: Plain JSON values by variable. They are text and stay text: nothing in them is a template.
        characters: Most that may come out.

    Raises:
        TemplateError: If a variable or field is missing, or the rendering exceeds its bounds.
    """
    try:
        return "".join(_within(template.generate({**inputs, _BUDGET: _Budget()}), characters))
    except JinjaError as error:
        msg = f"cannot be rendered: {error.message or type(error).__name__}"
        raise TemplateError(msg) from error
    except (AttributeError, TypeError, ArithmeticError, RecursionError) as error:
        msg = (
            f"cannot be rendered: a value is of another kind than its place expects ({type(error).__name__})"
        )
        raise TemplateError(msg) from error


def _refuse_long(source: str) -> None:
    # Parsing takes longer than counting, and only counting can stop half way.
    if next(islice(_ENVIRONMENT.lex(source), MAX_TOKENS, None), None) is not None:
        msg = f"has more than {MAX_TOKENS:,} tokens, which nobody can review; loop over a list instead"
        raise TemplateError(msg)


def _within(pieces: Iterator[str], characters: int) -> Iterator[str]:
    left = characters
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            msg = f"renders to more than {characters:,} characters; give it less text"
            raise TemplateError(msg)
        yield piece
