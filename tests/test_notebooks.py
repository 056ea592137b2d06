"""Notebooks stay thin: cells call the library, parameters are declared once, and one cell is checked."""

import ast
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
MOST_LINES = 6

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind=None):
    """The cells of a notebook, of one kind or all."""
    every = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in every if kind in (None, cell["cell_type"])]


def tagged(path, tag):
    """The code cells that carry a tag."""
    return [cell for cell in cells(path, "code") if tag in cell["metadata"].get("tags", [])]


def source(cell):
    """The text of a cell."""
    return "".join(cell["source"])


def ordinary(path):
    """The code cells that are neither parameters nor setup."""
    special = [*tagged(path, "parameters"), *tagged(path, "setup")]
    return [cell for cell in cells(path, "code") if cell not in special]


def test_the_name_is_a_place_and_a_question(path):
    """The number gives the reading order."""
    assert re.fullmatch(r"\d\d_[a-z][a-z_]+", path.stem)


def test_it_opens_with_a_title_and_closes_with_its_limits(path):
    """A reader learns what is asked first and what is not answered last."""
    assert source(cells(path)[0]).startswith("# ")
    assert source(cells(path)[-1]).startswith("## What this does not tell you")


def test_one_cell_declares_the_parameters(path):
    """Papermill reads names, types, defaults and help from annotated literals with a comment."""
    (parameters,) = tagged(path, "parameters")
    assert parameters == cells(path, "code")[0]
    for statement, line in zip(
        ast.parse(source(parameters)).body, source(parameters).splitlines(), strict=True
    ):
        assert isinstance(statement, ast.AnnAssign)
        ast.literal_eval(statement.value)
        assert "  # " in line


def test_one_cell_holds_the_imports(path):
    """What a notebook stands on is read in one place."""
    (setup,) = tagged(path, "setup")
    assert setup == cells(path, "code")[1]
    for cell in ordinary(path):
        found = [
            node
            for node in ast.walk(ast.parse(source(cell)))
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert not found, source(cell)


def test_one_cell_is_compared_by_nbval(path):
    """Without a compared output, a green notebook test only means that it ran."""
    (checked,) = tagged(path, "nbval-check-output")
    assert "keep_output" in checked["metadata"]["tags"]
    assert checked["outputs"]


def test_cells_are_short_and_hold_no_logic(path):
    """Logic that a cell would hold belongs in a tested module."""
    forbidden = (
        ast.FunctionDef,
        ast.ClassDef,
        ast.Lambda,
        ast.For,
        ast.While,
        ast.Try,
        ast.With,
        ast.ListComp,
        ast.DictComp,
    )
    for cell in ordinary(path):
        assert len(source(cell).splitlines()) <= MOST_LINES, source(cell)
        assert not re.search(r"^\s*[%!]", source(cell), re.MULTILINE)
        assert not [node for node in ast.walk(ast.parse(source(cell))) if isinstance(node, forbidden)], (
            source(cell)
        )


def test_no_name_is_assigned_twice(path):
    """A cell must not depend on how often another was run."""
    names = [
        node.id
        for cell in cells(path, "code")
        for node in ast.walk(ast.parse(source(cell)))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    assert sorted(names) == sorted(set(names))


def test_no_path_address_or_clock_stands_in_a_cell(path):
    """A report must not depend on the folder, the network or the day it is run in."""
    for cell in cells(path, "code"):
        assert not re.search(r"\.\./|https?://|\bnow\(\)|\btoday\(\)", source(cell)), source(cell)


def test_outputs_are_kept_only_where_they_are_checked(path):
    """Stored outputs go stale and may hold data."""
    kept = tagged(path, "keep_output")
    assert not [cell for cell in cells(path, "code") if cell["outputs"] and cell not in kept]


def test_cells_were_run_from_top_to_bottom(path):
    """Execution counts 1 to n prove it."""
    counts = [cell["execution_count"] for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))
