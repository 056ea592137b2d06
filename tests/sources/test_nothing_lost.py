"""Whatever a tool adds to its records must be found again in the rows."""

import json

import pytest

from llmops_lib.sources.detect import named_reader
from tests.sources.miniatures import TRACES

KEY, VALUE = "zz_unknown", "kept 7f3a"
REPEATED = {"mlflow_2": (("data", "request"), ("data", "response"))}
"""What a record says a second time: the root span of a trace holds its request and its answer."""
ALIKE = 24
"""So many records of one shape are read as columns, where a format has such a way."""


def _levels(value, path=()):
    """The way to every object in a record, also to those in JSON text."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        yield from _levels(json.loads(value), (*path, str))
    elif isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from _levels(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _levels(inner, (*path, number))


def _planted(value, path, word):
    """A record with one key more in the object to which a path leads."""
    if not path:
        return {**value, KEY: word}
    step, *rest = path
    if step is str:
        return json.dumps(_planted(json.loads(value), rest, word))
    changed = value.copy()
    changed[step] = _planted(value[step], rest, word)
    return changed


def _rows(path, name, records):
    path.write_text("\n".join(map(json.dumps, records)))
    rows = named_reader(TRACES[name][0]).read(path)
    assert rows.quarantine.is_empty()
    return rows.spans.sort("source_line")


@pytest.mark.parametrize("name", TRACES)
def test_a_key_that_nobody_knows_is_kept_at_every_level(tmp_path, name):
    """Tools add fields with every release, and a report may need them before this library knows them."""
    levels = [path for path in _levels(TRACES[name][1]()) if path[:2] not in REPEATED.get(name, ())]
    records = [TRACES[name][1](number) for number in range(1, ALIKE + 1)]
    for level in levels:
        alone = _rows(tmp_path / "lines.jsonl", name, [_planted(records[0], level, VALUE), records[1]])
        row = alone.row(0, named=True)
        assert VALUE in "".join(row[column] or "" for column in ("attributes", "input", "output")), level
        many = _rows(tmp_path / "lines.jsonl", name, [_planted(record, level, VALUE) for record in records])
        assert many.row(0, named=True) == row, level
        assert many.height == ALIKE
