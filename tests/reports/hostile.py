"""Exports whose every text is an attack, from the corpora of payloads."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from llmops_lib.safety import mask_text
from llmops_lib.sources.checks import NAME_LIMIT
from tests.conftest import PROJECT
from tests.payloads import OWN_TEXTS

CORPORA = ("xss_payloads", "csv_formulas", "path_names", "unicode_terminal", "endpoint_urls")
NAMES = (
    *("name", "provider", "tenant", "feature", "user_id", "session_id", "environment", "service", "release"),
    *("prompt_name", "prompt_version", "prompt_hash", "error_type", "error_message", "finish_reason"),
    *("tool_name", "request_id", "input", "output", "system_instructions"),
)
"""Columns of text in SPANS that a row of an export can set to anything."""


MODELS = ("gpt-4o", "gpt-4o-mini")


def payloads(project: Path) -> list[str]:
    """Every payload, our own first; where there are no corpora, our own alone."""
    shared = project.parent / "shared"
    if not shared.is_dir():
        return list(OWN_TEXTS)
    rows = [
        json.loads(line)
        for corpus in CORPORA
        for line in (shared / "corpora" / f"{corpus}.jsonl").read_text("utf-8").split("\n")
        if line
    ]
    return [
        *OWN_TEXTS,
        *(row["text"] if "text" in row else row["repeat"][0] * row["repeat"][1] for row in rows),
    ]


ROUNDS = int(os.environ.get("LLMOPS_HOSTILE_ROUNDS", "1"))
"""In how many rounds all payloads are carried through everything; the one round of every day takes some."""


def round_of(turn: int, *, few: int, first: int = 0) -> list[str]:
    """The payloads of a round: its share of all, or the few of every day, chosen evenly.

    Args:
        turn: Which round.
        few: How many are tried where there is one round.
        first: Where the choice of every day begins, so that it is another one elsewhere.
    """
    every = list(dict.fromkeys(payloads(PROJECT)))
    if ROUNDS > 1:
        return every[turn::ROUNDS]
    return every[first :: max(1, len(every) // few)][:few]


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
        | {
            "started_at": later(row["started_at"]),
            "cache_read_tokens": 0,
            "session_id": f"2 {row['name']}"[:NAME_LIMIT],
        }
        for row in rows
    ]
    rows += [hostile_row(text, start + timedelta(days=28, hours=1), text) for text in texts]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def later(at: str) -> str:
    """A minute after this time."""
    return (datetime.fromisoformat(at) + timedelta(minutes=1)).isoformat()


def hostile_row(text: str, at: datetime, model: str) -> dict[str, Any]:
    """One call, all of whose names and texts are this one; a model of that name has no price and failed.

    Names are cut where readers refuse longer ones, but for that of such a model: its row is refused.
    """
    name = as_name(text)
    return {
        **dict.fromkeys(NAMES, name),
        **dict.fromkeys(("input", "output", "system_instructions", "error_message"), text),
        "provider": "openai" if model in MODELS else name,
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


def as_name(text: str) -> str:
    """A payload as readers give it as a name: cut where they would refuse it, surrogates replaced."""
    return whole([text[:NAME_LIMIT]])[0]


def whole(texts: list[str]) -> list[str]:
    """Payloads as a table can hold them, which has no half characters."""
    return [text.encode(errors="replace").decode() for text in texts]


def shown_in(page: str, texts: list[str]) -> list[str]:
    """The payloads of which a page shows the beginning: masked, on one line, cut where a table cuts."""
    there = " ".join(page.split())
    return [text for text in texts if _beginning(text) and _beginning(text) in there]


def _beginning(text: str) -> str:
    return " ".join(mask_text(text, limit=200)[:39].split()).removesuffix("…")
