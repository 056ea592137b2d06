"""The kernel that a report runs in: this interpreter, reachable through a private folder only."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

from llmops_lib.sources.reading_note import NOTE

READING = "reading.json"
"""File of the private folder in which the kernel says how far it has read an export."""

_LONGEST_SOCKET_FOLDER = 80
"""The path of a Unix socket has 103 characters at most."""


class _ThisInterpreter(KernelSpecManager):
    """Knows one kernel: the running interpreter, whatever `python3` is installed to mean."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The kernel specification of the running interpreter."""
        return KernelSpec(
            # A file polars.py in the folder of the caller must not stand in for the library.
            argv=[
                sys.executable,
                *("-m", "ipykernel_launcher", "-f", "{connection_file}"),
                "--InteractiveShellApp.ignore_cwd=True",
            ],
            display_name=kernel_name,
            language="python",
            env={
                # A start-up script of the user's own profile would change what a report says.
                "IPYTHONDIR": str(Path(self.data_dir) / "ipython"),
                # Text hashes differ from process to process, and with them the order of sets.
                "PYTHONHASHSEED": "0",
            },
        )


@contextmanager
def report_kernel() -> Iterator[tuple[KernelManager, Path]]:
    """A started kernel and its private folder; both are gone when the block is left.

    The kernel listens on Unix sockets where it can: other users of the machine can reach a TCP port.
    """
    folder = Path(tempfile.mkdtemp(prefix="llmops-"))
    manager = KernelManager(
        kernel_name="python3",
        kernel_spec_manager=_ThisInterpreter(data_dir=str(folder)),
        connection_file=str(folder / "kernel.json"),
        transport="ipc" if os.name != "nt" and len(str(folder)) <= _LONGEST_SOCKET_FOLDER else "tcp",
        client_class="jupyter_client.asynchronous.AsyncKernelClient",
    )
    try:
        manager.start_kernel(
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
            env={**os.environ, NOTE: str(folder / READING)},
        )
        yield manager, folder
    finally:
        if manager.has_kernel:
            manager.shutdown_kernel(now=True)
        shutil.rmtree(folder, ignore_errors=True)
