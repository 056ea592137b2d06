"""Recorded calls of a small prompt, as the readers give them, and a client of the bundled answerer."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from llmops_lib.endpoints.client import EndpointClient
from llmops_lib.endpoints.settings import Endpoint, EndpointSettings
from llmops_lib.schema import SPANS
from tests.registry.conftest import commit, prompts, write

__all__ = ["client", "commit", "prompts", "recorded", "write"]

PROMPT = """---
model: gpt-4o-mini
owner: support
version: "1"
parameters: {temperature: 0, max_tokens: 60}
input_schema:
  type: object
  required: [question]
  properties: {question: {type: string}}
---
<!-- system -->
Answer briefly.
Passages:
{"id": "a", "text": "We open at nine. We sell tea."}

<!-- user -->
Question:
{{ question }}
"""
LATER = PROMPT.replace("We sell tea.", "We sell tea and green coffee.")


def message(role, text):
    """One message in the shape of OpenTelemetry."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


@pytest.fixture
def recorded():
    """Builds SPANS of calls that a prompt made: one per dict of inputs, with what differs from the usual."""

    def build(prompt, inputs, **changes):
        rows = []
        for number, one in enumerate(inputs):
            sent = prompt.render(**one)
            row = {
                "trace_id": f"{number + 1:032x}",
                "span_id": f"{number + 1:016x}",
                "name": "chat",
                "operation": "chat",
                "is_model_call": True,
                "started_at": datetime(2026, 11, 9, 12, number % 60, tzinfo=UTC),
                "is_error": False,
                "user_id": f"user-{number}",
                "feature": "faq",
                "model": "gpt-4o-mini",
                "prompt_name": prompt.name,
                "prompt_hash": prompt.prompt_hash,
                "system_instructions": json.dumps(
                    [{"type": "text", "content": m["content"]} for m in sent if m["role"] == "system"]
                ),
                "input": json.dumps(
                    [message(m["role"], m["content"]) for m in sent if m["role"] != "system"]
                ),
                "attributes": "{}",
                "source_format": "otlp_json",
                "source_file": "calls.jsonl",
                "source_line": number + 1,
            }
            rows.append(dict.fromkeys(SPANS.names) | row | changes)
        return pl.DataFrame(rows, schema=SPANS.polars_schema)

    return build


@pytest.fixture
def client(answerer):
    """Makes clients of the bundled answerer."""

    def make(**settings):
        endpoint = Endpoint.from_environment({"OPENAI_BASE_URL": answerer.url, "LLMOPS_ALLOW_LOCAL": "1"})
        return EndpointClient(endpoint, EndpointSettings(first_wait_seconds=0.01, **settings))

    return make
