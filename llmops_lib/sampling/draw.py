"""Whether a call is in a sample: by a hash of its trace, so that the answer never changes."""

from hashlib import sha256

import numpy as np
import polars as pl

from llmops_lib.stats.inputs import Floats

SALT = "llmops sample 1"
"""Salt of the hashes where no other is given; another salt draws another sample."""


def draws(trace_ids: pl.Series, salt: str = SALT) -> pl.Series:
    """A number from 0 up to 1 per trace, `sha256(salt, trace_id)`; a call is drawn where its chance is above.

    Args:
        trace_ids: Traces; none is null.
        salt: What makes one sample differ from another.

    Source:
        Poisson sampling with permanent random numbers: Ohlsson (1995), Coordination of Samples Using
        Permanent Random Numbers. The number is the first 53 bits of the digest.

    Example:
        >>> draws(pl.Series(["a", "b", "a"])).round(3).to_list()
        [0.605, 0.143, 0.605]
    """
    beginning = sha256(f"{salt}\x1f".encode())
    # No dataframe library has SHA-256; a hash per row takes about a microsecond.
    digests = bytearray()
    for trace_id in trace_ids:
        own = beginning.copy()
        own.update(trace_id.encode())
        digests += own.digest()[:8]
    return pl.Series(trace_ids.name, _shares(bytes(digests)), dtype=pl.Float64)


def _shares(digests: bytes) -> Floats:
    numbers = np.frombuffer(digests, dtype=">u8") >> np.uint64(11)
    return numbers.astype(np.float64) / 2**53


def draw_of(salt: str) -> pl.Expr:
    """`draws` of `trace_id` as an expression.

    Args:
        salt: What makes one sample differ from another.
    """
    return pl.col("trace_id").map_batches(
        lambda found: draws(found, salt), return_dtype=pl.Float64, is_elementwise=True
    )
