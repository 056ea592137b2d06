"""The risk of a tool is declared, or read off the words of its name, or not known."""

import pytest

from llmops_lib import load_tool_risks
from llmops_lib.errors import PolicyError
from llmops_lib.safety.tool_risks import PACKAGED_RISKS


@pytest.mark.parametrize(
    ("name", "risk"),
    [
        ("issue_refund", "high"),
        ("issueRefund", "high"),
        ("billing.payments-PAY", "high"),
        ("get_and_delete_user", "high"),
        ("SQLQuery", "high"),
        ("lookup_order", "low"),
        ("listOrders", "low"),
        ("readHTTPLog", "high"),
        ("reset2", "high"),
        ("spread_sheet", "unknown"),
        ("", "unknown"),
        ("\u4ed8\u6b3e", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_name_has_the_highest_risk_of_its_words(name, risk):
    """`spread` is not `read`, and a tool that reads and deletes deletes."""
    assert load_tool_risks(PACKAGED_RISKS).of(name) == risk


def test_what_is_declared_by_name_counts_before_words(tmp_path):
    """A team knows its tools better than a list of words does."""
    path = tmp_path / "tool_risks.yaml"
    path.write_text("tools: {close_ticket: low}\nwords: {high: [[close]]}\n")
    risks = load_tool_risks(path)
    assert [risks.of(name) for name in ("close_ticket", "close_account", "read")] == [
        "low",
        "high",
        "unknown",
    ]


def test_ones_own_file_of_the_working_directory_counts(tmp_path, monkeypatch):
    """As with policy.yaml."""
    (tmp_path / "tool_risks.yaml").write_text("tools: {lookup_order: high}\n")
    monkeypatch.chdir(tmp_path)
    assert load_tool_risks().of("lookup_order") == "high"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tools: {a: medium}\n", ":1: .*medium"),
        ("verbs: {}\n", "no such key"),
        ("tools: [a]\n", "names of tools"),
    ],
)
def test_risks_that_say_what_cannot_be_are_refused_with_their_line(tmp_path, text, message):
    """A typing error must not make a tool harmless."""
    path = tmp_path / "tool_risks.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=message):
        load_tool_risks(path)
