"""Commands, run in this process."""

import pytest


@pytest.fixture
def run(llmops):
    """Runs a command and gives its exit code, standard output and standard error."""
    return llmops
