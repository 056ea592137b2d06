"""PROMPT_VERSIONS and TOOL_VERSIONS: what the git history says of prompts and tools."""

import polars as pl

from llmops_lib.schema.tables import UTC_DATETIME, Column, Table

PROMPT_VERSIONS = Table(
    name="prompt versions",
    grain="one row per prompt and commit that changed what it sends",
    key=("prompt_name", "commit"),
    columns=(
        Column("prompt_name", pl.String, "Prompt.", is_nullable=False),
        Column("prompt_version", pl.String, "Label that its owner gave it."),
        Column("prompt_hash", pl.String, "Content hash; null where the file could not be read."),
        Column("tool_schema_hash", pl.String, "Hash of the definitions of its tools; null without tools."),
        Column(
            "tool_hashes", pl.String, "Hash of each of its tools by name, JSON object; null without tools."
        ),
        Column("declared_model", pl.String, "Model that it is written for."),
        Column("owner", pl.String, "Who answers for it."),
        Column("commit", pl.String, "Commit; null for changes that are not committed."),
        Column("committed_at", UTC_DATETIME, "Time of the commit.", "UTC"),
        Column("author", pl.String, "Author of the commit."),
        Column("subject", pl.String, "First line of the commit message."),
        Column("error", pl.String, "Why the file of that commit could not be read; null where it could."),
    ),
)

TOOL_VERSIONS = Table(
    name="tool versions",
    grain="one row per tool and commit that changed its definition",
    key=("tool_name", "commit"),
    columns=(
        Column("tool_name", pl.String, "Tool.", is_nullable=False),
        Column(
            "schema_hash", pl.String, "Hash of the definition; null where the commit removed or broke it."
        ),
        Column("parameters", pl.String, "JSON Schema of the arguments; null where it was removed or broken."),
        Column(
            "in_force_at",
            UTC_DATETIME,
            "Since when it holds: the time of the commit, unless you know when it was deployed. Null for a "
            "tool with one version only, which is taken to hold always.",
            "UTC",
        ),
        Column("commit", pl.String, "Commit; null where it is not committed."),
    ),
)
