import os
import random
import signal
import subprocess
import sys

import pytest

from llmops_lib import AuditLog, verify_audit
from llmops_lib.errors import AuditError
from llmops_lib.safety.audit.log import audit_folder, audit_key

WRITER = """
import sys
from pathlib import Path
from llmops_lib.safety.audit.log import AuditLog
log = AuditLog(Path(sys.argv[1]), file_bytes=8_000)
for number in range(int(sys.argv[3])):
    log.append("endpoint_call", {"writer": sys.argv[2], "number": number})
    print(number, flush=True)
"""


@pytest.fixture
def log(tmp_path):
    """An empty log of small files."""
    return AuditLog(tmp_path / "audit", file_bytes=1_500)


def test_entries_are_numbered_and_say_who_did_what_when(log):
    """That is what an auditor asks first."""
    first = log.append("report_written", {"report": "weekly"})
    second = log.append("tool_call", {"tool_name": "refund"}, actor="refund agent")
    assert (first.seq, second.seq) == (1, 2)
    assert second.prev == first.hash
    assert (second.actor, second.action, second.details) == (
        "refund agent",
        "tool_call",
        {"tool_name": "refund"},
    )
    assert second.at.endswith("+00:00")


def test_the_chain_goes_on_over_files(log):
    """A log that is cut into files must not be one whose files can be exchanged."""
    for number in range(20):
        log.append("endpoint_call", {"number": number})
    checked = verify_audit(log.folder)
    assert checked.is_intact
    assert (checked.entry_count, checked.head[0]) == (20, 20)
    assert checked.file_count > 3


def test_keys_never_enter_the_log_and_long_texts_are_cut(log):
    """Names of tools and ids come from traces, which others write."""
    secret = "sk-" + "proj-" + "Ab3" * 12
    entry = log.append("tool_call", {"tool_name": f"send {secret}", secret: ["x" * 900]}, actor=secret)
    line = next(log.folder.glob("audit-*")).read_text()
    assert "Ab3Ab3" not in line
    assert entry.details["tool_name"] == "send <SECRET>"
    assert len(entry.details["<SECRET>"][0]) == 300


@pytest.mark.parametrize("torn", [b"{", b'{"action":"endpoint_ca', b"\0\0\0\0"])
def test_a_line_that_a_killed_writer_left_unfinished_is_set_aside_and_recorded(log, torn):
    """Nothing is thrown away, and the log goes on."""
    log.append("endpoint_call", {})
    path = next(log.folder.glob("audit-*"))
    with path.open("ab") as stream:
        stream.write(torn)
    assert [problem.line for problem in verify_audit(log.folder).problems] == [2]
    log.append("endpoint_call", {"after": True})
    checked = verify_audit(log.folder)
    assert checked.is_intact
    assert checked.entry_count == 3
    assert [path.read_bytes() for path in log.folder.glob("torn-*.bin")] == [torn]


@pytest.mark.parametrize("change", ["edit", "cut", "no_anchor", "empty"])
def test_nothing_is_added_to_a_log_that_was_changed(log, change):
    """It fails closed: what cannot be recorded must not be done."""
    for _ in range(3):
        log.append("endpoint_call", {"x": 1})
    path = next(log.folder.glob("audit-*"))
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "edit":
        path.write_bytes(b"".join(lines).replace(b'"x":1}', b'"x":2}'))
    elif change == "cut":
        path.write_bytes(b"".join(lines[:-1]))
    elif change == "no_anchor":
        (log.folder / "head.json").unlink()
    else:
        path.unlink()
    with pytest.raises(AuditError, match="nothing is done"):
        log.append("endpoint_call", {})


@pytest.mark.parametrize("behind", [1, 5, 40])
def test_a_writer_that_was_killed_before_the_anchor_does_not_stop_the_log(log, behind):
    """The entry was on the disk, and the anchor a moment behind."""
    log.append("endpoint_call", {})
    anchor = (log.folder / "head.json").read_bytes()
    log.append_all([("endpoint_call", {"number": number, "x": "y" * 200}, None) for number in range(behind)])
    (log.folder / "head.json").write_bytes(anchor)
    assert log.append("endpoint_call", {}).seq == behind + 2
    assert verify_audit(log.folder).is_intact


def test_an_anchor_that_is_files_behind_does_not_stop_the_log(log):
    """A power cut may bring back an older one; the chain from it on holds, and `verify` says so."""
    log.append("endpoint_call", {})
    anchor = (log.folder / "head.json").read_bytes()
    for _ in range(9):
        log.append("endpoint_call", {"x": "y" * 290})
    assert len(list(log.folder.glob("audit-*"))) > 2
    (log.folder / "head.json").write_bytes(anchor)
    assert verify_audit(log.folder).is_intact
    assert log.append("endpoint_call", {}).seq == 11
    assert verify_audit(log.folder).is_intact


def test_a_log_that_cannot_be_written_is_an_error(tmp_path):
    """A folder that is a file, a full disk: the action must not go ahead."""
    (tmp_path / "audit").write_text("no folder")
    with pytest.raises(AuditError, match="nothing was done"):
        AuditLog(tmp_path / "audit").append("endpoint_call", {})


def test_details_that_are_no_json_or_too_long_are_refused(log):
    """An entry is facts, not a dump."""
    with pytest.raises(AuditError, match="no JSON"):
        log.append("endpoint_call", {"x": object()})
    with pytest.raises(AuditError, match="bytes, expected at most"):
        log.append("endpoint_call", {str(number): "x" * 290 for number in range(80)})


def test_the_environment_names_the_folder_and_the_key(monkeypatch, tmp_path):
    """A log belongs where whoever is recorded cannot write; its key likewise."""
    monkeypatch.setenv("LLMOPS_AUDIT", str(tmp_path / "here"))
    monkeypatch.setenv("LLMOPS_AUDIT_KEY", "k")
    assert (audit_folder("reports"), audit_key()) == (tmp_path / "here", b"k")
    monkeypatch.delenv("LLMOPS_AUDIT")
    assert audit_folder(tmp_path / "reports") == tmp_path / "reports" / ".audit"


def test_many_writers_and_kills_leave_one_chain(tmp_path):
    """Every entry that a writer was told of is there, in one chain, whoever was killed when."""
    chance = random.Random(7)  # noqa: S311 - when to kill is no secret
    folder = tmp_path / "audit"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, folder, str(name), "40"], stdout=subprocess.PIPE, text=True
        )
        for name in range(4)
    ]
    told = 0
    for writer in writers[:2]:
        for _ in range(chance.randint(2, 12)):
            told += bool(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
    for writer in writers:
        with writer:
            # Not communicate(): it forgets the lines that readline() has read ahead.
            told += len(writer.stdout.read().splitlines())
    AuditLog(folder).append("endpoint_call", {})
    checked = verify_audit(folder)
    assert checked.is_intact
    # Of each that was killed, one entry more than it could tell of, and one repair.
    assert told + 1 <= checked.entry_count <= told + 1 + 2 * 2
