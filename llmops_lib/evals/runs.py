"""One eval run from where it lies: a file of any known format, or a folder that `llmops eval run` wrote."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmops_lib.sources.results.load import Results, read_results

_RUN_FILE = "scores.parquet"


def open_run(path: str | Path, *, columns: Mapping[str, Any] | str | Path | None = None) -> Results:
    """The scores of a run, with what became of each record of its files.

    Args:
        path: A file or folder as `load_scores` takes it. Of a folder that holds `scores.parquet`, only that
            file is read: the same scores lie beside it as JSON Lines.
        columns: Column mapping of plain tables, as `load_scores` takes it.

    Raises:
        SourceError: As `load_scores` does.
    """
    own = Path(path) / _RUN_FILE
    return read_results(own if own.is_file() else path, columns=columns)


def run_facts(results: Results) -> dict[str, Any]:
    """What a report states of the files of a run: `files`, `fingerprint`.

    Args:
        results: As `open_run` gives them.
    """
    files = [
        {
            "name": one.source_file.replace("\\", "/").rpartition("/")[2],
            "sha256": one.sha256,
            "rows_read": one.rows_read,
            "span_count": one.scored_count,
            "quarantined_count": one.quarantined_count,
        }
        for one in results.files
    ]
    return {"files": files, "fingerprint": "+".join(sorted(str(file["sha256"])[:16] for file in files))}


def run_name(run_id: str) -> str:
    """The name of a run as a report can be filed under it: letters, digits, `.`, `_` and `-`.

    Example:
        >>> run_name("eval-abc 2026-11-02T10:00:00")
        'eval-abc-2026-11-02T10-00-00'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", run_id).strip(".-_")[:80] or "run"
