"""Writes `docs/schema.md` from the declared tables: `python -m llmops_lib.schema_page docs/schema.md`."""

import sys
from pathlib import Path

from llmops_lib.schema import (
    BENIGN_REASONS,
    BILLS,
    CHECKS,
    COMPLETENESS,
    OPERATIONS,
    OTHER_CONVENTION,
    PRICED_COLUMNS,
    PRICES,
    PROMPT_VERSIONS,
    QUARANTINE,
    REASONS,
    REGION,
    RETRY_COLUMNS,
    SAMPLE_COLUMNS,
    SCORES,
    SPANS,
    TOOL_VERSIONS,
    Column,
    Table,
)

_INTRODUCTION = """# Tables

Generated from `llmops_lib.schema`; a test fails when this page is out of date.
Null means unknown, zero means zero. Times are UTC. Units stand in the column names.
"""


def schema_page() -> str:
    """The declared tables as a Markdown page."""
    parts = [_INTRODUCTION, _table(SPANS), _priced(), _operations()]
    parts += [_table(SCORES), _table(PRICES), _table(BILLS), _table(QUARANTINE), _reasons()]
    parts += [_table(COMPLETENESS), _checks(), _table(PROMPT_VERSIONS), _table(TOOL_VERSIONS)]
    return "\n".join(parts)


def _table(table: Table) -> str:
    key = f" Key: {', '.join(f'`{name}`' for name in table.key)}." if table.key else ""
    return f"## {table.name.capitalize()}\n\n{table.grain.capitalize()}.{key}\n\n{_rows(table.columns)}"


def _priced() -> str:
    rows = _rows((*PRICED_COLUMNS, OTHER_CONVENTION))
    more = "`price_calls` adds these columns to spans, `price_both_conventions` the last one too."
    retries = f"`with_retries` adds these.\n\n{_rows(RETRY_COLUMNS)}"
    region = f"`with_region` adds this one.\n\n{_rows((REGION,))}"
    drawn = f"`sample_calls` adds these.\n\n{_rows(SAMPLE_COLUMNS)}"
    return f"## Priced spans\n\n{more}\n\n{rows}\n{retries}\n{region}\n{drawn}"


def _rows(columns: tuple[Column, ...]) -> str:
    lines = ["| column | dtype | unit | may be null | meaning | OpenTelemetry name |", "|---" * 6 + "|"]
    for column in columns:
        otel_name = f"`{column.otel_name}`" if column.otel_name else ""
        is_nullable = "yes" if column.is_nullable else "no"
        lines.append(
            f"| `{column.name}` | {column.dtype} | {column.unit or ''} | {is_nullable} "
            f"| {column.meaning} | {otel_name} |"
        )
    return "\n".join(lines) + "\n"


def _operations() -> str:
    return f"Values of `operation`: {', '.join(f'`{name}`' for name in OPERATIONS)}.\n"


def _reasons() -> str:
    lines = ["Reasons for the quarantine:\n", "| reason | meaning | anything lost |", "|---|---|---|"]
    for code, meaning in REASONS.items():
        lines.append(f"| `{code}` | {meaning} | {'no' if code in BENIGN_REASONS else 'yes'} |")
    return "\n".join(lines) + "\n"


def _checks() -> str:
    lines = ["Checks:\n", "| check | what it looks at |", "|---|---|"]
    lines += [f"| `{code}` | {meaning} |" for code, meaning in CHECKS.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema_page(), encoding="utf-8")
