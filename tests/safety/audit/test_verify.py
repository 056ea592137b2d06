import shutil

import orjson
import pytest

from llmops_lib import AuditLog, verify_audit
from llmops_lib.errors import AuditError
from llmops_lib.safety.audit.entries import BEGINNING, hashed
from llmops_lib.safety.audit.files import write_anchor

KEY = b"a key that the attacker has not"


@pytest.fixture(params=[None, KEY], ids=["plain", "keyed"])
def log(tmp_path, request):
    """Nine entries in three files, one of which set torn bytes aside."""
    log = AuditLog(tmp_path / "audit", request.param, file_bytes=700)
    for number in range(4):
        log.append("endpoint_call", {"number": number})
    with max(log.folder.glob("audit-*")).open("ab") as stream:
        stream.write(b'{"torn')
    for number in range(4):
        log.append("tool_call", {"number": number}, actor="agent")
    return log


def lines_of(log):
    """Every line with its file."""
    return [
        (path, line)
        for path in sorted(log.folder.glob("audit-*"))
        for line in path.read_bytes().splitlines(keepends=True)
    ]


def write(lines):
    """Puts lines back into their files."""
    for path in {path for path, _ in lines}:
        path.write_bytes(b"".join(line for other, line in lines if other == path))


def rewritten(entries, key):
    """A chain of the same actions that holds, made anew."""
    last, made = BEGINNING, []
    for number, entry in enumerate(entries, start=1):
        content = {name: entry[name] for name in ("at", "actor", "action", "details")}
        made.append(hashed(key, seq=number, prev=last, **content))
        last = made[-1].hash
    return made


def test_an_untouched_log_is_intact(log):
    """What is as it was written raises no alarm."""
    checked = verify_audit(log.folder, key=log.key)
    assert checked.problems == []
    assert (checked.entry_count, checked.file_count, checked.is_keyed) == (9, 3, log.key is not None)


def test_any_changed_byte_is_found_where_it_is(log):
    """In an entry, its hash, an end of a line, the anchor, bytes that were set aside: everywhere."""
    for path in sorted(log.folder.glob("*.*")):
        if path.name == ".lock":
            continue
        content = path.read_bytes()
        for at in range(0, len(content), 9):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            places = [
                (problem.file, problem.line) for problem in verify_audit(log.folder, key=log.key).problems
            ]
            line = 0 if path.suffix == ".bin" else 1 + content[:at].count(b"\n")
            assert (path.name, line) in places, f"byte {at} of {path.name}"
        path.write_bytes(content)


@pytest.mark.parametrize("at", range(9))
def test_a_deleted_entry_is_missed_where_it_stood(log, at):
    """At the entry after it; at the end, by the anchor."""
    lines = lines_of(log)
    path = lines[at][0]
    write([(p, b"" if number == at else line) for number, (p, line) in enumerate(lines)])
    places = [(problem.file, problem.what) for problem in verify_audit(log.folder, key=log.key).problems]
    after = lines[at + 1][0].name if at < 8 else "head.json"
    assert any(file == after and ("missing" in what or "cut off" in what) for file, what in places)
    assert path.exists()


@pytest.mark.parametrize("at", range(1, 9))
def test_an_entry_that_was_inserted_or_moved_is_found(log, at):
    """A copy of an old entry proves nothing."""
    lines = lines_of(log)
    write([*lines[:at], (lines[at][0], lines[0][1]), *lines[at:]])
    assert any(
        "inserted or moved" in problem.what for problem in verify_audit(log.folder, key=log.key).problems
    )
    swapped = [line for _, line in lines]
    swapped[at - 1], swapped[at] = swapped[at], swapped[at - 1]
    write([(path, line) for (path, _), line in zip(lines, swapped, strict=True)])
    assert not verify_audit(log.folder, key=log.key).is_intact


def test_a_missing_file_is_found(log):
    """The chain tells which entries were in it."""
    sorted(log.folder.glob("audit-*"))[1].unlink()
    assert "entries are missing" in verify_audit(log.folder, key=log.key).problems[0].what


@pytest.mark.parametrize("way", ["removed", "emptied", "renamed"])
def test_a_last_file_that_is_gone_is_missed_by_the_anchor(log, way):
    """It ends at an entry, so that the chain alone holds."""
    last = max(log.folder.glob("audit-*"))
    if way == "renamed":
        last.rename(log.folder / f"{last.name}.old")
    elif way == "emptied":
        last.write_bytes(b"")
    else:
        last.unlink()
    assert "its end was cut off" in verify_audit(log.folder, key=log.key).problems[0].what


def test_an_empty_file_that_no_writer_made_is_found(log):
    """The next entries would go into it, behind a name that is not theirs."""
    (log.folder / "audit-000000000099.jsonl").touch()
    assert "is empty" in verify_audit(log.folder, key=log.key).problems[0].what


@pytest.mark.parametrize("kept", [4, 8])
def test_a_log_that_was_written_anew_is_told_by_the_key_or_by_a_head_that_was_kept(log, kept):
    """Who writes the whole folder, anchor included, still has neither."""
    lines = lines_of(log)
    entries = [orjson.loads(line) for _, line in lines]
    head = (entries[kept]["seq"], entries[kept]["hash"])
    entries[2]["details"] = {"number": "another"}
    forged = rewritten(entries, None)
    write([(path, entry.line()) for (path, _), entry in zip(lines, forged, strict=True)])
    write_anchor(log.folder, 9, forged[-1].hash, None)
    if log.key:
        assert not verify_audit(log.folder, key=log.key).is_intact
    else:
        assert verify_audit(log.folder).is_intact
    assert any(
        "written anew" in problem.what
        for problem in verify_audit(log.folder, key=log.key, anchor=head).problems
    )


def test_an_end_that_was_cut_off_together_with_the_anchor_is_missed_by_a_head_that_was_kept(log, tmp_path):
    """An older copy of the whole folder is intact in itself, and a key does not change that."""
    shutil.copytree(log.folder, tmp_path / "older")
    head = log.append("gate_overridden", {})
    shutil.rmtree(log.folder)
    shutil.copytree(tmp_path / "older", log.folder)
    assert verify_audit(log.folder, key=log.key).is_intact
    problems = verify_audit(log.folder, key=log.key, anchor=(head.seq, head.hash)).problems
    assert "entry 10 is missing" in problems[0].what


def test_hashes_with_a_key_cannot_be_checked_without_it(tmp_path):
    """That is no verdict, and must not look like one."""
    log = AuditLog(tmp_path, KEY)
    log.append("endpoint_call", {})
    with pytest.raises(AuditError, match="LLMOPS_AUDIT_KEY"):
        verify_audit(tmp_path)
    with pytest.raises(AuditError):
        AuditLog(tmp_path).append("endpoint_call", {})


def test_a_folder_without_a_log_is_an_error(tmp_path):
    """Nothing to check is not the same as nothing wrong."""
    with pytest.raises(AuditError, match="no audit log there"):
        verify_audit(tmp_path)
