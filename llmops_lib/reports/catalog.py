"""Which reports there are, and where their notebooks lie."""

from pathlib import Path

from llmops_lib.errors import ReportError

REPORTS = {
    "budget-what-if": "06_budget_what_if.ipynb",
    "caching-what-if": "07_caching_what_if.ipynb",
    "continuous-evals": "10_continuous_evals.ipynb",
    "eval-review": "08_eval_review.ipynb",
    "postmortem": "04_postmortem.ipynb",
    "prompt-ab": "03_prompt_ab.ipynb",
    "quiet-time": "12_quiet_time.ipynb",
    "rerun-review": "09_rerun_review.ipynb",
    "routing-what-if": "05_routing_what_if.ipynb",
    "safety-review": "11_safety_review.ipynb",
    "spenders": "02_top_spenders.ipynb",
    "weekly": "01_weekly_report.ipynb",
}
"""Name of each report and the notebook that makes it."""

_PACKAGE = Path(__file__).resolve().parents[1]


def find_notebook(name: str) -> Path:
    """The notebook that makes a report: inside an installed package, or beside it in a checkout.

    Args:
        name: A key of `REPORTS`.

    Raises:
        ReportError: If there is no such report, or its notebook is not installed.
    """
    if name not in REPORTS:
        msg = f"report {name!r} is unknown; there are {sorted(REPORTS)}"
        raise ReportError(msg)
    folders = (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks")
    found = [folder / REPORTS[name] for folder in folders if (folder / REPORTS[name]).is_file()]
    if not found:
        msg = f"report {name!r}: {REPORTS[name]} is in neither of {[str(folder) for folder in folders]}"
        raise ReportError(msg)
    return found[0]
