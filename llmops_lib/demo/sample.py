"""A small synthetic export for notebooks that are opened before there is one to read."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from llmops_lib.demo.write import write_demo


@cache
def sample_export() -> Path:
    """A synthetic export of two weeks, in a folder that is removed when Python exits.

    Returns:
        Path of an OTLP/JSON Lines file, the same bytes every time, labelled synthetic.
    """
    folder = Path(tempfile.mkdtemp(prefix="llmops-sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write_demo(folder / "sample-export.jsonl", weeks=2, calls_per_week=1500).path
