"""What a LiteLLM proxy is told, and what it cannot be."""

import pytest

from llmops_lib import Budget, litellm_budgets

FIELDS = {
    "/team/new": {"team_id", "team_alias", "max_budget", "soft_budget", "budget_duration"},
    "/tag/new": {"name", "max_budget", "soft_budget", "budget_duration"},
    "/customer/new": {"user_id", "max_budget", "budget_duration"},
    "/budget/new": {"budget_id", "max_budget", "budget_duration"},
}
"""Fields that release 1.109.1 takes at each path, of those that are used."""


def budget(name, **fields):
    """A budget of a hundred dollars a month, but for what a test cares about."""
    return Budget(**({"name": name, "limit_usd": 100, "window": "month"} | fields))


@pytest.mark.parametrize(
    ("where", "path", "body"),
    [
        ({"tenant": "acme"}, "/team/new", {"team_id": "acme", "team_alias": "acme", "soft_budget": 80.0}),
        ({"feature": "faq"}, "/tag/new", {"name": "faq", "soft_budget": 80.0}),
        ({"user_id": "ann"}, "/customer/new", {"user_id": "ann"}),
    ],
)
def test_a_tenant_is_a_team_a_feature_a_tag_and_a_user_a_customer(where, path, body):
    """Each by the request that makes it, with its limit and when it starts anew."""
    exported = litellm_budgets([budget("x", where=where, stop_share=0.9)])
    amounts = {"max_budget": 90.0, "budget_duration": "1mo"}
    assert exported["requests"] == [{"budget": "x", "method": "POST", "path": path, "body": body | amounts}]
    assert set(exported["requests"][0]["body"]) == FIELDS[path]
    assert exported["config"] == {}


def test_the_whole_proxy_is_limited_in_its_settings():
    """There is no request for it."""
    exported = litellm_budgets([budget("all", window="day")])
    assert exported["config"] == {"litellm_settings": {"max_budget": 100.0, "budget_duration": "1d"}}
    assert exported["requests"] == []


def test_each_user_gets_a_default_budget():
    """A budget that is made by a request and named in the settings."""
    exported = litellm_budgets([budget("a user", each="user_id", window="week")])
    assert exported["config"] == {"litellm_settings": {"max_end_user_budget_id": "a user"}}
    body = {"budget_id": "a user", "max_budget": 100.0, "budget_duration": "7d"}
    assert exported["requests"] == [
        {"budget": "a user", "method": "POST", "path": "/budget/new", "body": body}
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"limit_usd": None, "limit_tokens": 5}, "limit_tokens"),
        ({"window": "rolling 24h"}, "do not roll"),
        ({"where": {"tenant": "acme", "feature": "faq"}}, "tenant and feature together"),
        ({"where": {"tenant": "acme"}, "each": "user_id"}, "tenant and user_id together"),
        ({"where": {"model": "gpt-4o"}}, "per deployment"),
        ({"each": "model"}, "per deployment"),
        ({"each": "tenant"}, "each tenant"),
    ],
)
def test_what_the_proxy_cannot_hold_is_named(fields, said):
    """Left out silently, a limit would be believed to hold."""
    exported = litellm_budgets([budget("x", **fields)])
    (part,) = exported["not_expressed"]
    assert (part["budget"], exported["requests"], exported["config"]) == ("x", [], {})
    assert said in part["reason"]


def test_budgets_that_exclude_each_other_are_named():
    """The proxy has one time zone, and one budget for a team."""
    first = budget("first", where={"tenant": "acme"}, timezone="Europe/Berlin")
    second = budget("second", where={"tenant": "acme"}, timezone="Europe/Berlin", window="day")
    third = budget("third", where={"tenant": "globex"})
    exported = litellm_budgets([first, second, third])
    assert [request["budget"] for request in exported["requests"]] == ["first"]
    assert exported["config"] == {"litellm_settings": {"timezone": "Europe/Berlin"}}
    assert [(part["budget"], part["reason"][:12]) for part in exported["not_expressed"]] == [
        ("second", "the proxy ho"),
        ("third", "timezone UTC"),
    ]


def test_a_warning_that_is_lost_is_named():
    """The limit is there, the warning before it is not."""
    exported = litellm_budgets([budget("all"), budget("ann", where={"user_id": "ann"})])
    assert [part["budget"] for part in exported["not_expressed"]] == ["all", "ann"]
    assert all("warn_share" in part["reason"] for part in exported["not_expressed"])


def test_every_budget_is_expressed_or_named():
    """Nothing is lost on the way."""
    budgets = [
        budget(f"{window} {sorted(where)} {each}", window=window, where=where, each=each)
        for window in ("day", "rolling 1h")
        for where in ({}, {"tenant": "acme"}, {"model": "gpt-4o"})
        for each in ([], ["user_id"], ["feature"])
    ]
    exported = litellm_budgets(budgets)
    named = {part["budget"] for part in exported["not_expressed"]}
    asked = {request["budget"] for request in exported["requests"]}
    in_settings = {"day [] []"}
    assert named | asked | in_settings == {own.name for own in budgets}
