"""Reports are found by name, in a checkout and in an installed package."""

import json
import re

import pytest

from llmops_lib.errors import ReportError
from llmops_lib.reports import REPORTS, find_notebook, report_parameters


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_has_a_notebook_that_takes_parameters(name):
    """A name without a notebook would fail in front of a user."""
    assert find_notebook(name).name == REPORTS[name]
    assert report_parameters(name)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_shows_raw_text_only_by_the_parameter_that_is_recorded(name, llmops):
    """The manifest and the audit log look at `raw`; the command offers it where the notebook has it."""
    cells = json.loads(find_notebook(name).read_text("utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    asked = set(re.findall(r"is_raw=(\w+)", code))
    is_offered = any(parameter.name == "raw" for parameter in report_parameters(name))
    assert asked == ({"raw"} if is_offered else set())
    assert ("--raw" in llmops("report", name, "--help")[1]) == is_offered


@pytest.mark.parametrize("name", ["monthly", "../weekly", "01_weekly_report", ""])
def test_an_unknown_report_lists_the_known_ones(name):
    """A name is looked up, never made into a path."""
    with pytest.raises(
        ReportError,
        match=r"is unknown; there are \['budget-what-if', 'caching-what-if', .*'spenders', 'weekly'",
    ):
        find_notebook(name)
