"""docs/statistics.md names every function there is."""

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs" / "statistics.md").read_text(encoding="utf-8")
MODULES = sorted((PROJECT / "llmops_lib" / "stats").glob("[a-z]*.py"))


def functions(module):
    """Public functions of a module, by name."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]


ON_THE_PAGE = [module for module in MODULES if f"`{module.stem}" in PAGE]


@pytest.mark.parametrize("module", ON_THE_PAGE, ids=lambda path: path.stem)
def test_every_function_of_a_module_on_the_page_is_there(module):
    """A method that nobody can look up is a number without a source."""
    missing = [name for name in functions(module) if f"`{name}`" not in PAGE and f".{name}`" not in PAGE]
    assert not missing


def test_the_page_names_no_module_that_is_not_there():
    """Dead rows of a table lead nowhere."""
    named = re.findall(r"^\| `(\w+)\.\w+`", PAGE, flags=re.MULTILINE)
    assert set(named) <= {module.stem for module in MODULES}
    assert len(ON_THE_PAGE) > 15
