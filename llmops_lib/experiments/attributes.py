"""What a span says of the arm it ran in: one attribute per experiment, so that several can run at once."""

import re

EXPERIMENT_ATTRIBUTE = "llmops.experiment."
"""Begins the name of the attribute that holds an arm; the name of the experiment follows."""


def experiment_attribute(experiment: str) -> str:
    """Name of the span attribute that holds the arm of an experiment.

    Example:
        >>> experiment_attribute("tone")
        'llmops.experiment.tone'
    """
    return EXPERIMENT_ATTRIBUTE + experiment


def arm_pattern(experiment: str, arm: str) -> str:
    r"""A regular expression that finds the arm in the JSON text of `attributes`, on every engine.

    Quotes inside a JSON string are escaped, so text that a user wrote cannot look like the attribute.

    Example:
        >>> re.search(arm_pattern("tone", "warm"), '{"llmops.experiment.tone": "warm"}') is not None
        True
        >>> re.search(arm_pattern("tone", "warm"), r'{"said": "\"llmops.experiment.tone\": \"warm\""}')
    """
    return rf'"{re.escape(experiment_attribute(experiment))}"\s*:\s*"{re.escape(arm)}"'
