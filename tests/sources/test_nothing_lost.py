"""Whatever a tool adds to its records must be found again in the rows."""

import copy
import json

import pytest

from llmops_lib.sources.detect import named_reader
from tests.sources.miniatures import TRACES

NEW = {"zz_unknown": "kept 7f3a"}
# What OpenTelemetry's readers must ignore: the envelope of a span, and the wrapping of a value.
ENVELOPES = {
    "otlp": ("resourceSpans", "resource", "scopeSpans", "status", "value"),
    "console": ("context", "status", "resource"),
    "phoenix": ("context",),
    "phoenix_otlp": ("status", "value"),
    "mlflow": ("data", "status"),
    "mlflow_2": ("data", "context"),
}
ALONE = {"otlp": (), "mlflow": (), "mlflow_2": ()}
"""Formats whose records are envelopes of spans themselves."""
MESSAGES = ("messages", "choices", "message", "output", "prompt_token_details")
"""Messages are brought to one shape, and details of usage to columns."""


def _objects(value, path=()):
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from _objects(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _objects(inner, (*path, number))


def _is_envelope(name, path):
    words = [part for part in path if isinstance(part, str)]
    last = words[-1] if words else None
    in_pair = last == "attributes" and isinstance(path[-1], int)
    return in_pair or last in ENVELOPES.get(name, ()) or (not path and name in ALONE)


def _levels(name):
    paths = _objects(TRACES[name][1]())
    return [path for path in paths if not _is_envelope(name, path) and not _is_of_messages(path)]


def _is_of_messages(path):
    return not set(path).isdisjoint(MESSAGES) or path[:2] == ("input", 0)


@pytest.mark.parametrize("name", TRACES)
def test_a_key_that_nobody_knows_is_kept_at_every_level(tmp_path, name):
    """Tools add fields with every release, and a report may need them before this library knows them."""
    levels = _levels(name)
    assert levels
    path = tmp_path / "lines.jsonl"
    for level in levels:
        record = copy.deepcopy(TRACES[name][1]())
        holder = record
        for part in level:
            holder = holder[part]
        holder |= NEW
        path.write_text(json.dumps(record) + "\n" + json.dumps(TRACES[name][1](2)))
        row = named_reader(TRACES[name][0]).read(path).spans.filter(source_line=1).row(0, named=True)
        assert "kept 7f3a" in row["attributes"] + row["input"], level
