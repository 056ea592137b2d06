"""Which format the most objects of a file are in: one of them may be a broken or a foreign one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from llmops_lib.sources.sample import SAMPLE_BYTES, Sample, take_sample

_DEEPER = 64


def best_match(path: Path, sample: Sample, matchers: Sequence[Callable[[Sample], bool]]) -> int | None:
    """Which of the matchers fits the most objects of a file: the first of equals, None if none fits.

    Where none fits, more of a file of lines is looked at: its first lines may all be broken ones.

    Args:
        path: The file.
        sample: Its beginning.
        matchers: Each says of a sample whether it fits; of lines they see one object after the other.

    Returns:
        Position of the matcher.

    Raises:
        SourceError: If the file cannot be read.
    """
    found = _most_matched(sample, matchers)
    if found is None and sample.kind == "lines":
        found = _most_matched(take_sample(path, size=_DEEPER * SAMPLE_BYTES), matchers)
    return found


def _most_matched(sample: Sample, matchers: Sequence[Callable[[Sample], bool]]) -> int | None:
    views = [replace(sample, first=row, columns=tuple(row)) for row in sample.rows] or [sample]
    counts = [sum(matcher(view) for view in views) for matcher in matchers]
    most = max(counts, default=0)
    return counts.index(most) if most else None
