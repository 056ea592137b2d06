"""One check after another: each episode is told of once, whatever fails on the way."""

import json
import logging
import multiprocessing
import socket

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from llmops_lib.alerts.check import check_alerts
from llmops_lib.alerts.memory import memory_path
from llmops_lib.demo import write_demo
from llmops_lib.errors import AlertError

BAD, GOOD = [True] * 10, [False] * 10


def told(tmp_path):
    """What the file destination holds."""
    path = tmp_path / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_an_episode_is_told_once_and_not_once_per_run(export, rules, tmp_path):
    """The same data, and more of the same episode, are no news."""
    path = rules(above_share=0.4)
    source = export(GOOD + BAD)
    first, second = check_alerts(source, path), check_alerts(source, path)
    assert (len(first.new), len(second.new), len(second.episodes)) == (1, 0, 1)
    check_alerts(export(GOOD + BAD * 6), path)
    assert [entry["rule"] for entry in told(tmp_path)] == ["failing calls"]


def test_the_message_says_who_what_and_when(export, rules, tmp_path):
    """Someone reads it at night."""
    check_alerts(export(BAD), rules(note="Look at the status page."))
    entry = told(tmp_path)[0]
    assert entry["group"] == "tenant acme"
    assert entry["said"] == "100% of 10 calls failed, above 50.0%, 2026-11-09 10:00 to 10:09 UTC"
    assert entry["note"] == "Look at the status page."


def test_an_episode_that_resumes_within_its_quiet_time_is_the_same(export, rules, tmp_path):
    """A fault that flickers would otherwise ring all night."""
    path = rules()
    flickering = [*BAD, *[False] * 110, *BAD]
    for minutes in (10, 120, 130):
        check_alerts(export(flickering[:minutes]), path)
    assert len(told(tmp_path)) == 1


def test_an_episode_after_the_quiet_time_is_a_new_one(export, rules, tmp_path):
    """The fault of tomorrow is news."""
    path = rules(min_calls=60)
    bad, quiet = [True] * 60, [False] * 300
    check_alerts(export(bad), path)
    over = check_alerts(export(bad + quiet), path)
    assert over.episodes == ()
    check_alerts(export(bad + quiet + bad), path)
    assert len({entry["episode"] for entry in told(tmp_path)}) == len(told(tmp_path)) == 2


def test_every_group_has_its_own_episode(export, rules, tmp_path):
    """Two tenants fail for themselves, in one message line each."""
    path = rules()
    check_alerts(export(BAD, tenant=["acme"] * 5 + ["umbrella"] * 5), path)
    assert [entry["group"] for entry in told(tmp_path)] == ["tenant acme", "tenant umbrella"]


def test_rules_say_which_calls_count(export, rules):
    """`where` narrows, `min_calls` and the threshold decide."""
    source = export(BAD)
    for changed in ({"where": {"tenant": "umbrella"}}, {"min_calls": 11}):
        assert check_alerts(source, rules(**changed), dry_run=True).episodes == ()
    mixed = export(GOOD + BAD, name="mixed.jsonl")
    assert check_alerts(mixed, rules(above_share=0.5), dry_run=True).episodes == ()
    assert len(check_alerts(mixed, rules(above_share=0.49), dry_run=True).episodes) == 1


def test_slow_and_expensive_calls_are_told(export, rules, tmp_path):
    """The other kinds of rule, each with its figure."""
    slow = {"kind": "slow", "above_share": None, "above_ms": 700, "percentile": 50}
    check_alerts(export(GOOD), rules(**slow), state=tmp_path / "a.json")
    dear = {
        "kind": "expensive_call",
        "above_share": None,
        "window": None,
        "min_calls": None,
        "above_usd": 0.001,
    }
    check_alerts(export(GOOD), rules(**dear), state=tmp_path / "b.json")
    said = [entry["said"].replace("\xa0", " ") for entry in told(tmp_path)]
    assert said[0].startswith("p50 of latency 800 ms, above 700 ms (10 calls)")
    assert (
        said[1].startswith("a call cost $0.0035, above $0.001 (the worst of 10)") or "a call cost" in said[1]
    )


def test_the_planted_runaway_is_told_on_the_day_it_shows(rules, tmp_path):
    """From an export to a message, with the weeks before as its history."""
    facts = write_demo(tmp_path / "demo.jsonl", weeks=5, calls_per_week=3000)
    spike = {"kind": "spend_spike", "by": None, "window": None, "min_calls": None, "above_share": None}
    outcome = check_alerts(facts.path, rules(**spike), lookback="7d")
    assert len(outcome.new) == 1
    assert told(tmp_path)[0]["group"] == "tenant lumen-energy, feature agent_refunds"


def test_a_message_that_was_refused_is_told_at_the_next_check(export, rules, webhook, monkeypatch):
    """Never lost: a server that is down hears of it when it is up again, also when the episode is over."""
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{webhook.server_port}/alerts")
    path = rules("{url_env: HOOK}", min_calls=60)
    webhook.status = 503
    first = check_alerts(export([True] * 60), path)
    assert [name for name, _episode in first.failed] == ["one"]
    webhook.status = 200
    source = export([True] * 60 + [False] * 600)
    second = check_alerts(source, path)
    third = check_alerts(source, path)
    assert (len(second.sent), len(third.sent), len(third.episodes)) == (1, 0, 0)
    assert len(webhook.heard) == 2


