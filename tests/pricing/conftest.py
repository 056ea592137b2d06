"""Tables of model calls for the pricing tests."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest

from llmops_lib.schema import SPANS

CALL = {
    "trace_id": "t1",
    "operation": "chat",
    "is_model_call": True,
    "started_at": datetime(2026, 11, 9, 12, 0, tzinfo=UTC),
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": None,
    "input_tokens": 1_000,
    "output_tokens": 100,
    "is_error": False,
    "source_format": "otlp",
    "source_file": "a.jsonl",
}


@pytest.fixture(scope="session")
def calls() -> Callable[..., pl.DataFrame]:
    """Builds SPANS: one row per dict, which holds what differs from a plain gpt-4o call."""

    def build(*rows: dict) -> pl.DataFrame:
        filled = []
        for number, row in enumerate(rows):
            attributes = row.get("attributes")
            text = attributes if attributes is None or isinstance(attributes, str) else json.dumps(attributes)
            filled.append(CALL | {"span_id": f"s{number}"} | row | {"attributes": text})
        return pl.DataFrame(filled, schema=SPANS.polars_schema)

    return build
