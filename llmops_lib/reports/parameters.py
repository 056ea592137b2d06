"""What parameters a report notebook takes, and whether given values may be passed to it.

Papermill writes parameter names into code as they are and only logs a name that it does not know,
so both are settled here, before a kernel starts. The `parameters` cell is read as Python, not with
Papermill's own line pattern: that does not see annotations such as `str | None`.
"""

import ast
import difflib
import io
import json
import math
import os
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_lib.errors import ParameterError, ReportError
from llmops_lib.reports.annotations import fits
from llmops_lib.reports.secrets import has_secret

RESERVED = frozenset({"name", "output", "on_progress"})
"""Names that `run_report` takes for itself, so that no notebook can have them."""

_PATH_SUFFIXES = ("source", "prices", "columns", "scores", "budgets", "prompts")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a report notebook.

    Attributes:
        name: Variable of the `parameters` cell.
        annotation: Its type as written, such as `str | None`; empty where it has none.
        default: Its literal.
        help: The comment on its line.
    """

    name: str
    annotation: str
    default: Any
    help: str

    def __str__(self) -> str:
        typed = f"{self.name}: {self.annotation}" if self.annotation else self.name
        return f"{typed} = {self.default!r}" + (f"  ({self.help})" if self.help else "")


def read_parameters(notebook: Path) -> tuple[Parameter, ...]:
    """The parameters that a notebook declares in its cell tagged `parameters`, in order.

    Args:
        notebook: Path of the notebook.

    Raises:
        ReportError: If the cell is missing, is not made of assigned literals, or uses a reserved name.
    """
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", ())]
    if len(tagged) != 1:
        msg = f"{notebook.name}: found {len(tagged)} cells tagged `parameters`, expected one"
        raise ReportError(msg)
    source = "".join(tagged[0]["source"])
    try:
        parameters = tuple(_declared(source))
    except (SyntaxError, ValueError) as error:
        msg = f"{notebook.name}: the `parameters` cell must hold only literals assigned to names: {error}"
        raise ReportError(msg) from error
    reserved = sorted(RESERVED & {parameter.name for parameter in parameters})
    if reserved:
        msg = f"{notebook.name}: parameters {reserved} have names that run_report() uses; rename them"
        raise ReportError(msg)
    return parameters


def check_parameters(parameters: tuple[Parameter, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values as they go to the notebook: known names, fitting types, absolute paths, no secrets.

    Args:
        parameters: What the notebook declares.
        given: What the caller passes.

    Returns:
        The given names and values; a value that is a path (its name ends in `source`, `prices`,
        `columns`, `scores`, `budgets` or `prompts`) is made absolute, because a notebook does not know the
        folder of its caller.

    Raises:
        ParameterError: At the first value that may not be passed; never quotes what looks like a key.
    """
    known = {parameter.name: parameter for parameter in parameters}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ParameterError(_unknown_message(unknown[0], known))
    for name, value in given.items():
        _require_passable(known[name], value)
    return {
        name: _absolute(name, value) if name.endswith(_PATH_SUFFIXES) else value
        for name, value in given.items()
    }


def _declared(source: str) -> Iterator[Parameter]:
    statements = ast.parse(source).body
    comments = {
        token.start[0]: token.string.lstrip("# ").rstrip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    for node in statements:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=hint, value=ast.expr() as value):
                annotation = ast.unparse(hint)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                annotation = ""
            case _:
                msg = f"line {node.lineno}: {ast.unparse(node)}"
                raise ValueError(msg)
        yield Parameter(name, annotation, ast.literal_eval(value), comments.get(node.end_lineno or 0, ""))


def _unknown_message(name: str, known: Mapping[str, Parameter]) -> str:
    shown = "(looks like a key)" if has_secret(name) else repr(name)
    near = difflib.get_close_matches(name, known, n=1)
    listing = "".join(f"\n  {parameter}" for parameter in known.values()) or " none"
    return (
        f"parameter {shown} is unknown"
        + (f"; did you mean {near[0]!r}?" if near else "")
        + (f" The report takes:{listing}")
    )


def _require_passable(parameter: Parameter, value: Any) -> None:
    # First, because every later message shows the value.
    if any(has_secret(text) for text in _texts(value)):
        msg = (
            f"parameter {parameter.name!r} looks like it holds a key or password, which would be stored in "
            "the report; pass keys in environment variables"
        )
        raise ParameterError(msg)
    if not _is_plain(value) or not fits(value, parameter.annotation):
        msg = (
            f"parameter {parameter.name!r} is {value!r} ({type(value).__name__}); expected "
            f"{parameter.annotation or 'text, a finite number, a flag, None, or a list or dict of these'}. "
            f"The report takes:\n  {parameter}"
        )
        raise ParameterError(msg)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _texts(item)
    else:
        yield value if isinstance(value, str) else repr(value)


def _is_plain(value: Any) -> bool:
    # Exact types: Papermill writes a subclass or a look-alike (numpy, pathlib) into code as bare text.
    kind = type(value)
    if kind is list:
        return all(map(_is_plain, value))
    if kind is dict:
        return all(type(key) is str for key in value) and all(map(_is_plain, value.values()))
    if kind is str:
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return value is None or kind in (int, bool) or (kind is float and math.isfinite(value))


def _absolute(name: str, value: Any) -> Any:
    if type(value) is list:
        return [_absolute(name, item) for item in value]
    # Empty text stands for "none", as in the defaults of a notebook.
    if type(value) is not str or not value:
        return value
    if "://" in value or "\0" in value:
        msg = f"parameter {name!r} is {value!r}; expected a path on this machine"
        raise ParameterError(msg)
    return os.path.abspath(os.path.expanduser(value))  # noqa: PTH100, PTH111 - a pattern with * is no Path