def test_a_check_that_is_stopped_while_it_sends_forgets_nothing(export, rules, webhook, monkeypatch):
    """What is news is written before it is sent."""
    from apprise import Apprise

    def stopped(*_arguments, **_named):
        raise KeyboardInterrupt

    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{webhook.server_port}/alerts")
    source, path = export(BAD), rules("{url_env: HOOK}")
    with monkeypatch.context() as patched:
        patched.setattr(Apprise, "notify", stopped)
        with pytest.raises(KeyboardInterrupt):
            check_alerts(source, path)
    over = check_alerts(export([*BAD, *[False] * 600]), path)
    assert (len(over.sent), len(over.new), len(webhook.heard)) == (1, 0, 1)


def test_one_destination_down_does_not_make_the_other_hear_twice(export, tmp_path, webhook, monkeypatch):
    """Never doubled: who has heard is remembered one by one."""
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{webhook.server_port}/alerts")
    path = tmp_path / "alerts.yaml"
    path.write_text(
        "destinations: {log: {file: told.jsonl}, hook: {url_env: HOOK}}\n"
        "rules:\n"
        "  - {name: failing, kind: failed, window: 1h, above_share: 0.5, min_calls: 5, to: [hook, log]}\n"
    )
    source = export(BAD)
    webhook.status = 500
    check_alerts(source, path)
    check_alerts(source, path)
    webhook.status = 200
    check_alerts(source, path)
    check_alerts(source, path)
    assert len(told(tmp_path)) == 1
    assert len(webhook.heard) == 3


def test_the_webhook_hears_title_message_and_severity(export, rules, webhook, monkeypatch):
    """The real payload, as a receiver parses it."""
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{webhook.server_port}/alerts")
    check_alerts(export(BAD), rules("{url_env: HOOK}", severity="critical"))
    heard = webhook.heard[0]
    assert heard["title"] == "[critical] failing calls: tenant acme"
    assert heard["message"].startswith("tenant acme: 100% of 10 calls failed")
    assert heard["type"] == "failure"


HOSTILE = (
    "<!channel> <script>alert(1)</script> [x](http://evil.example) **b** @here `c`\x1b[2J\r\nBcc: a@b.example"
)
SIGNS = ("<", ">", "[x]", "**", "@", "`", "://", "\x1b", "\r", "a@b.example")


def test_hostile_text_reaches_a_webhook_inert(export, rules, webhook, monkeypatch):
    """A tenant's name is written by someone else; a chat must not obey it."""
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{webhook.server_port}/alerts")
    check_alerts(export(BAD, tenant=[HOSTILE] * 10), rules("{url_env: HOOK}"))
    for text in (webhook.heard[0]["title"].removeprefix("[warning]"), webhook.heard[0]["message"]):
        assert not [sign for sign in SIGNS if sign in text]


