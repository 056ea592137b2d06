"""Fixtures shared by all tests."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real exports beside the project; its tests skip where it is absent."""
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"real exports are not here: no folder {folder.name}/ beside the project")
    return folder
