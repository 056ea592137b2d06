"""A disk that is full is said so, and the store stays what it was."""

import subprocess
from pathlib import Path

import pytest

from llmops_lib.demo import write_demo
from llmops_lib.errors import StoreError
from llmops_lib.store import ingest, open_source


@pytest.fixture
def disk(tmp_path):
    """A folder on a file system of its own, and what changes its size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def resize(kilobytes, *, how="remount,"):
        options = ["-t", "tmpfs", "-o", f"{how}size={kilobytes}k", "tmpfs", str(folder)]
        return subprocess.run(["mount", *options], check=False, capture_output=True)

    try:
        mounted = resize(64 << 10, how="")
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder, resize
    subprocess.run(["umount", "-l", str(folder)], check=True)


def used_kilobytes(folder):
    """What the files of a folder take, in whole pages."""
    sizes = [-(-path.stat().st_size // 4096) * 4 for path in Path(folder).rglob("*") if path.is_file()]
    return sum(sizes)


@pytest.mark.parametrize("spare_kilobytes", [0, 8, 40, 120])
def test_a_full_disk_leaves_the_store_whole_and_room_lets_it_go_on(tmp_path, disk, spare_kilobytes):
    """The night job fills the disk: the reports of the morning still work, and more room is all it needs."""
    folder, resize = disk
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    write_demo(old, calls_per_week=40)
    write_demo(new, calls_per_week=400, seed=5)
    ingest(old, folder / "store")
    before = open_source(folder / "store").spans.collect()
    assert resize(used_kilobytes(folder) + spare_kilobytes).returncode == 0
    with pytest.raises(StoreError, match=r"(?i)no space left|full"):
        ingest(new, folder / "store")
    kept = open_source(folder / "store").spans.collect()
    assert before.join(kept, on=["trace_id", "span_id"], how="anti").is_empty()
    assert resize(64 << 10).returncode == 0
    ingest(new, folder / "store")
    ingest([old, new], tmp_path / "unharmed")
    mended, unharmed = open_source(folder / "store"), open_source(tmp_path / "unharmed")
    assert mended.spans.collect().equals(unharmed.spans.collect())
    assert mended.files.equals(unharmed.files)
    assert not list((folder / "store").rglob("*.tmp"))
