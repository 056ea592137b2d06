"""The memory of an ingest does not grow with the export."""

import subprocess
import sys

import pytest

from llmops_lib.demo import write_demo

INGEST = """
import resource, sys
from llmops_lib.sources import held, line_blocks
from llmops_lib.store import ingest, merge, slices
line_blocks._BLOCK_BYTES = held.HELD_BYTES = merge.PART_BYTES = slices.SLICE_BYTES = 2 << 20
ingest(sys.argv[1], sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
ALLOWED_MB = 40


def peak_mb(export, store):
    """Peak of the resident memory of a process that ingests, with bounds as small as the exports are."""
    command = [sys.executable, "-c", INGEST, str(export), str(store)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return int(run.stdout) / unit


@pytest.mark.skipif(sys.platform == "win32", reason="there is no module resource on Windows")
def test_four_times_the_export_takes_no_more_memory(tmp_path):
    """A nightly export that grew must not be killed for its memory one day.

    Held whole, the larger one takes well over 100 MB more than the smaller one.
    """
    write_demo(tmp_path / "small.jsonl", calls_per_week=1_000)
    write_demo(tmp_path / "large.jsonl", calls_per_week=3_500)
    small, large = (peak_mb(tmp_path / f"{name}.jsonl", tmp_path / name) for name in ("small", "large"))
    assert large - small < ALLOWED_MB
