"""Report parameters: read as Python, checked before a kernel starts, never a place for keys."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from llmops_lib.errors import ParameterError, ReportError
from llmops_lib.reports.annotations import fits
from llmops_lib.reports.parameters import Parameter, check_parameters, read_parameters

KEY = "sk-" + "CANARY4" * 6

DECLARED = (
    Parameter("source", "str | None", None, "export or store"),
    Parameter("week", "str", "2026-W46", "ISO week"),
    Parameter("top", "int", 10, ""),
    Parameter("share", "float", 0.5, ""),
    Parameter("tags", "list[str]", [], ""),
    Parameter("free", "", None, ""),
)


def test_parameters_are_read_with_type_default_and_comment(write_notebook):
    """They are the help of the report; Papermill's own reader misses the second of these lines."""
    notebook = write_notebook(
        parameters='top: int = 10  # rows of "top" tables\n'
        'week: str | None = None  # ISO week; # is fine\nby = ["model"]'
    )
    assert read_parameters(notebook) == (
        Parameter("top", "int", 10, 'rows of "top" tables'),
        Parameter("week", "str | None", None, "ISO week; # is fine"),
        Parameter("by", "", ["model"], ""),
    )


@pytest.mark.parametrize(
    "cell",
    [
        "top = len('abc')",
        "import os",
        "top = 1\nprint(top)",
        "a, b = 1, 2",
        "top: int",
        "top = (",
        "  top = 1",
    ],
)
def test_a_parameters_cell_holds_only_literals(cell, write_notebook):
    """A default that is computed would run before anything is checked."""
    with pytest.raises(
        ReportError, match=r"01_fixture\.ipynb: the `parameters` cell must hold only literals"
    ):
        read_parameters(write_notebook(parameters=cell))


def test_a_notebook_without_parameters_is_refused(tmp_path):
    """Papermill would put the values on top and go on."""
    path = tmp_path / "none.ipynb"
    path.write_text(json.dumps({"cells": []}), "utf-8")
    with pytest.raises(ReportError, match="found 0 cells tagged `parameters`"):
        read_parameters(path)


def test_a_name_that_run_report_uses_is_refused(write_notebook):
    """Nobody could ever pass it."""
    with pytest.raises(ReportError, match=r"\['output'\] have names that run_report"):
        read_parameters(write_notebook(parameters='output = "x"'))


def test_an_unknown_name_lists_the_known_ones():
    """Papermill runs on with the default, so a typo gives a wrong report."""
    with pytest.raises(ParameterError) as caught:
        check_parameters(DECLARED, {"weak": "2026-W45"})
    message = str(caught.value)
    assert message.startswith("parameter 'weak' is unknown; did you mean 'week'? The report takes:")
    assert "week: str = '2026-W46'  (ISO week)" in message
    assert "source: str | None = None  (export or store)" in message


@pytest.mark.parametrize("name", ["a=1\nPWN=1\nb", "week ", "__import__('os')", "class", "w\u0435ek", ""])
def test_hostile_names_are_refused(name):
    """Papermill writes names into code as they are."""
    with pytest.raises(ParameterError, match="is unknown"):
        check_parameters(DECLARED, {name: 1})


class Text(str):
    """Text with a representation of its own."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        np.int64(3),
        np.float64(3),
        np.bool_(True),
        Path('x"; import os #'),
        ("a",),
        {"a"},
        b"a",
        dt.date(2026, 11, 9),
        float("nan"),
        float("-inf"),
        Text("a"),
        {1: "a"},
        [["a", ("b",)]],
        "\ud800",
        object,
    ],
    ids=repr,
)
def test_only_plain_values_pass(value):
    """Anything else is written as bare text, which changes its type or becomes code."""
    with pytest.raises(ParameterError, match="parameter 'free' is"):
        check_parameters(DECLARED, {"free": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("week", 46),
        ("week", None),
        ("top", True),
        ("top", 1.5),
        ("top", "10"),
        ("share", False),
        ("tags", ["a", 1]),
    ],
)
def test_a_value_that_does_not_fit_the_annotation_is_refused(name, value):
    """Found here it costs nothing; found by a cell it costs the run."""
    with pytest.raises(ParameterError, match=rf"parameter '{name}' is .*; expected"):
        check_parameters(DECLARED, {name: value})


@pytest.mark.parametrize(
    "given",
    [{"top": 3}, {"share": 1}, {"share": 0.25}, {"tags": ["a"]}, {"free": {"a": [None, True, 'q"\n']}}],
)
def test_plain_values_that_fit_pass_unchanged(given):
    """A check must not become a conversion."""
    assert check_parameters(DECLARED, given) == given


@pytest.mark.parametrize(
    "value", [KEY, [KEY], {"key": {"deep": KEY}}, {KEY: 1}, (KEY,), f"postgres://u:{KEY}@h/db"]
)
def test_a_key_is_refused_and_not_repeated(value):
    """A parameter is stored in the notebook four times and shown in its error."""
    with pytest.raises(ParameterError) as caught:
        check_parameters(DECLARED, {"free": value})
    assert "'free' looks like it holds a key" in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_key_given_as_a_name_is_not_repeated():
    """`--$OPENAI_API_KEY` is a slip that happens."""
    with pytest.raises(ParameterError) as caught:
        check_parameters(DECLARED, {KEY: 1})
    assert KEY not in str(caught.value)


def test_paths_are_made_absolute(tmp_path, monkeypatch):
    """A notebook does not know the folder of its caller; patterns stay patterns."""
    monkeypatch.chdir(tmp_path)
    assert check_parameters(DECLARED, {"source": "exports/*.jsonl"}) == {
        "source": f"{tmp_path}/exports/*.jsonl"
    }


def test_an_empty_path_stays_empty():
    """It stands for none; the current folder would be a surprise."""
    assert check_parameters(DECLARED, {"source": ""}) == {"source": ""}


@pytest.mark.parametrize(
    "address", ["https://example.com/a.jsonl", "s3://bucket/a.jsonl", "file:///etc/passwd"]
)
def test_addresses_are_refused(address):
    """A report reads this machine only."""
    with pytest.raises(ParameterError, match="expected a path on this machine"):
        check_parameters(DECLARED, {"source": address})


@pytest.mark.parametrize(
    ("value", "annotation", "is_fit"),
    [
        ({"a": 1}, "dict[str, int]", True),
        ({"a": "x"}, "dict[str, int]", False),
        (None, "list[str] | None", True),
        ([], "list", True),
        ("x", "Literal['x']", True),
        (3, "", True),
    ],
)
def test_annotations_are_read_as_written(value, annotation, is_fit):
    """An annotation that is not known here does not stand in the way."""
    assert fits(value, annotation) is is_fit
