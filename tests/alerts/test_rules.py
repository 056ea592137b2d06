"""Rules are refused in one line that says where, what was found, what was expected and what to do."""

import pytest

from llmops_lib.alerts.episodes import Episode, merged
from llmops_lib.alerts.rules import EXAMPLE, load_alert_rules
from llmops_lib.errors import AlertError

GOOD = """\
destinations: {log: {file: a.jsonl}}
rules:
  - {name: slow, kind: slow, window: 1h, above_ms: 10, to: log}
"""


def refusal(tmp_path, text):
    """What is said about a file."""
    path = tmp_path / "alerts.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(AlertError) as raised:
        load_alert_rules(path)
    said = str(raised.value)
    assert "\n" not in said
    assert said.startswith(str(path))
    return said


def test_the_example_is_right():
    """It is what people begin with."""
    assert len(load_alert_rules(EXAMPLE).rules) == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("above_ms: 10", "above_ms: fast", ":3: rules[0].above_ms: found 'fast'"),
        ("above_ms: 10", "above_ms: -1", "milliseconds"),
        ("above_ms: 10", "above_ms: nan", "above_ms"),
        ("above_ms: 10", "above_usd: 10", "needs above_ms"),
        ("above_ms: 10", "above_ms: 10, above_usd: 10", "has no above_usd"),
        ("above_ms: 10", "abov_ms: 10", "no such field"),
        (
            "kind: slow",
            "kind: sluggish",
            "'expensive_call', 'new_model' or 'quality'",
        ),
        ("window: 1h", "window: 1 hour", "15m, 6h or 2d"),
        ("window: 1h", "window: 999d", "60 days"),
        ("to: log", "to: [log, ops]", "destinations are ['log']"),
        ("to: log", "to: []", "rules[0].to"),
        ("to: log", "to: log, by: tenat", "'tenant'"),
        ("{file: a.jsonl}", "{url_env: 'slack://TOKEN'}", "never an address itself"),
        ("{file: a.jsonl}", "{file: a.jsonl, url_env: X}", "either url_env"),
        ("{file: a.jsonl}", "{}", "either url_env"),
        ("rules:", "rulez:", "rules: is missing"),
        ("name: slow", "name: slow, name: quick", "names a key twice"),
        ("name: slow", "name: *slow", "alias"),
        ("name: slow", 'name: "a\\nb"', "rules[0].name"),
        (
            "- {",
            "- {name: slow, kind: slow, window: 1h, above_ms: 10, to: log}\n  - {",
            "two rules are named 'slow'",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, old, new, said):
    """A rule that is misread watches nothing, and nobody knows."""
    assert old in GOOD
    assert said in refusal(tmp_path, GOOD.replace(old, new, 1))


@pytest.mark.parametrize("text", ["", "[]", "just words", "{", b"\xff\xfe", "a: " + "x" * 300_000])
def test_files_that_are_no_rules_are_refused(tmp_path, text):
    """Whatever was saved under the name."""
    assert "rules" in refusal(tmp_path, text) or "UTF-8" in refusal(tmp_path, text)


def test_a_missing_file_is_named(tmp_path):
    """The commonest mistake."""
    with pytest.raises(AlertError, match=r"gone\.yaml"):
        load_alert_rules(tmp_path / "gone.yaml")


def test_late_data_joins_two_episodes_into_one_told_once():
    """What arrives late between two known episodes makes them one; who has heard of one has heard."""
    from datetime import UTC, datetime

    def episode(start, end, pending, delivered):
        first, last = (datetime(2026, 11, 9, hour, tzinfo=UTC) for hour in (start, end))
        return Episode(
            f"e{start}", "r", "info", "g", "all calls", first, last, 7200.0, "said", pending, delivered
        )

    known = [episode(1, 2, (), ("log",)), episode(8, 9, ("log",), ())]
    together, new = merged(known, [episode(3, 7, ("log",), ())])
    assert new == set()
    assert [(one.id, one.pending, one.delivered) for one in together] == [("e1", (), ("log",))]
    assert together[0].last_at.hour == 9


def test_a_rule_about_new_models_watches_the_model(rules):
    """By tenant alone it would say that a tenant is new."""
    found = {"kind": "new_model", "window": None, "above_share": None}
    assert load_alert_rules(rules(**found, by=None)).rules[0].groups == ("model",)
    with pytest.raises(AlertError, match="watches the model"):
        load_alert_rules(rules(**found, by=["tenant"]))
