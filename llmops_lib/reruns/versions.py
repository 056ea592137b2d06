"""Which version of a prompt the calls of production carried."""

from pathlib import Path

import polars as pl

from llmops_lib.errors import PromptError
from llmops_lib.registry.prompts import Prompt, load_prompt
from llmops_lib.registry.versions import prompt_versions


def version_in_force(spans: pl.LazyFrame, name: str, *, folder: str | Path | None = None) -> Prompt:
    """The version of a prompt that the latest calls carried, from the history of its folder.

    Args:
        spans: SPANS; their `prompt_hash`, else their `prompt_version`, says which version it was.
        name: The prompt.
        folder: Folder of prompts; without it, as for `load_prompt`.

    Raises:
        PromptError: If the calls name no version that git knows.
    """
    columns = ("prompt_hash", "prompt_version")
    carrying = spans.filter(pl.col("is_model_call"), pl.col("prompt_name") == name)
    last = carrying.sort("started_at").select(columns).tail(1).collect(engine="streaming")
    known = prompt_versions(name, folder=folder).filter(pl.col("prompt_hash").is_not_null())
    for column in columns:
        carried = last[column].to_list()
        rows = known.filter(pl.col(column).is_in(carried)) if carried and carried[0] else known.clear()
        if not rows.is_empty():
            # What is not committed yet can hardly have been in force.
            commit = next(iter(rows["commit"].drop_nulls()), None)
            return load_prompt(f"{name}@{commit}" if commit else name, folder=folder)
    said = {column: last[column].to_list()[0] for column in columns if last[column].count()}
    msg = (
        f"prompt {name}: the latest calls carry {said or 'no version'}, which its history in git does not "
        "have; name the version that was in force (--against REF)"
    )
    raise PromptError(msg)
