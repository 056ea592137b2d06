"""A demonstration read back without the project's own readers."""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from llmops_lib.demo import DemoFacts, write_demo

TEXTS = {
    "operation": "gen_ai.operation.name",
    "provider": "gen_ai.provider.name",
    "model": "gen_ai.request.model",
    "error_type": "error.type",
    "tenant": "tenant.id",
    "feature": "app.feature",
    "user_id": "user.id",
    "session_id": "session.id",
    "prompt_version": "gen_ai.prompt.version",
    "request_id": "gen_ai.response.id",
    "asked": "gen_ai.input.messages",
    "said": "gen_ai.output.messages",
}
COUNTS = {
    "http_status": "http.response.status_code",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}


@dataclass(frozen=True)
class ReadBack:
    """What was written, what the writer says about it, and what plain JSON reading finds."""

    path: Path
    facts: DemoFacts
    spans: pl.DataFrame
    bad_lines: list[bytes]

    @property
    def calls(self) -> pl.DataFrame:
        """The model calls with the tenant and feature of their root."""
        roots = self.spans.filter(parent_span_id="").select("trace_id", "tenant", "feature", "user_id")
        calls = self.spans.filter(pl.col("operation").is_in(["chat", "embeddings"]))
        return calls.drop("tenant", "feature", "user_id").join(roots, on="trace_id")

    def event(self, name):
        """The planted event of that name."""
        return next(event for event in self.facts.events if event.name == name)


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> ReadBack:
    """The demonstration with its defaults."""
    path = tmp_path_factory.mktemp("demo") / "demo.jsonl"
    facts = write_demo(path)
    rows, bad_lines = [], []
    for number, line in enumerate(path.read_bytes().splitlines()):
        try:
            found = list(_rows(json.loads(line), number))
        except (ValueError, TypeError, KeyError):
            bad_lines.append(line)
            continue
        rows += found
        bad_lines += [line] if not found else []
    spans = pl.DataFrame(rows, infer_schema_length=None)
    latency_ms = (pl.col("ended_ns") - pl.col("started_ns")) / 1e6
    started_at = pl.from_epoch(pl.col("started_ns") // 1_000, time_unit="us").dt.replace_time_zone("UTC")
    return ReadBack(path, facts, spans.with_columns(latency_ms=latency_ms, started_at=started_at), bad_lines)


def _rows(request, number):
    for resource_spans in request["resourceSpans"]:
        resource = _values(resource_spans["resource"]["attributes"])
        for span in resource_spans["scopeSpans"][0]["spans"]:
            attributes = _values(span["attributes"])
            counts = {column: attributes.get(name) for column, name in COUNTS.items()}
            is_usable = span["spanId"] and span["startTimeUnixNano"] != "0" and counts["input_tokens"] != "-1"
            if is_usable:
                yield {
                    "line": number,
                    "trace_id": span["traceId"],
                    "span_id": span["spanId"],
                    "parent_span_id": span["parentSpanId"],
                    "name": span["name"],
                    "started_ns": int(span["startTimeUnixNano"]),
                    "ended_ns": int(span["endTimeUnixNano"]),
                    "is_error": span["status"].get("code") == 2,
                    "event_count": len(span.get("events", [])),
                    "first_token_s": attributes.get("gen_ai.response.time_to_first_chunk"),
                    "is_synthetic": resource.get("llmops.synthetic"),
                    "service": resource["service.name"],
                    "environment": resource["deployment.environment.name"],
                    "release": resource["service.version"],
                    **{column: attributes.get(name) for column, name in TEXTS.items()},
                    **{column: None if value is None else int(value) for column, value in counts.items()},
                }


def _values(attributes):
    return {attribute["key"]: next(iter(attribute["value"].values())) for attribute in attributes}