def test_slack_hears_plain_text(export, rules, webhook, monkeypatch):
    """Slack's own payload, sent here in place of its server: no mention, link or markup is left in it."""
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{webhook.server_port}")
    monkeypatch.setenv("HOOK", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops")
    check_alerts(export(BAD, tenant=[HOSTILE] * 10), rules("{url_env: HOOK}"))
    text = json.dumps(webhook.heard, ensure_ascii=False)
    assert "failing calls" in text
    assert not [sign for sign in ("<!", "<script", "](http", "**", "@here", "://evil") if sign in text]


def test_mail_is_delivered_with_the_text_escaped(export, rules, monkeypatch):
    """A real SMTP server on loopback; no header and no element comes from the trace."""
    mails = []

    class Keep(Message):
        def handle_message(self, message):
            mails.append(message)

    class OnItsSocket(Controller):
        def _create_server(self):
            return self.loop.create_server(self._factory_invoker, sock=listening)

    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    controller = OnItsSocket(Keep(), hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    try:
        monkeypatch.setenv(
            "MAIL", f"mailto://127.0.0.1:{port}?from=llmops@example.com&to=ops@example.com&mode=insecure"
        )
        outcome = check_alerts(export(BAD, tenant=[HOSTILE] * 10), rules("{url_env: MAIL}"))
    finally:
        controller.stop()
    assert outcome.failed == ()
    mail = mails[0]
    assert mail["To"] == "ops@example.com"
    assert mail["Bcc"] is None
    bodies = [part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart()]
    assert any("100% of 10 calls failed" in text for text in bodies)
    assert not any("<script" in text or "a@b.example" in text for text in bodies)


def test_addresses_stay_out_of_logs_and_record(export, rules, webhook, monkeypatch, caplog):
    """An address is a key: it may be in the environment and nowhere else, also when sending fails."""
    secret = "CANARY-5f3a"  # noqa: S105 - made up, to be looked for
    monkeypatch.setenv(
        "HOOK", f"json://user:{secret}@127.0.0.1:{webhook.server_port}/{secret}?-token={secret}"
    )
    source, path = export(BAD), rules("{url_env: HOOK}")
    webhook.status = 500
    with caplog.at_level(logging.DEBUG):
        outcome = check_alerts(source, path)
        webhook.status = 200
        check_alerts(source, path)
    places = (caplog.text, repr(outcome), memory_path(str(source)).read_text())
    assert len(webhook.heard) == 2
    assert not any(secret in place for place in places)


@pytest.mark.parametrize("address", ["", "nonsense CANARY-5f3a", "nosuch://CANARY-5f3a"])
def test_an_address_that_cannot_be_used_is_named_by_its_variable(export, rules, monkeypatch, address):
    """What it holds is not shown."""
    monkeypatch.setenv("HOOK", address)
    with pytest.raises(AlertError, match="HOOK") as raised:
        check_alerts(export(BAD), rules("{url_env: HOOK}"))
    assert "CANARY" not in str(raised.value)


def test_a_dry_run_sends_and_remembers_nothing(export, rules, tmp_path):
    """Try the rules before they ring; addresses need not be set."""
    source = export(BAD)
    outcome = check_alerts(source, rules("{url_env: NOT_SET}"), dry_run=True)
    assert len(outcome.new) == 1
    assert told(tmp_path) == []
    assert not memory_path(str(source)).exists()


def test_a_broken_record_is_no_empty_one(export, rules):
    """Taken for empty, every open episode would be told again."""
    source = export(BAD)
    memory_path(str(source)).write_text('{"version": 1, "episodes": [{"id"')
    with pytest.raises(AlertError, match="cannot be read"):
        check_alerts(source, rules())


def _check(source, rules):
    check_alerts(source, rules)


def test_checks_at_the_same_time_tell_once(export, rules, tmp_path):
    """Two timers fire in the same minute."""
    source, path = export(BAD), rules()
    context = multiprocessing.get_context("spawn")
    checks = [context.Process(target=_check, args=(source, path)) for _ in range(2)]
    for process in checks:
        process.start()
    for process in checks:
        process.join()
    assert [process.exitcode for process in checks] == [0, 0]
    assert len(told(tmp_path)) == 1


def test_personal_data_stays_out_of_the_record(export, rules, tmp_path):
    """It lies beside the data, but is mailed with bug reports."""
    source = export(BAD, user_id=["ann@example.com"] * 10)
    check_alerts(source, rules(by="user_id"))
    assert "ann@" not in memory_path(str(source)).read_text()
    assert "ann@" not in (tmp_path / "told.jsonl").read_text()


def test_a_folder_of_exports_with_its_record_is_read_as_before(export, rules, tmp_path):
    """The record beside an export is no export."""
    source = export(BAD)
    check_alerts(source, rules(), state=None)
    assert memory_path(str(source)).exists()
    (tmp_path / "alerts.yaml").rename(tmp_path.parent / "alerts.yaml")
    (tmp_path / "told.jsonl").unlink()
    (tmp_path / "told.jsonl.lock").unlink(missing_ok=True)
    outcome = check_alerts(tmp_path, tmp_path.parent / "alerts.yaml", dry_run=True)
    assert len(outcome.episodes) == 1


def test_no_calls_at_all_are_no_alert(export, rules):
    """An export of tool spans only."""
    source = export(BAD, is_model_call=[False] * 10)
    outcome = check_alerts(source, rules(), dry_run=True)
    assert (outcome.as_of, outcome.episodes) == (None, ())


NEW_MODEL = {"kind": "new_model", "by": None, "window": None, "above_share": None, "min_calls": 10}


def test_the_first_call_of_a_new_model_is_told(export, rules, tmp_path):
    """A provider moves an alias to another version and tells nobody."""
    models = ["gpt-4o-2024-08-06"] * 30
    path = rules(**NEW_MODEL)
    check_alerts(export(GOOD * 3, model=models), path)
    assert told(tmp_path) == []
    check_alerts(export([*GOOD * 3, False], model=[*models, "gpt-4o-2026-11-20"]), path)
    check_alerts(export([*GOOD * 3, False, False], model=[*models, *["gpt-4o-2026-11-20"] * 2]), path)
    (entry,) = told(tmp_path)
    assert entry["group"] == "model gpt-4o-2026-11-20"
    assert "no call before was answered by this model, 1 since" in entry["said"]


def test_a_model_is_new_only_where_enough_is_known_from_before(export, rules, tmp_path):
    """At the start of an export every model is."""
    check_alerts(export(GOOD, model=["a"] * 9 + ["b"]), rules(**NEW_MODEL))
    assert told(tmp_path) == []


def test_a_model_can_be_new_to_a_feature_that_others_know(export, rules, tmp_path):
    """A release that sends one feature to another model is such a change, and no other feature's."""
    calls = {"model": [*(["a", "b"] * 15)[:30], "b"], "feature": ["x", "y"] * 15 + ["x"]}
    check_alerts(export([False] * 31, **calls), rules(**{**NEW_MODEL, "by": ["feature", "model"]}))
    assert [entry["group"] for entry in told(tmp_path)] == ["feature x, model b"]
