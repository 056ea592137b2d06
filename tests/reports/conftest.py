"""Fixture notebooks for the report machinery: tiny, written by the test that uses them."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

FACTS = """
from llmops_lib.facts import Facts
rows = {"rows_read": 12, "span_count": 9, "quarantined_count": 3}
Facts(period=week, files=[{"name": "a.jsonl", "sha256": "52f1", **rows}],
      fingerprint="9f2c", is_synthetic=False, call_count=8, spend_usd=1.25)
"""
"""A cell that displays complete facts."""

PARAMETERS = 'week: str = "2026-W46"  # ISO week\nsource: str = ""  # export\ntop: int = 10'
"""The `parameters` cell of a fixture notebook."""

WriteNotebook = Callable[..., Path]


@pytest.fixture
def write_notebook(tmp_path) -> WriteNotebook:
    """Writes a notebook of a title, a `parameters` cell and the given code and Markdown cells."""

    def write(*cells: str, parameters: str = PARAMETERS, name: str = "01_fixture.ipynb") -> Path:
        nodes = [
            new_markdown_cell("# What broke\n\nA fixture."),
            new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            *(new_markdown_cell(cell) if cell.startswith("#") else new_code_cell(cell) for cell in cells),
        ]
        for place, node in enumerate(nodes):
            node["id"] = f"cell-{place}"
        path = tmp_path / "notebooks" / name
        path.parent.mkdir(exist_ok=True)
        nbformat.write(new_notebook(cells=nodes), path)
        return path

    return write
