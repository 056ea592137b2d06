import json

import pytest

from llmops_lib.sources import json_stream
from llmops_lib.sources.json_stream import iter_values

OBJECTS = [{"a": {"text": 'x}{"y\\'}}, {"b": [1, {"c": []}]}, {"d": None}]


def _found(tmp_path, text):
    path = tmp_path / "spans.json"
    path.write_text(text)
    return [
        (value.line.number, value.refused.reason if value.refused else value.value)
        for value in iter_values(path)
    ]


@pytest.mark.parametrize("indent", [None, 2, 4])
def test_objects_are_found_however_they_are_laid_out(tmp_path, indent):
    """The console exporter prints over many lines, collectors write one line each."""
    text = "\n".join(json.dumps(item, indent=indent) for item in OBJECTS)
    assert [value for _, value in _found(tmp_path, text)] == OBJECTS


def test_a_list_over_many_lines_is_one_value(tmp_path):
    """People wrap spans into a list by hand."""
    text = "[\n" + ",\n".join(map(json.dumps, OBJECTS)) + "\n]\n"
    assert _found(tmp_path, text) == [(1, OBJECTS)]


def test_a_page_whose_entries_begin_lines_is_one_value(tmp_path):
    """People and scripts break answers so, without indenting them."""
    text = '{"data": [\n{"a": 1},\n{"a": 2}], "next":\n{"b": 3},\n"rest": [\n{"c": 4}\n]}\n'
    assert _found(tmp_path, text) == [(1, json.loads(text))]


def test_one_bad_line_costs_one_line(tmp_path):
    """The first line decides nothing: it is the one that log rotation cuts off."""
    text = '{"a": {"b\n{"b": 1}\nnot json\n{"c": 2}\n'
    assert _found(tmp_path, text) == [(1, "json"), (2, {"b": 1}), (3, "json"), (4, {"c": 2})]


def test_an_object_that_was_cut_off_does_not_swallow_the_next(tmp_path):
    """A process that dies while printing leaves half an object behind."""
    whole = json.dumps(OBJECTS[0], indent=2)
    text = whole + "\n" + json.dumps(OBJECTS[1], indent=2)[:20] + "\n" + whole + "\n"
    assert _found(tmp_path, text) == [(1, OBJECTS[0]), (6, "json"), (10, OBJECTS[0])]


def test_other_output_between_printed_objects_is_refused_line_by_line(tmp_path):
    """An application prints more than its spans."""
    text = "starting\n" + json.dumps(OBJECTS[2], indent=2) + "\nready\n"
    assert _found(tmp_path, text) == [(1, "json"), (2, OBJECTS[2]), (5, "json")]


def test_an_object_that_never_ends_is_bounded(tmp_path, monkeypatch):
    """Memory must not grow with a file that only opens brackets."""
    monkeypatch.setattr(json_stream, "_BLOCK_LIMIT", 1_000)
    assert _found(tmp_path, "{\n" + ' "a": [\n' * 10_000) == [(1, "line_too_long")]


def test_an_empty_file_holds_nothing(tmp_path):
    """An exporter that saw no traffic still writes its file."""
    assert _found(tmp_path, "\n\n") == []


def test_a_bracket_that_nobody_closes_does_not_swallow_the_objects_behind_it(tmp_path):
    """Output of another program may open a list and go on with something else."""
    whole = json.dumps(OBJECTS[0], indent=2)
    text = whole + "\n[1, 2\n" + whole + "\n"
    assert _found(tmp_path, text) == [(1, OBJECTS[0]), (6, "json"), (7, OBJECTS[0])]
