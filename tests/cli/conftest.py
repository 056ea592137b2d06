"""Commands, run in this process."""

import sys

import pytest

from llmops_lib.cli import main


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command and gives its exit code, standard output and standard error."""

    def run_command(*arguments):
        monkeypatch.setattr(sys, "argv", ["llmops", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as exit_:
            code = exit_.code or 0
        written = capsys.readouterr()
        return code, written.out, written.err

    return run_command
