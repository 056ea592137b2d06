import json

from llmops_lib import AuditLog
from llmops_lib.demo import sample_export


def test_an_intact_log_is_said_to_be_and_its_head_can_be_kept(llmops, tmp_path):
    """The head that one check tells is the anchor of the next."""
    AuditLog(tmp_path).append("endpoint_call", {"endpoint": "here"})
    code, out, _ = llmops("audit", "verify", "--log", tmp_path, "--json")
    facts = json.loads(out)
    assert (code, facts["is_intact"], facts["entries"]) == (0, True, 1)
    assert llmops("audit", "verify", "--log", tmp_path, "--anchor", facts["head"])[0] == 0


def test_a_changed_log_fails_and_the_line_is_named(llmops, tmp_path):
    """An auditor wants the place."""
    AuditLog(tmp_path).append("endpoint_call", {"endpoint": "here"})
    path = next(tmp_path.glob("audit-*"))
    path.write_text(path.read_text().replace("here", "Here"))
    code, out, _ = llmops("audit", "verify", "--log", tmp_path)
    assert code == 1
    assert f"{path.name}:1: entry 1 was changed" in out


def test_hashes_without_a_key_are_said_to_be(llmops, tmp_path, monkeypatch):
    """A keyed log that somebody replaced with one without a key must not pass unnoticed."""
    AuditLog(tmp_path / "plain").append("endpoint_call", {})
    AuditLog(tmp_path / "keyed", b"a key").append("endpoint_call", {})
    assert "hashes without a key" in llmops("audit", "verify", "--log", tmp_path / "plain")[1]
    monkeypatch.setenv("LLMOPS_AUDIT_KEY", "a key")
    code, out, _ = llmops("audit", "verify", "--log", tmp_path / "keyed")
    assert (code, "hashes without a key" in out) == (0, False)
    assert llmops("audit", "verify", "--log", tmp_path / "plain")[0] == 1


def test_no_log_is_bad_input(llmops, tmp_path):
    """Nothing to check is no success."""
    assert llmops("audit", "verify", "--log", tmp_path / "none")[0] == 2
    assert llmops("audit", "show", "--log", tmp_path / "none")[0] == 2


def test_the_latest_entries_are_shown(llmops, tmp_path):
    """One line each, whatever is in their names."""
    log = AuditLog(tmp_path)
    for number in range(3):
        log.append("tool_call", {"tool_name": f"tool\n{number}"}, actor="agent")
    log.append("report_written", {"report": "weekly"})
    code, out, _ = llmops("audit", "show", "--log", tmp_path, "--action", "tool_call", "--limit", "2")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["2", "3"]


def test_tool_calls_of_an_export_are_recorded(llmops, tmp_path, monkeypatch):
    """The log of the environment is the one that is written."""
    monkeypatch.setenv("LLMOPS_AUDIT", str(tmp_path))
    code, out, _ = llmops("audit", "record-agents", sample_export(), "--json")
    assert code == 0
    assert json.loads(out)["recorded"] > 100
