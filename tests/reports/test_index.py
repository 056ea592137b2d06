"""The index: every report of a folder, newest period first."""

import json
import re

from llmops_lib.reports import write_index


def add(output, report: str, period: str, **changed) -> None:
    """Puts a manifest where a report would have left it."""
    folder = output / report / period
    folder.mkdir(parents=True)
    manifest = {
        "title": report.title(),
        "period": period,
        "is_synthetic": False,
        "data": {"rows_read": 12, "quarantined_count": 3},
    }
    (folder / "manifest.json").write_text(json.dumps({**manifest, **changed}), "utf-8")


def test_periods_of_all_kinds_are_listed_newest_first(tmp_path):
    """Weeks, months and ranges of days are ordered by their first day, not by their spelling."""
    for period in ("2026-W45", "2026-11", "2026-W46", "2026-11-10..2026-11-12", "2026-W09", "launch"):
        add(tmp_path, "weekly", period)
    add(tmp_path, "errors", "2026-W46")
    links = re.findall(r'href="([^"]+)/report.html"', write_index(tmp_path).read_text("utf-8"))
    assert links == [
        "weekly/2026-11-10..2026-11-12",
        "errors/2026-W46",
        "weekly/2026-W46",
        "weekly/2026-W45",
        "weekly/2026-11",
        "weekly/2026-W09",
        "weekly/launch",
    ]


def test_a_manifest_that_cannot_be_read_is_said(tmp_path):
    """A report that vanishes from the list in silence would be taken for one that was not made."""
    add(tmp_path, "weekly", "2026-W46", data=None)
    (tmp_path / "weekly" / "2026-W45").mkdir()
    (tmp_path / "weekly" / "2026-W45" / "manifest.json").write_text("{", "utf-8")
    html = write_index(tmp_path).read_text("utf-8")
    assert "weekly/2026-W45 holds no manifest" in html
    assert "weekly/2026-W46 holds no manifest" in html


def test_unfinished_runs_are_not_listed(tmp_path):
    """Folders that begin with a dot are not reports."""
    add(tmp_path, "weekly", ".run-17-abc")
    assert "No report was made yet." in write_index(tmp_path).read_text("utf-8")
