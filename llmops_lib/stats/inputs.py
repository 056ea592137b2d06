"""Checks at the edge: what every estimator asks of the arrays it is given."""

from typing import Any

import numpy as np
import numpy.typing as npt

from llmops_lib.errors import EstimateError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def numbers(values: Any, name: str) -> Floats:
    """One-dimensional finite float64 values.

    Args:
        values: Anything NumPy makes an array of; booleans become 0 and 1.
        name: What the values are called in an error.

    Raises:
        EstimateError: If they are not numbers, not one-dimensional, or hold NaN or infinity.

    Example:
        >>> numbers([True, 2, 0.5], "scores")
        array([1. , 2. , 0.5])
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"{name} are not all numbers ({error}); expected a list or array of numbers"
        raise EstimateError(msg) from error
    if found.ndim != 1:
        msg = f"{name} have {found.ndim} dimensions; expected one, such as a column"
        raise EstimateError(msg)
    is_usable = np.isfinite(found)
    if not is_usable.all():
        unusable = ~is_usable
        first = int(unusable.argmax())
        msg = (
            f"{name} hold {int(unusable.sum())} NaN or infinite values of {len(found)}, the first at "
            f"position {first}; expected finite numbers, so drop missing values and count them first"
        )
        raise EstimateError(msg)
    return found


def counts(values: Any, name: str) -> Integers:
    """One-dimensional whole numbers from zero up.

    Raises:
        EstimateError: If a value is negative, fractional or not a number.

    Example:
        >>> counts([3.0, 0], "successes")
        array([3, 0])
    """
    found = numbers(values, name)
    wrong = (found < 0) | (found != np.floor(found))
    if wrong.any():
        first = int(wrong.argmax())
        msg = f"{name} hold {found[first]:g} at position {first}; expected whole numbers from 0 up"
        raise EstimateError(msg)
    return found.astype(np.int64)


def shares(values: Any, name: str) -> Floats:
    """One-dimensional values between 0 and 1.

    Raises:
        EstimateError: If a value lies outside.

    Example:
        >>> shares([0, 0.5, 1], "scores")
        array([0. , 0.5, 1. ])
    """
    found = numbers(values, name)
    wrong = (found < 0) | (found > 1)
    if wrong.any():
        first = int(wrong.argmax())
        msg = f"{name} hold {found[first]:g} at position {first}; expected 0 to 1, so rescale first"
        raise EstimateError(msg)
    return found


def same_length(**arrays: npt.NDArray[Any]) -> int:
    """The common length of arrays that describe the same rows.

    Raises:
        EstimateError: If the lengths differ; the message gives each.

    Example:
        >>> same_length(candidate=np.zeros(3), baseline=np.ones(3))
        3
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        msg = f"lengths differ: {told}; expected one value of each per row, in the same order"
        raise EstimateError(msg)
    return next(iter(lengths.values()))


def between_zero_and_one(value: float, name: str) -> float:
    """A number strictly between 0 and 1, such as a level or a quantile.

    Raises:
        EstimateError: If it is not.

    Example:
        >>> between_zero_and_one(0.05, "alpha")
        0.05
    """
    if not 0 < value < 1:
        msg = f"{name} is {value!r}; expected a number between 0 and 1, both excluded"
        raise EstimateError(msg)
    return value


def group_codes(labels: Any, name: str) -> tuple[Integers, int]:
    """Numbers from 0 up that stand for labels, and how many labels there are.

    Args:
        labels: One label per row: strings, numbers or anything that sorts.
        name: What the labels are called in an error.

    Raises:
        EstimateError: If a label is missing (None, NaN, NaT): rows without a unit cannot be told apart; or if
            labels are no single column.

    Example:
        >>> group_codes(["b", "a", "b"], "users")
        (array([1, 0, 1]), 2)
    """
    found = np.asarray(labels)
    if found.ndim != 1:
        msg = (
            f"{name} have {found.ndim} dimensions; expected one label per row, so join several into one text"
        )
        raise EstimateError(msg)
    if found.dtype.kind == "O":
        missing = np.array([_is_missing(label) for label in found], dtype=bool)
        found = found if missing.any() else found.astype(str)
    elif found.dtype.kind in "mM":
        missing = np.isnat(found)
    else:
        missing = np.isnan(found) if found.dtype.kind == "f" else np.zeros(len(found), dtype=bool)
    if missing.any():
        msg = (
            f"{name} lack {int(missing.sum())} labels of {len(found)}, the first at position "
            f"{int(missing.argmax())}; expected one for each row, so fall back to a smaller unit first"
        )
        raise EstimateError(msg)
    distinct, codes = np.unique(found, return_inverse=True)
    return codes.reshape(-1).astype(np.int64), len(distinct)


def _is_missing(label: object) -> bool:
    """Whether a label is None, NaN or NaT, which differ from themselves, or the NA of pandas."""
    try:
        return label is None or bool(label != label)  # noqa: PLR0124
    except TypeError:
        return True
