"""Runs a numbered notebook with checked parameters to one self-contained HTML page and its manifest."""

from llmops_lib.reports.catalog import REPORTS, find_notebook
from llmops_lib.reports.index import write_index
from llmops_lib.reports.parameters import Parameter
from llmops_lib.reports.run import RunReport, report_parameters, run_notebook, run_report

__all__ = [
    "REPORTS",
    "Parameter",
    "RunReport",
    "find_notebook",
    "report_parameters",
    "run_notebook",
    "run_report",
    "write_index",
]
