"""docs/statistics.md names every function there is."""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs" / "statistics.md").read_text(encoding="utf-8")
MODULES = sorted((PROJECT / "llmops_lib" / "stats").glob("[a-z]*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_public_function_is_on_the_page(module):
    """A method that nobody can look up is a number without a source."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
    assert [name for name in names if f"`{name}`" not in PAGE and f".{name}`" not in PAGE] == []
