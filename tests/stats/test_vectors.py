"""Every reference number of the statistical specification, computed by the library, at its tolerance."""

import math
from importlib import import_module

import pytest
from vectors.data import FILE, REFERENCE, vectors
from vectors.recipes import RECIPES, recipe_of

PARTS = "paired proportions traffic continuous latency agreement drifting spend routing"
for part in PARTS.split():
    import_module(f"vectors.{part}")

VECTORS = vectors()

DISPUTED = {
    (
        "two_proportions.56_70_48_80",
        "miettinen_nurminen",
    ): "statsmodels 0.15.0 takes successes for trials in"
    " one coefficient of the cubic; the table that the vector cites prints .0528 and .3382, as we find",
}
"""Reference numbers that are not what their own source prints: left out here, tested elsewhere."""


def differences(got, expected, tolerance, path=""):
    """Everything in which an answer differs from what is expected; no interval is two missing sides."""
    if isinstance(expected, dict):
        missing = [f"{path}.{key} is not answered" for key in expected if key not in got]
        shared_keys = [key for key in expected if key in got]
        return missing + [
            line
            for key in shared_keys
            for line in differences(got[key], expected[key], tolerance, f"{path}.{key}")
        ]
    if expected is None and isinstance(got, list):
        expected = [None] * len(got)
    if isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            return [f"{path}: {got!r} has not the length of {expected!r}"]
        pairs = enumerate(zip(got, expected, strict=True))
        return [line for at, (a, b) in pairs for line in differences(a, b, tolerance, f"{path}[{at}]")]
    return [] if agrees(got, expected, tolerance) else [f"{path}: {got!r}, expected {expected!r}"]


def agrees(got, expected, tolerance):
    """Whether two values agree: None with None, words and truth values exactly, numbers within tolerance."""
    if expected is None or got is None:
        return got is expected
    if isinstance(expected, (str, bool)):
        return got == expected
    return math.isfinite(got) and abs(got - expected) <= tolerance["abs"] + tolerance["rel"] * abs(expected)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_library_gives_the_reference_numbers(vector):
    """Formulas are easy to write and easy to get wrong; these numbers come from elsewhere."""
    recipe = recipe_of(vector)
    assert recipe, f"no function of the library answers {vector['name']}"
    expected = vector["expected"]
    disputed = {key for name, key in DISPUTED if name == vector["name"]}
    if disputed:
        expected = {key: value for key, value in expected.items() if key not in disputed}
    got = recipe.compute(vector["inputs"], expected)
    assert not differences(got, expected, vector["tolerance"])


def test_every_vector_is_answered(shared):
    """A vector that nobody computes must not pass silently, nor may the file shrink unseen."""
    assert (shared / "reference").is_dir()
    assert [vector["name"] for vector in VECTORS if not recipe_of(vector)] == []
    if FILE == REFERENCE / "stats_vectors.json":
        assert len(VECTORS) == 117


def test_recipes_name_functions_of_the_library():
    """A recipe that computes by itself would test itself."""
    for found in RECIPES:
        assert found.functions
        assert all(function.__module__.startswith("llmops_lib.") for function in found.functions)


def test_the_comparison_can_fail():
    """None is not zero, a missing number is no match, and a digit too far off is found."""
    tolerance = {"abs": 1e-12, "rel": 1e-9}
    assert differences({"a": 0.0}, {"a": None}, tolerance)
    assert differences({"a": None}, {"a": 0.0}, tolerance)
    assert differences({}, {"a": 1.0}, tolerance)
    assert differences({"a": [1.0, 2.0]}, {"a": [1.0, 2.1]}, tolerance)
    assert differences({"a": math.nan}, {"a": 1.0}, tolerance)
    assert not differences({"a": [1.0 + 1e-10, None]}, {"a": [1.0, None]}, tolerance)
