"""The forms in which test runs of DeepEval come, as that of its result files."""

import re
from typing import Any

METRICS = ("metricsData", "metricsMetadata")
"""Fields of a test case that may hold its metrics; the second is of releases before 1.5."""

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


def _renamed(case: Any) -> Any:
    """A test case or metric with the names of a result file."""
    if not isinstance(case, dict):
        return case
    named = {_SNAKE.sub(lambda letter: letter[1].upper(), name): value for name, value in case.items()}
    metrics = named.get("metricsData")
    if isinstance(metrics, list):
        named["metricsData"] = [_renamed(metric) for metric in metrics]
    return named
