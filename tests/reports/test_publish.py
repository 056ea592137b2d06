"""Publishing: what a reader finds is the old report or the new one, whatever happens in between."""

import json
import subprocess
import sys

import pytest

from llmops_lib.errors import ReportError
from llmops_lib.reports.publish import _swap, folder_name, publish, replace_file, run_folder


def test_a_report_replaces_the_one_before_as_a_whole(tmp_path):
    """Files of two runs must never lie side by side."""
    place = tmp_path / "weekly" / "2026-W46"
    with run_folder(place.parent) as run:
        publish(run, place, {"report.html": "old", "old.txt": "old"})
    with run_folder(place.parent) as run:
        publish(run, place, {"report.html": "new"})
    assert {path.name: path.read_text() for path in place.iterdir()} == {"report.html": "new"}
    assert [path.name for path in place.parent.iterdir() if path.name != ".lock"] == ["2026-W46"]


def test_a_run_that_fails_leaves_the_old_report_and_no_folder(tmp_path):
    """An exception may come at any point before the swap."""
    place = tmp_path / "weekly" / "2026-W46"
    with run_folder(place.parent) as run:
        publish(run, place, {"report.html": "old"})
    with pytest.raises(ZeroDivisionError), run_folder(place.parent):
        1 / 0  # noqa: B018 - the error is the point
    assert (place / "report.html").read_text() == "old"
    assert not list(place.parent.glob(".run-*"))


def test_a_swap_that_fails_halfway_puts_the_old_report_back(tmp_path):
    """The new folder is gone when it is to be renamed; the old one was already moved aside."""
    place, aside = tmp_path / "2026-W46", tmp_path / "aside"
    place.mkdir()
    (place / "report.html").write_text("old")
    with pytest.raises(FileNotFoundError):
        _swap(tmp_path / "gone", place, aside)
    assert (place / "report.html").read_text() == "old"
    assert not aside.exists()


def test_a_file_that_cannot_be_written_leaves_the_old_report(tmp_path):
    """A full disk is found before anything is moved."""
    place = tmp_path / "weekly" / "2026-W46"
    with run_folder(place.parent) as run:
        publish(run, place, {"report.html": "old"})
    with run_folder(place.parent) as run, pytest.raises(ReportError, match="cannot be written"):
        publish(run, place, {"missing/report.html": "new"})
    assert (place / "report.html").read_text() == "old"


KILLED = """
import os, pathlib, sys
from llmops_lib.reports.publish import publish, run_folder
place = pathlib.Path(sys.argv[1])
with run_folder(place.parent) as run:
    aside = run / "aside" / place.name
    aside.parent.mkdir()
    place.rename(aside)
    os.kill(os.getpid(), 9)
"""


def test_a_report_moved_aside_by_a_killed_run_comes_back(tmp_path):
    """Between the two renames nothing is in place; the next run, of any period, repairs that."""
    place = tmp_path / "weekly" / "2026-W46"
    with run_folder(place.parent) as run:
        publish(run, place, {"report.html": "old"})
    done = subprocess.run([sys.executable, "-c", KILLED, str(place)], check=False)
    assert done.returncode == -9
    assert not place.exists()
    with run_folder(place.parent):
        assert (place / "report.html").read_text() == "old"
        assert len(list(place.parent.glob(".run-*"))) == 1


def test_the_folder_of_a_live_run_is_left_alone(tmp_path):
    """Two people may make two reports at once."""
    with run_folder(tmp_path) as first, run_folder(tmp_path) as second:
        assert first.is_dir()
        assert second.is_dir()
        assert first != second


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    """A clear line instead of a traceback; the command exits with 2."""
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(ReportError, match=rf"{tmp_path}/file.*cannot be written"),
        run_folder(tmp_path / "file" / "a"),
    ):
        pass
    with pytest.raises(ReportError, match="cannot be written"):
        replace_file(tmp_path / "file" / "index.html", "x")


def test_a_replaced_file_leaves_nothing_beside_it(tmp_path):
    """The temporary name is for the time of writing only."""
    replace_file(tmp_path / "index.html", "old")
    replace_file(tmp_path / "index.html", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text() == "new"


@pytest.mark.parametrize("name", ["2026-W46", "2026-11", "2026-11-09..2026-11-12", "weekly", "a.b_c"])
def test_periods_and_names_are_folders(name):
    """Every name that `Period` makes is a folder of that name."""
    assert folder_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc",
        "a/b",
        "a\\b",
        ".hidden",
        "a b",
        "a\n",
        "failed",
        "CON",
        "con.txt",
        "a.",
        "ﬁle",
        "x" * 65,
        "a\0",
    ],
)
def test_other_names_are_refused(name):
    """A name must not mean another place, on any system."""
    with pytest.raises(ReportError, match="cannot name the folder"):
        folder_name(name)


def test_no_name_of_the_corpus_leads_outside(shared, tmp_path):
    """Traversal names that were collected from real attacks."""
    lines = (shared / "corpora" / "path_names.jsonl").read_text("utf-8").splitlines()
    for name in (json.loads(line).get("name") or json.loads(line).get("text") or "" for line in lines):
        try:
            place = tmp_path / folder_name(name)
        except ReportError:
            continue
        assert place.parent == tmp_path
        assert place.resolve().is_relative_to(tmp_path)
