"""Seeds that follow from the data: the same items give the same draws, in any order."""

import hashlib
from collections.abc import Iterable

import numpy as np


def seeded_generator(algorithm: str, item_ids: Iterable[object]) -> np.random.Generator:
    """A random generator whose seed is the SHA-256 of an algorithm's name and the sorted ids.

    Args:
        algorithm: Name and version of the procedure that draws.
        item_ids: Ids of the items drawn for; their order does not matter.

    Source:
        SHA-256 as in FIPS 180-4; NumPy's PCG64 takes the 256 bits as its entropy.

    Example:
        >>> a = seeded_generator("demo/1", ["x", "y"]).random()
        >>> a == seeded_generator("demo/1", ["y", "x"]).random()
        True
    """
    told = "\x1f".join([algorithm, *sorted(str(item) for item in item_ids)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(told.encode()).digest()))
