"""The index page of a folder of reports, made from the manifests found in it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from llmops_lib.errors import PeriodError
from llmops_lib.periods import Period
from llmops_lib.reports.gate import check_page
from llmops_lib.reports.page import index_page
from llmops_lib.reports.publish import publishing, replace_file

MANIFEST = "manifest.json"
PAGE = "report.html"


def write_index(output: Path) -> Path:
    """The index page of all reports in a folder, newest period first.

    Args:
        output: Folder of reports, `<output>/<report>/<period>/manifest.json`.

    Returns:
        Path of the written `index.html`.

    Raises:
        ReportError: If it cannot be written.
    """
    # Two runs that end together must not each write an index without the other's report.
    with publishing(output):
        entries, unreadable = _entries(output)
        html = index_page(entries, unreadable)
        check_page(html, links={entry["link"] for entry in entries})
        replace_file(output / "index.html", html)
    return output / "index.html"


def _entries(output: Path) -> tuple[list[dict[str, Any]], list[str]]:
    entries: list[dict[str, Any]] = []
    unreadable: list[str] = []
    for manifest in sorted(output.glob(f"[!.]*/[!.]*/{MANIFEST}")):
        folder = manifest.parent.relative_to(output).as_posix()
        try:
            entries.append(_entry(json.loads(manifest.read_text("utf-8")), folder))
        except (OSError, ValueError, KeyError, TypeError):
            unreadable.append(folder)
    entries.sort(key=lambda entry: entry["title"])
    entries.sort(key=lambda entry: _first_day(entry["period"]), reverse=True)
    return entries, unreadable


def _entry(manifest: dict[str, Any], folder: str) -> dict[str, Any]:
    return {
        "link": f"{folder}/{PAGE}",
        "title": str(manifest["title"]),
        "period": str(manifest["period"]),
        "rows_read": int(manifest["data"]["rows_read"]),
        "quarantined_count": int(manifest["data"]["quarantined_count"]),
        "is_synthetic": bool(manifest["is_synthetic"]),
    }


def _first_day(period: str) -> date:
    for read in (Period.week, Period.month):
        try:
            return read(period).first_on
        except PeriodError:
            continue
    try:
        return date.fromisoformat(period[:10])
    except ValueError:
        return date.min
