"""Exports whose every text is an attack, from the corpora of payloads."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CORPORA = ("xss_payloads", "csv_formulas", "path_names", "unicode_terminal", "endpoint_urls")
NAMES = (
    *("name", "provider", "tenant", "feature", "user_id", "session_id", "environment", "service", "release"),
    *("prompt_name", "prompt_version", "prompt_hash", "error_type", "error_message", "finish_reason"),
    *("tool_name", "request_id", "input", "output", "system_instructions"),
)
"""Columns of text in SPANS that a row of an export can set to anything."""


MODELS = ("gpt-4o", "gpt-4o-mini")
FEW = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    '=HYPERLINK("http://127.0.0.1:9/?"&A1,"x")',
    "![beacon](http://127.0.0.1:9/beacon.png)",
    "{{ 7*7 }} ${7*7} $$x^2$$",
)
"""Payloads of our own, where there are no corpora."""


def payloads(project: Path) -> list[str]:
    """Every payload, in the order of the corpora."""
    shared = project.parent / "shared"
    if not shared.is_dir():
        return list(FEW) * 10
    rows = [
        json.loads(line)
        for corpus in CORPORA
        for line in (shared / "corpora" / f"{corpus}.jsonl").read_text("utf-8").split("\n")
        if line
    ]
    return [*FEW, *(row["text"] if "text" in row else row["repeat"][0] * row["repeat"][1] for row in rows)]


def write_hostile(path: Path, texts: list[str]) -> Path:
    """An export of two months whose every text is one of these, each in five calls, four of them priced.

    Of the two calls of a month the second, a minute later, might have read from a cache what the first read.
    """
    start = datetime(2026, 10, 5, tzinfo=UTC)
    rows = [
        hostile_row(text, start + timedelta(days=28 * month, minutes=80 * place), MODELS[place % 2])
        for place, text in enumerate(texts)
        for month in range(2)
    ]
    rows += [
        row
        | {"started_at": later(row["started_at"]), "cache_read_tokens": 0, "session_id": f"2 {row['name']}"}
        for row in rows
    ]
    rows += [hostile_row(text, start + timedelta(days=28, hours=1), text) for text in texts]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def later(at: str) -> str:
    """A minute after this time."""
    return (datetime.fromisoformat(at) + timedelta(minutes=1)).isoformat()


def hostile_row(text: str, at: datetime, model: str) -> dict[str, Any]:
    """One call, all of whose names and texts are this one; a model of that name has no price and failed."""
    return {
        **dict.fromkeys(NAMES, text),
        "provider": "openai" if model in MODELS else text,
        "model": model,
        "started_at": at.isoformat(),
        "latency_ms": 100.0 + len(text),
        "input_tokens": 4000 + len(text),
        "output_tokens": 50,
        "cache_read_tokens": 2000,
        "is_error": model not in MODELS,
        "tags": [text],
        text[:200]: text,
    }
