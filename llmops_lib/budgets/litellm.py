"""Budgets as a LiteLLM proxy takes them, and what it cannot be told.

Written against release 1.109.1: `NewTeamRequest`, `NewCustomerRequest`, `BudgetNewRequest`, `TagNewRequest`
and the reset times of `litellm_core_utils/duration_parser.py`; https://docs.litellm.ai/docs/proxy/users and
https://docs.litellm.ai/docs/proxy/budget_reset_and_tz. A proxy resets `1d`, `7d` and `1mo` at midnight, on
Monday and on the first of a month, all in one time zone.
"""

from collections.abc import Sequence
from typing import Any

from llmops_lib.budgets.declared import Budget

_DURATIONS = {"day": "1d", "week": "7d", "month": "1mo"}


def litellm_budgets(budgets: Sequence[Budget]) -> dict[str, Any]:
    """Settings and requests that bring budgets into a LiteLLM proxy, and what of them it cannot hold.

    A tenant is a team whose `team_id` is the tenant, a feature is a tag, a user is a customer (the `user` of
    a request). The proxy refuses from `stop_share` of the limit on, and warns from `warn_share` on where it
    can.

    Args:
        budgets: Budgets, as `load_budgets` gives them.

    Returns:
        `config`: what belongs into the proxy's `config.yaml`. `requests`: `method`, `path` and `body` for its
        management API, each with the `budget` it comes from. `not_expressed`: `budget` and `reason` of each
        budget, or part of one, that the proxy cannot be told; nothing is left out silently.

    Example:
        >>> acme = Budget(name="acme", where={"tenant": "acme"}, limit_usd=50, window="month")
        >>> exported = litellm_budgets([acme])
        >>> exported["requests"][0]["path"], exported["requests"][0]["body"]["soft_budget"]
        ('/team/new', 40.0)
    """
    settings: dict[str, Any] = {}
    requests: list[dict[str, Any]] = []
    missing: list[dict[str, str]] = []
    taken: dict[tuple[str, ...], str] = {}
    zone = next((budget.timezone for budget in budgets if not _obstacle(budget)), "UTC")
    for budget in budgets:
        target = _target(budget)
        reason = _obstacle(budget) or _conflict(budget, zone, taken.get(target))
        if reason:
            missing.append({"budget": budget.name, "reason": reason})
            continue
        taken[target] = budget.name
        settings |= _settings(budget)
        requests += _requests(budget)
        if target[0] in {"all", "user_id"}:
            missing.append({"budget": budget.name, "reason": _NO_WARNING})
    if taken and zone != "UTC":
        settings["timezone"] = zone
    config = {"litellm_settings": settings} if settings else {}
    return {"config": config, "requests": requests, "not_expressed": missing}


_NO_WARNING = (
    "warn_share: the proxy warns of no such budget before it is used up; the limit itself is expressed"
)


def _obstacle(budget: Budget) -> str | None:
    """Why the proxy cannot hold a budget at all."""
    if budget.limit_tokens is not None:
        return "limit_tokens: the proxy limits tokens per minute only; state a limit in USD"
    if budget.window not in _DURATIONS:
        return f"window {budget.window!r}: the proxy's windows do not roll; use day, week or month"
    if len(budget.dimensions) > 1:
        joined = " and ".join(budget.dimensions)
        return f"{joined} together: the proxy holds a budget for one of them at a time"
    if "model" in budget.dimensions:
        return (
            "model: the proxy limits a model per key, or per deployment and from the first call on; "
            "set max_budget and budget_duration of the deployment by hand"
        )
    if budget.each and budget.each != ("user_id",):
        return (
            f"each {budget.each[0]}: the proxy has such a default for users only; write one budget for each"
        )
    return None


def _conflict(budget: Budget, zone: str, other: str | None) -> str | None:
    """Why the proxy cannot hold a budget beside those before it."""
    if budget.timezone != zone:
        return f"timezone {budget.timezone}: the proxy has one for all budgets, {zone} here"
    if other is not None:
        return f"the proxy holds one budget for this, and {other!r} is it"
    return None


def _target(budget: Budget) -> tuple[str, ...]:
    """What the budget is for."""
    if budget.each:
        return (budget.each[0], "", "each")
    return next(((name, value) for name, value in budget.where.items()), ("all",))


def _amounts(budget: Budget) -> dict[str, Any]:
    limit = budget.limit_usd or 0
    return {"max_budget": limit * budget.stop_share, "budget_duration": _DURATIONS[budget.window]}


def _settings(budget: Budget) -> dict[str, Any]:
    if budget.each:
        return {"max_end_user_budget_id": budget.name}
    return {} if budget.where else _amounts(budget)


def _requests(budget: Budget) -> list[dict[str, Any]]:
    amounts = _amounts(budget)
    warned = amounts | {"soft_budget": (budget.limit_usd or 0) * budget.warn_share}
    if budget.each:
        path, body = "/budget/new", {"budget_id": budget.name, **amounts}
    elif tenant := budget.where.get("tenant"):
        path, body = "/team/new", {"team_id": tenant, "team_alias": tenant, **warned}
    elif feature := budget.where.get("feature"):
        path, body = "/tag/new", {"name": feature, **warned}
    elif user := budget.where.get("user_id"):
        path, body = "/customer/new", {"user_id": user, **amounts}
    else:
        return []
    return [{"budget": budget.name, "method": "POST", "path": path, "body": body}]
