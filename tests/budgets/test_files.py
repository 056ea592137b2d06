"""Budgets are read strictly: what is wrong is said in one line."""

import pytest

from llmops_lib import Budget, load_budgets
from llmops_lib.budgets.files import EXAMPLE
from llmops_lib.errors import BudgetError

WHOLE = """\
budgets:
  - name: everything
    limit_usd: 2500
    window: month
  - name: refunds
    where: {feature: agent_refunds, model: 1.10}
    each: tenant
    limit_tokens: 500000
    window: rolling 24h
    timezone: Europe/Berlin
    warn_share: 0.5
    stop_share: 0.9
"""


@pytest.fixture
def read(tmp_path):
    """Reads a text as a file of budgets."""

    def read_text(text):
        path = tmp_path / "budgets.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_budgets(path)

    return read_text


def test_a_file_becomes_budgets_in_its_order(read):
    """Values are text as they stand: a model named 1.10 is no number."""
    assert read(WHOLE) == (
        Budget(name="everything", limit_usd=2500, window="month"),
        Budget(
            name="refunds",
            where={"feature": "agent_refunds", "model": "1.10"},
            each=("tenant",),
            limit_tokens=500_000,
            window="rolling 24h",
            timezone="Europe/Berlin",
            warn_share=0.5,
            stop_share=0.9,
        ),
    )


def test_the_example_is_valid():
    """It is what `llmops budgets init` writes."""
    assert [budget.name for budget in load_budgets(EXAMPLE)] == [
        "everything",
        "refund agent",
        "tokens of a user",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("limit_usd: 2500", "limit_usd: -4", r":3: budgets\[0\]\.limit_usd: found '-4'.*greater than 0"),
        ("limit_usd: 2500", "limit_usd: lots", r":3: .*found 'lots'.*expected US dollars"),
        ("limit_usd: 2500", "limit_usd: nan", r":3: .*found 'nan'.*finite"),
        ("limit_usd: 2500", "limit_usd:", r":3: .*found ''"),
        (
            "limit_usd: 2500",
            "limit_usd: 1\n    limit_tokens: 2",
            r":2: budgets\[0\]: expected one of limit_usd",
        ),
        ("    limit_usd: 2500\n", "", r":2: budgets\[0\]: expected one of limit_usd"),
        ("limit_tokens: 500000", "limit_tokens: 0.5", r":8: .*found '0.5'.*whole number"),
        ("window: month", "window: monthly", r":4: .*found 'monthly': not known, expected day, week, month"),
        ("window: month", "window: rolling 0h", r":4: .*found 'rolling 0h'"),
        ("    window: month\n", "", r":2: budgets\[0\]\.window: is missing"),
        ("each: tenant", "each: [team]", r":7: budgets\[1\]\.each\[0\]: found 'team'.*'tenant', 'feature'"),
        ("each: tenant", "each: feature", r"feature stands under where and under each"),
        ("each: tenant", "each: [tenant, tenant]", r"stands there twice"),
        ("{feature: agent_refunds,", "{feature: [a, b],", r":6: .*where\.feature: found"),
        (
            "{feature: agent_refunds,",
            "{team: a,",
            r":6: budgets\[1\]\.where\.team: found 'team'.*'tenant', 'feat",
        ),
        ("budgets:", "owner: me\nbudgets:", r":1: owner: found 'me': no such key, expected the one key"),
        ("timezone: Europe/Berlin", "timezone: Mars/X", r":10: .*found 'Mars/X'.*IANA"),
        ("warn_share: 0.5", "warn_share: 80%", r":11: .*found '80%'.*such as 0.8"),
        ("warn_share: 0.5", "warn_share: 0.95", r"warn_share \(0.95\) is above stop_share \(0.9\)"),
        ("stop_share: 0.9", "stop_share: 1.1", r":12: .*less than or equal to 1"),
        ("stop_share: 0.9", "stop_shares: 0.9", r":12: .*stop_shares: .*no such field; a budget has name, "),
        ("name: refunds", "name: everything", r"two budgets are named 'everything'"),
        ("limit_usd: 2500", "limit_usd: 1\n    limit_usd: 2", r":2: found a mapping that names a key twice"),
        ("name: everything", "name: &a everything", r":2: found an alias"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(read, old, new, said):
    """A limit that silently means something else is worse than none."""
    text = WHOLE.replace(old, new).replace("name: refunds", "name: *a" if "&a" in new else "name: refunds")
    line = text.count("\n", 0, text.index("*a")) + 1 if "&a" in new else None
    with pytest.raises(BudgetError, match=said if line is None else rf":{line}: found an alias"):
        read(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file: found 'None'"),
        ("budgets:\n", "budgets: found ''"),
        ("budgets: []\n", "at least 1 item"),
        ("- name: x\n", "the file: "),
        ("budgets:\n  - hi\n", r"budgets\[0\]: found 'hi'"),
        ("budgets: [\n", "found "),
        ("\tbudgets: 1", "found character"),
        (b"budgets: \xff", "byte 9 is not UTF-8"),
        ("#" * 300_000, "larger than 256 KB"),
    ],
)
def test_what_is_no_list_of_budgets_is_refused(read, text, said):
    """Whatever the file holds, the answer is one line."""
    with pytest.raises(BudgetError, match=said):
        read(text)


def test_a_missing_file_says_how_to_begin(tmp_path):
    """The first run of a new user."""
    with pytest.raises(BudgetError, match="llmops budgets init"):
        load_budgets(tmp_path / "none.yaml")
