"""Reads `budgets.yaml`, and says what is wrong with it in one line."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llmops_lib.budgets.declared import Budget
from llmops_lib.errors import BudgetError
from llmops_lib.reviewed_yaml import ReviewedKind, first_repeated, read_reviewed

EXAMPLE = Path(__file__).with_name("example.yaml")
"""What `llmops budgets init` writes."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    budgets: list[Budget] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> "_File":
        twice = first_repeated(budget.name for budget in self.budgets)
        if twice is not None:
            msg = f"two budgets are named {twice!r}, expected a name of its own for each"
            raise ValueError(msg)
        return self


_KIND = ReviewedKind(
    error=BudgetError,
    what="budgets",
    holds="a list under `budgets`",
    todo="compare docs/budgets.md, or the example that `llmops budgets init` writes",
    no_such_key="no such key, expected the one key `budgets` with a list",
    said={
        "extra_forbidden": f"no such field; a budget has {', '.join(Budget.model_fields)}",
        "missing": "is missing",
        "model_type": "expected fields and values such as `name: everything`",
        "string_pattern_mismatch": "not known",
    },
    expected={
        "window": "day, week, month, or rolling and a duration such as 'rolling 24h'",
        "warn_share": "a share of the limit such as 0.8",
        "stop_share": "a share of the limit such as 1.0",
        "limit_usd": "US dollars such as 250 or 0.5",
        "limit_tokens": "a whole number of tokens such as 2000000",
        "where": "dimensions and values such as {tenant: acme}",
        "each": "dimensions such as [user_id]",
    },
)


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
    return tuple(read_reviewed(Path(path), _File, _KIND).budgets)


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
