"""Reads `budgets.yaml`, and says what is wrong with it in one line."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from llmops_lib.budgets.declared import Budget
from llmops_lib.errors import BudgetError
from llmops_lib.plain_yaml import PlainLoader

EXAMPLE = Path(__file__).with_name("example.yaml")
"""What `llmops budgets init` writes."""

_SIZE_LIMIT = 256 * 1024
_TODO = "compare docs/budgets.md, or the example that `llmops budgets init` writes"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    budgets: list[Budget] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> "_File":
        names = [budget.name for budget in self.budgets]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            msg = f"two budgets are named {twice!r}, expected a name of its own for each"
            raise ValueError(msg)
        return self


def load_budgets(path: str | Path) -> tuple[Budget, ...]:
    """The budgets of a file, checked.

    Args:
        path: YAML with a list under `budgets`; the fields of an entry are those of `Budget`.

    Returns:
        The budgets in the order of the file.

    Raises:
        BudgetError: If the file cannot be read or an entry does not hold what it must; the message says
            where, what was found, what was expected, and what to do.
    """
    file = Path(path)
    text = _text(file)
    try:
        loader = PlainLoader(text)
        node = loader.get_single_node()
        document = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        problem = f"found {error.problem}".replace("found found", "found")
        msg = f"{file}:{line}: {problem}, expected plain YAML with a list under `budgets`; {_TODO}"
        raise BudgetError(msg) from error
    except (yaml.YAMLError, RecursionError) as error:
        msg = f"{file}: not plain YAML, expected a list under `budgets`; {_TODO}"
        raise BudgetError(msg) from error
    try:
        return tuple(_File.model_validate(document).budgets)
    except ValidationError as error:
        raise BudgetError(_said(error, file, node)) from error


def checked_budgets(budgets: Any, at: datetime | None) -> tuple[Budget, ...]:
    """The budgets that a measure was given, once they and the moment are known to be of the right kind.

    Args:
        budgets: Budgets.
        at: A moment, which must name its zone.

    Raises:
        BudgetError: If something else was given, such as the path of a file.
    """
    if at is not None and at.tzinfo is None:
        msg = f"at: found {at.isoformat()} without a zone, expected one such as datetime(..., tzinfo=UTC)"
        raise BudgetError(msg)
    given = (budgets,) if isinstance(budgets, str | Path | Budget) else tuple(budgets)
    other = next((one for one in given if not isinstance(one, Budget)), None)
    if other is not None or isinstance(budgets, Budget):
        kind = type(budgets if isinstance(budgets, Budget) else other).__name__
        msg = f"budgets: found a {kind}, expected a list of Budget; load_budgets(path) gives one"
        raise BudgetError(msg)
    return given


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(_SIZE_LIMIT + 1)
    except OSError as error:
        msg = (
            f"{file}: the budgets cannot be read ({error.strerror}); check the path, "
            "or write a first file with `llmops budgets init`"
        )
        raise BudgetError(msg) from error
    if len(content) > _SIZE_LIMIT:
        msg = f"{file}: larger than {_SIZE_LIMIT // 1024} KB, expected a short list of budgets; use `each`"
        raise BudgetError(msg)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8"
        raise BudgetError(msg) from error


def _said(error: ValidationError, file: Path, node: yaml.Node | None) -> str:
    """The first thing that is wrong, and how many more there are."""
    first, *more = error.errors(include_url=False)
    at = [part for part in first["loc"] if part != "[key]"]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).lstrip(".")
    expected = _EXPECTED.get(str(at[-1])) if at else None
    said = _SAID.get(first["type"], first["msg"].removeprefix("Value error, "))
    if first["type"] == "extra_forbidden" and len(at) == 1:
        said = "no such key, expected the one key `budgets` with a list"
    found = "" if isinstance(first["input"], dict | BaseModel) else f"found {str(first['input'])[:60]!r}: "
    rest = f" ({len(more)} more after this one)" if more else ""
    hint = f", expected {expected}" if expected else ""
    return f"{file}:{_line(node, at)}: {place or 'the file'}: {found}{said}{hint}; {_TODO}{rest}"


_SAID = {
    "extra_forbidden": f"no such field; a budget has {', '.join(Budget.model_fields)}",
    "missing": "is missing",
    "model_type": "expected fields and values such as `name: everything`",
    "string_pattern_mismatch": "not known",
}
_EXPECTED = {
    "window": "day, week, month, or rolling and a duration such as 'rolling 24h'",
    "warn_share": "a share of the limit such as 0.8",
    "stop_share": "a share of the limit such as 1.0",
    "limit_usd": "US dollars such as 250 or 0.5",
    "limit_tokens": "a whole number of tokens such as 2000000",
    "where": "dimensions and values such as {tenant: acme}",
    "each": "dimensions such as [user_id]",
}


def _line(node: Any, place: Sequence[int | str]) -> int:
    """The line that a place in the document stands on, or that of what should hold it."""
    line = 1
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == part]
            if not found:
                break
            key, node = found[0]
            line = key.start_mark.line + 1
            continue
        else:
            break
        line = node.start_mark.line + 1
    return line
