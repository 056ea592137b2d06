"""How tests end the processes that they started."""

import subprocess


def end_process(process: subprocess.Popen) -> None:
    """Asks a process to stop, so that it may end its own, and kills it where it does not listen."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
