"""Logs of an incident: what they say is told, what is not given is said, broken lines are refused."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from llmops_lib import AuditLog, incident_log
from llmops_lib.alerts.episodes import Episode
from llmops_lib.alerts.incident_log import logs_account
from llmops_lib.alerts.memory import remember
from llmops_lib.errors import AlertError

ONSET = datetime(2026, 11, 12, 14, tzinfo=UTC)
INCIDENT = {"metric": "spend", "onset_at": ONSET, "ended_at": ONSET + timedelta(hours=4)}


def episode(number, started_at, delivered=()):
    """An episode of a rule, as a check of alerts remembers it."""
    return Episode(
        id=f"e{number}", rule="spend runs away", severity="critical", group_hash="h", label="tenant acme",
        started_at=started_at, last_at=started_at, quiet_seconds=60.0, said="$9", pending=(),
        delivered=delivered,
    )  # fmt: skip


@pytest.fixture
def record(tmp_path):
    """A record of three alerts, one of which is of another week."""
    path = tmp_path / ".traces.llmops-alerts.json"
    hour = timedelta(hours=1)
    remember(
        path,
        [episode(1, ONSET + hour, ("on-call",)), episode(2, ONSET + 2 * hour), episode(3, ONSET - 99 * hour)],
    )
    return path


def test_alerts_say_whether_somebody_was_told(record):
    """An alert that reached nobody is not what went well."""
    said = incident_log(INCIDENT, alerts=record)["event"].to_list()
    assert said == [
        "[critical] spend runs away: tenant acme (told to on-call)",
        "[critical] spend runs away: tenant acme (nobody was told)",
    ]


def test_the_file_that_alerts_are_written_to_is_read(tmp_path):
    """A destination may be a file of JSON lines."""
    line = {"rule": "slow", "severity": "warning", "group": "all", "started_at": ONSET.isoformat()}
    (tmp_path / "alerts.jsonl").write_text(json.dumps(line), encoding="utf-8")
    (event,) = incident_log(INCIDENT, alerts=tmp_path / "alerts.jsonl")["event"]
    assert event == "[warning] slow: all (written to alerts.jsonl)"


def test_a_line_separator_within_a_text_ends_no_line(tmp_path):
    """JSON may hold U+2028 as it is; only a line feed ends a line of a file."""
    line = {"happened_at": ONSET.isoformat(), "event": "breaker\u2028opened\x85again"}
    path = tmp_path / "breaker.jsonl"
    path.write_text(json.dumps(line, ensure_ascii=False) + "\r\n\n", encoding="utf-8")
    assert incident_log(INCIDENT, events=path)["event"].to_list() == [line["event"]]


def test_half_a_character_is_replaced_where_it_stands(tmp_path):
    """JSON can escape what no table holds; one such text must not cost the whole postmortem."""
    for name, field in (("breaker", "event"), ("alerts", "rule")):
        line = {"happened_at": ONSET.isoformat(), "started_at": ONSET.isoformat(), field: "cut \ud83d"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line), encoding="utf-8")
    said = incident_log(INCIDENT, events=tmp_path / "breaker.jsonl", alerts=tmp_path / "alerts.jsonl")
    assert said["event"].to_list() == ["[None] cut \ufffd: None (written to alerts.jsonl)", "cut \ufffd"]


def test_what_a_breaker_did_is_read_in_utc(tmp_path):
    """Its own log has its own zone."""
    line = {"happened_at": "2026-11-12T16:30:00+01:00", "event": "breaker opened for acme"}
    (tmp_path / "breaker.jsonl").write_text(json.dumps(line), encoding="utf-8")
    (row,) = incident_log(INCIDENT, events=tmp_path / "breaker.jsonl").to_dicts()
    assert row["happened_at"] == ONSET + timedelta(hours=1, minutes=30)
    assert (row["log"], row["event"]) == ("events", "breaker opened for acme")


def test_the_audit_log_is_counted_by_action(tmp_path):
    """A thousand calls refused in an hour are one line."""
    log = AuditLog(tmp_path / "audit")
    for _ in range(3):
        log.append("endpoint_call", {"decision": "blocked"})
    now = datetime.now(UTC)
    found = incident_log({**INCIDENT, "onset_at": now, "ended_at": None}, audit=tmp_path / "audit")
    assert found["log"].unique().to_list() == ["audit"]
    assert sum(int(event.split(" x ")[0]) for event in found["event"]) == 3
    assert found["event"].item(0).endswith("endpoint_call (blocked) in that hour")


def test_a_log_that_is_not_given_is_said(record):
    """Silence of a log and absence of one are two things."""
    log = incident_log(INCIDENT, alerts=record)
    account = logs_account(log, INCIDENT, {"alerts": str(record), "audit": "", "events": "breaker.jsonl"})
    assert account["status"].to_list() == ["2 entries", "no log given", "says nothing of that time"]
    assert account["after_onset_hours"].to_list() == [1.0, None, None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "events.jsonl:1: found no JSON"),
        ("[1]", "events.jsonl:1: found list"),
        ('{"happened_at": "2026-11-12T16:30:00"}', "with an offset"),
    ],
)
def test_a_line_that_is_no_event_is_refused(tmp_path, text, said):
    """Half a log read as a whole one would say that nothing happened."""
    (tmp_path / "events.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(AlertError, match=said):
        incident_log(INCIDENT, events=tmp_path / "events.jsonl")


def test_a_record_that_is_not_there_is_refused(tmp_path):
    """A mistyped name must not read as an alert that never came."""
    with pytest.raises(AlertError, match="no such record"):
        incident_log(INCIDENT, alerts=tmp_path / "nothing.json")
