"""The forms in which test runs of DeepEval come, as that of its result files."""

import re
from typing import Any

METRICS = ("metricsData", "metricsMetadata")
"""Fields of a test case that may hold its metrics; the second is of releases before 1.5."""

CASES = ("testCases", "conversationalTestCases")
"""Fields of a test run that may hold its test cases."""

LINK = "testRunLink"
"""Field of a file that says where the run is."""

_IS_A_LINK = "the run is at the link alone; set DEEPEVAL_RESULTS_FOLDER to have runs in files"
_IS_EMPTY = "the run has none, look whether it was cut off"
_SNAKE = re.compile("_([a-z])")


def run_of(value: Any) -> Any:
    """The test run that a JSON value is or holds; anything else as it is.

    Args:
        value: A result file; `.latest_test_run.json`, which wraps one; or what `evaluate()` returned,
            dumped, whose fields are the same in snake_case.

    Example:
        >>> run_of({"test_results": [{"actual_output": "4", "metrics_data": []}]})["testCases"]
        [{'actualOutput': '4', 'metricsData': []}]
    """
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("test_results"), list):
        return {**value, "testCases": [_renamed(case) for case in value["test_results"]]}
    return value.get("testRunData", value)


def reason_against(run: Any) -> str | None:
    """Why nothing of a run can be scored; None where it holds test cases.

    Args:
        run: What `run_of` gives.

    Example:
        >>> reason_against({"testCases": [], "metricsScores": []})
        'missing_field: testCases; the run has none, look whether it was cut off'
    """
    if not isinstance(run, dict):
        return "schema: no test run"
    if run.keys() == {LINK}:
        return f"missing_field: testCases; {_IS_A_LINK}"
    lists = [run[name] for name in CASES if isinstance(run.get(name), list)]
    if not lists:
        return "schema: no test run"
    return None if any(lists) else f"missing_field: testCases; {_IS_EMPTY}"


def _renamed(case: Any) -> Any:
    """A test case or metric with the names of a result file."""
    if not isinstance(case, dict):
        return case
    named = {_SNAKE.sub(lambda letter: letter[1].upper(), name): value for name, value in case.items()}
    metrics = named.get("metricsData")
    if isinstance(metrics, list):
        named["metricsData"] = [_renamed(metric) for metric in metrics]
    return named
