"""Rows that are sent more than once, merged by their id."""

import pytest

from llmops_lib.sources.records import Record
from llmops_lib.sources.rows import RowCollector
from llmops_lib.sources.updates import merged_updates


def _merge(*values, version="", is_update=bool):
    collector = RowCollector("test", "rows.jsonl")
    records = [Record(value, number) for number, value in enumerate(values, start=1)]
    merged = merged_updates(records, collector, key="id", version=version, is_update=is_update)
    return [record.value for record in merged], collector.finish().quarantine["reason"].to_list()


def test_an_update_adds_key_by_key():
    """What is not in the update stays."""
    merged, reasons = _merge({"id": "a", "m": {"start": 1}, "x": 5}, {"id": "a", "m": {"end": 2}, "x": None})
    assert merged == [{"id": "a", "m": {"start": 1, "end": 2}, "x": 5}]
    assert reasons == ["merged: into the row at line 1"]


def test_another_version_replaces():
    """An export may hold several versions of a row."""
    merged, reasons = _merge({"id": "a", "x": 5}, {"id": "a", "y": 6}, is_update=lambda _: False)
    assert merged == [{"id": "a", "y": 6}]
    assert reasons == ["duplicate"]


@pytest.mark.parametrize(("first", "second"), [("999", "1000"), ("2026-01-01", "2026-01-02")])
def test_the_version_tells_which_is_later(first, second):
    """Lines of a file may be in any order; a number of more digits is the larger."""
    merged, _ = _merge({"id": "a", "v": second, "x": 6}, {"id": "a", "v": first, "x": 5}, version="v")
    assert merged == [{"id": "a", "v": second, "x": 6}]


@pytest.mark.parametrize("name", [None, "", 7, ["a"]])
def test_rows_without_an_id_stand_alone(name):
    """What has no identity cannot be the same."""
    merged, reasons = _merge({"id": name}, {"id": name})
    assert (len(merged), reasons) == (2, [])


def test_no_row_is_lost():
    """Rows read are objects and quarantined rows."""
    values = [{"id": name, "x": number} for number, name in enumerate("abacab")]
    merged, reasons = _merge(*values)
    assert len(merged) + len(reasons) == len(values)
    assert [value["x"] for value in merged] == [4, 5, 3]
