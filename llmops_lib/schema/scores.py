"""SCORES: one row per eval run, example, trial and scorer."""

import polars as pl

from llmops_lib.schema.tables import UTC_DATETIME, Column, Table

SCORES = Table(
    name="scores",
    grain="one row per eval run, example, trial and scorer",
    key=("run_id", "example_id", "trial", "scorer"),
    columns=(
        Column("run_id", pl.String, "Eval run.", is_nullable=False),
        Column("suite", pl.String, "Suite that was run."),
        Column("suite_hash", pl.String, "Content hash of the locked suite."),
        Column("example_id", pl.String, "Example of the suite.", is_nullable=False),
        Column("trial", pl.Int64, "Repetition of the example, counted from 1.", is_nullable=False),
        Column("scorer", pl.String, "Scorer or metric.", is_nullable=False),
        Column("score", pl.Float64, "Score in the scorer's own scale."),
        Column("passed", pl.Boolean, "Whether the scorer passed the answer."),
        Column("label", pl.String, "Categorical verdict."),
        Column("explanation", pl.String, "Reason that the scorer gave."),
        Column("model", pl.String, "Model under test."),
        Column("provider", pl.String, "Provider of the model under test."),
        Column("prompt_name", pl.String, "Prompt under test."),
        Column("prompt_version", pl.String, "Version of the prompt under test."),
        Column("prompt_hash", pl.String, "Content hash of the prompt under test."),
        Column("started_at", UTC_DATETIME, "Start of the call under test, or else of the run.", "UTC"),
        Column("latency_ms", pl.Float64, "Latency of the call under test.", "ms"),
        Column("input_tokens", pl.Int64, "Tokens sent, cache included.", "tokens"),
        Column("output_tokens", pl.Int64, "Tokens generated, reasoning included.", "tokens"),
        Column("cost_usd", pl.Float64, "Cost of the call under test.", "USD"),
        Column("error", pl.String, "Why the example could not be run or scored."),
        Column("input", pl.String, "Input, JSON."),
        Column("output", pl.String, "Answer, JSON."),
        Column("expected", pl.String, "Expected answer, JSON."),
        Column("trace_id", pl.String, "Trace of the call under test."),
        Column("metadata", pl.String, "Everything that no other column holds, JSON object."),
        Column("source_format", pl.String, "Format that the row was read from.", is_nullable=False),
        Column("source_file", pl.String, "File that the row was read from.", is_nullable=False),
        Column("source_line", pl.Int64, "Line, or row of a table, counted from 1."),
    ),
)
