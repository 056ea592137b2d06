"""How complete an export or a store is, with what proves it."""

import polars as pl

from llmops_lib.sources.file_rows import Columns
from llmops_lib.sources.load import Paths
from llmops_lib.store.scan import open_source


def completeness(
    source: Paths, *, timezone: str | None = None, columns: Columns | None = None
) -> pl.DataFrame:
    """What proves, or puts in doubt, that exports or a store hold everything that there was.

    A sign of loss proves nothing alone: a file of exactly 1,000 rows may be whole. And where no source
    says how many rows there are, no check can prove that none is missing.

    Args:
        source: Directory of a store; or exports, as `load_traces` takes them.
        timezone: As `load_traces` takes it; of no use for a store.
        columns: As `load_traces` takes them; of no use for a store.

    Returns:
        COMPLETENESS: one row per check and file, or per check where it is about all of them: `source_file`
        (null for the whole), `check`, `status` (`proved`, `suspect`, `broken`, `unknown`), `count`,
        `expected_count`, `received_count`, `detail`; in the order of the checks, then of the files.

    Raises:
        SourceError: As `load_traces` does.
        StoreError: If the store cannot be read.

    Example:
        >>> from llmops_lib.demo import sample_export
        >>> completeness(sample_export()).filter(check="orphan_spans").select("status", "count").rows()
        [('proved', 0)]
    """
    return open_source(source, timezone=timezone, columns=columns).completeness()
