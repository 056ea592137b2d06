"""A rerun as files: scores of both versions, what was skipped, and what it was made of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from llmops_lib.errors import SuiteError
from llmops_lib.registry.names import checked_run_id
from llmops_lib.reruns.plan import SKIPPED_SCHEMA
from llmops_lib.reruns.run import Rerun
from llmops_lib.schema import SCORES, validate
from llmops_lib.secrets.written import hide_secrets_of
from llmops_lib.whole_files import write_whole

FACTS_FILE = "rerun.json"
_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS


def write_rerun(rerun: Rerun, folder: Path, *, source: Mapping[str, Any] | None = None) -> Path:
    """Writes a rerun and returns its folder: `old.parquet`, `new.parquet`, `skipped.parquet`, `rerun.json`.

    Keys and passwords in texts are hidden; other text of users is not, so keep it where the traces are kept.

    Args:
        rerun: The rerun.
        folder: Folder of reruns; one folder per run is made in it.
        source: Facts of the export that calls were drawn from, as `TraceSource.facts` gives them.

    Raises:
        SuiteError: If it cannot be written, or its `run_id` cannot name a folder.
    """
    own = folder / checked_run_id(rerun.run_id, SuiteError)
    facts = orjson.dumps({**rerun.facts, "source": dict(source or {})}, option=_PRETTY)
    try:
        own.mkdir(parents=True, exist_ok=True)
        for name in ("old", "new", "skipped"):
            write_whole(own / f"{name}.parquet", hide_secrets_of(getattr(rerun, name)).write_parquet)
        write_whole(own / FACTS_FILE, lambda beside: beside.write_bytes(facts))
    except (OSError, pl.exceptions.PolarsError) as error:
        msg = f"{own}: the rerun cannot be written ({error}); make room or give another folder"
        raise SuiteError(msg) from error
    return own


def load_rerun(folder: str | Path) -> Rerun:
    """A rerun from its files.

    Args:
        folder: As `write_rerun` returns it.

    Raises:
        SuiteError: If the folder holds no rerun, or a file of it is damaged.
    """
    own = Path(folder)
    try:
        facts = orjson.loads((own / FACTS_FILE).read_bytes())
        old, new, skipped = (pl.read_parquet(own / f"{name}.parquet") for name in ("old", "new", "skipped"))
        shown = skipped.select(SKIPPED_SCHEMA.names())
        return Rerun(str(facts["run_id"]), validate(old, SCORES), validate(new, SCORES), shown, facts)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        msg = (
            f"{own}: holds no whole rerun ({type(error).__name__}: {error}); expected {FACTS_FILE}, "
            "old.parquet, new.parquet and skipped.parquet, as `llmops rerun` writes them"
        )
        raise SuiteError(msg) from error
