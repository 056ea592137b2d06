"""CPU times that a busy machine does not upset: of this thread alone, and the fastest of a few runs.

Whatever else a machine does makes a run slower and never faster.
"""

import time
from collections.abc import Callable


def fastest_s(work: Callable[[], object], *, runs: int = 3) -> float:
    """Seconds of CPU that the fastest of so many runs took."""
    return min(_seconds(work) for _ in range(runs))


def grows_linearly(work: Callable[[int], object], *, length: int, times: int = 16, runs: int = 5) -> bool:
    """Whether work that is so many times as long takes about so many times as long.

    Of linear work, 16 times as much takes 16 times as long, of quadratic work 256 times; the bound is four
    times from either.
    """
    bound = times**1.5 * fastest_s(lambda: work(length))
    return any(_seconds(lambda: work(times * length)) < bound for _ in range(runs))


def _seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began
