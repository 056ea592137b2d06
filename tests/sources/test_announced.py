"""What an export says of its own size."""

import json

import pytest

from llmops_lib.sources.announced import Announced, fetch_note, joined, page_of


@pytest.mark.parametrize(
    ("page", "expected", "has_more"),
    [
        ({"data": [{}], "meta": {"page": 1, "limit": 1, "totalItems": 3, "totalPages": 3}}, 3, True),
        ({"data": [{}], "meta": {"page": 3, "totalItems": 3, "totalPages": 3}}, 3, False),
        ({"data": [{}], "meta": {"cursor": "abc"}}, None, True),
        ({"data": [{}], "next_cursor": None}, None, False),
        ({"data": [{}], "next_cursor": "U3Bhbjox"}, None, True),
        ({"runs": [{}], "cursors": {"next": "abc", "prev": None}}, None, True),
        ({"content": [{}], "page": 1, "size": 1, "total": 8}, 8, None),
        ({"data": [{}], "total": 8, "page": 1, "page_size": 1, "total_pages": 8}, 8, True),
        ({"traces": [{}], "next_page_token": ""}, None, False),
        ({"data": [{}], "has_more": False}, None, False),
    ],
)
def test_pages_of_each_api_are_understood(page, expected, has_more):
    """Each names its total and its next page in its own way."""
    assert page_of(page) == Announced("page", None, expected, 1, has_more)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"id": "x", "data": [], "total": 3},
        {"data": [{}]},
        {"data": {}, "total": 3},
        {"spans": [{}], "trace": {}},
        {"data": [{}], "total": "many"},
        {"data": [{}], "total": -1},
        {"data": [{}], "total": True},
    ],
)
def test_what_is_no_page_announces_nothing(value):
    """A row that happens to have such a key, or a number that is none."""
    assert page_of(value) is None


def test_pages_in_one_file_are_one_pull():
    """A total may grow from page to page; whether there is more, the last one says."""
    pages = [Announced("page", None, 4, 2, True), Announced("page", None, 5, 3, False)]
    assert joined(pages) == (Announced("page", None, 5, 5, False),)


def test_traces_that_state_their_spans_are_added():
    """MLflow does; a span cut out of one trace is missed in the sum."""
    traces = [Announced("traces", None, 4, 4), Announced("traces", None, 7, 6)]
    assert joined(traces) == (Announced("traces", None, 11, 10),)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ({"rows_expected": 9, "rows_received": 7, "server": "x", "truncated_metadata_count": 2}, (9, 7)),
        ({"rows_expected": None, "rows_received": 7}, (None, 7)),
        ({"rows_expected": "9", "rows_received": -1}, (None, None)),
        ([1, 2], (None, None)),
    ],
)
def test_the_note_of_a_fetch_is_read(tmp_path, note, said):
    """Other keys are the business of whoever wrote it."""
    (tmp_path / "a.jsonl.fetch.json").write_text(json.dumps(note), encoding="utf-8")
    (found,) = fetch_note(tmp_path / "a.jsonl")
    assert (found.expected_count, found.received_count) == said


def test_a_note_that_cannot_be_read_says_nothing_and_one_that_is_absent_is_none(tmp_path):
    """It is a help, and no part of the export."""
    assert fetch_note(tmp_path / "a.jsonl") == ()
    (tmp_path / "a.jsonl.fetch.json").write_bytes(b"\xff{")
    assert fetch_note(tmp_path / "a.jsonl") == (Announced("fetch"),)
