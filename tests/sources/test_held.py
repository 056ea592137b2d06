import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest

from llmops_lib.demo import write_demo
from llmops_lib.errors import SourceError
from llmops_lib.sources import held, resolved_load
from llmops_lib.sources.held import Pieces, shares_of
from llmops_lib.sources.load import read_exports
from llmops_lib.sources.waiting import waiting

SCHEMA = pl.Schema({"trace_id": pl.String(), "n": pl.Int64(), "tags": pl.List(pl.String())})
KEY = pl.col("n") % 3


@pytest.fixture
def small_bounds(monkeypatch):
    """Bounds that every piece exceeds, so that all of them go to files and are worked out in parts."""
    monkeypatch.setattr(held, "HELD_BYTES", 1)
    monkeypatch.setattr(resolved_load, "PART_BYTES", 10_000)


def frame(*numbers):
    """Rows with a text, a number and a list of each."""
    rows = [(f"t{number}", number, [str(number)]) for number in numbers]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.mark.usefixtures("small_bounds")
def test_rows_come_back_from_files_as_they_were(tmp_path):
    """Nulls, lists and dates must survive the way through a file."""
    with waiting(tmp_path / "w", SourceError):
        pieces = Pieces(SCHEMA)
        pieces.add(frame(1, 2))
        pieces.add(frame(3).with_columns(tags=pl.lit(None, dtype=pl.List(pl.String))))
        assert pieces.is_filed
        assert pieces.whole().rows() == [("t1", 1, ["1"]), ("t2", 2, ["2"]), ("t3", 3, None)]
        assert pieces.whole().schema == SCHEMA
        assert pieces.whole(columns=["n"])["n"].to_list() == [1, 2, 3]


@pytest.mark.usefixtures("small_bounds")
def test_the_rows_of_a_key_are_read_alone(tmp_path):
    """A part of the traces is worked out at a time."""
    with waiting(tmp_path / "w", SourceError):
        pieces, others = Pieces(SCHEMA, key=KEY), Pieces(SCHEMA, key=KEY)
        pieces.add(frame(0, 1, 2, 3))
        pieces.add(frame(4, 5))
        others.absorb(pieces)
        largest = max(others.sizes().values())
        found = [others.share(share, pl.col("n"))["n"].to_list() for share in shares_of([others], largest)]
        assert found == [[0, 3], [1, 4], [2, 5]]
        assert others.height == 6


@pytest.mark.usefixtures("small_bounds")
def test_a_key_with_too_many_rows_is_dealt_further(tmp_path):
    """Memory must not grow with the export, however few keys there are."""
    with waiting(tmp_path / "w", SourceError):
        pieces, others = Pieces(SCHEMA, key=pl.lit(0)), Pieces(SCHEMA, key=pl.lit(0))
        pieces.add(frame(*range(20)))
        pieces.add(frame(*range(20, 40)))
        others.add(frame(7))
        both = sum(one.sizes()[0] for one in (pieces, others))
        shares = list(shares_of([pieces, others], both // 4))
        found = [pieces.share(share, pl.col("n") // 2)["n"].to_list() for share in shares]
        assert [len(numbers) for numbers in found] == [10, 10, 10, 10]
        assert [number // 2 % 4 for numbers in found for number in numbers] == sorted([*range(4)] * 10)
        held = [others.share(share, pl.col("n") // 2).height for share in shares]
        assert held == [0, 0, 0, 1]


def test_few_rows_touch_no_disk(tmp_path):
    """Most loads are small."""
    with waiting(tmp_path / "w", SourceError):
        pieces = Pieces(SCHEMA, key=KEY)
        pieces.add(frame(1, 2))
        (share,) = shares_of([pieces], 1)
        assert pieces.share(share, pl.col("n"))["n"].to_list() == [1, 2]
        assert not (tmp_path / "w").exists()


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("is_broken", [True, False])
def test_the_folder_is_gone_afterwards(tmp_path, is_broken):
    """Traces hold what people said; no copy of it stays behind, not even after an error."""

    def stops():
        with waiting(tmp_path / "w", SourceError):
            Pieces(SCHEMA).add(frame(1))
            assert list((tmp_path / "w").iterdir())
            if is_broken:
                raise KeyError

    if is_broken:
        with pytest.raises(KeyError):
            stops()
    else:
        stops()
    assert not (tmp_path / "w").exists()


LOAD_THAT_STAYS = """
import sys, tempfile
from llmops_lib.errors import SourceError
from llmops_lib.sources.waiting import waiting
tempfile.tempdir = sys.argv[1]
with waiting(None, SourceError) as place:
    (place / "deeper").mkdir(parents=True)
    print(place, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def running_load(tmp_path):
    """Starts loads whose rows wait in the folder of the test, and ends them."""
    started = []

    def start():
        command = [sys.executable, "-c", LOAD_THAT_STAYS, str(tmp_path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, text=True, **pipes)
        started.append(process)
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_what_a_killed_load_left_is_gone_after_the_next_one(running_load, exports, tmp_path, monkeypatch):
    """Nobody looks into the folder for temporary files, and what people said would stay there for good."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed, left = running_load()
    _, used = running_load()
    killed.kill()
    killed.wait()
    of_others = tmp_path / "llmops-rows-kept"
    of_others.mkdir()
    read_exports(exports)
    assert not left.exists()
    assert used.exists()
    assert sorted(tmp_path.iterdir()) == sorted([used, used.with_suffix(".lock"), of_others])


def test_few_rows_are_loaded_where_no_temporary_file_can_be_written(exports, tmp_path, monkeypatch):
    """A machine may have no room for temporary files, and most loads need none."""
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    assert read_exports(exports).spans.height


@pytest.mark.usefixtures("small_bounds")
def test_a_folder_that_takes_no_rows_is_an_error_that_says_so(tmp_path):
    """A full disk is no fault of the export, and must not send it to the quarantine."""
    (tmp_path / "file").write_text("")
    message = "rows that wait there cannot be written"
    with pytest.raises(SourceError, match=message), waiting(tmp_path / "file" / "w", SourceError):
        Pieces(SCHEMA).add(frame(1))


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Synthetic exports that share traces, the same lines twice among them, and a broken line."""
    folder = tmp_path_factory.mktemp("exports")
    write_demo(folder / "a.jsonl", calls_per_week=40)
    lines = (folder / "a.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "a.jsonl").write_bytes(b"".join(lines[::2]) + b"{broken\n")
    (folder / "b.jsonl").write_bytes(b"".join(lines[1::2] + lines[::3]))
    return folder


def test_a_load_through_files_is_the_load_in_memory(exports, monkeypatch, tmp_path):
    """Whether rows waited in files, and how many parts there were, must not show."""
    whole = read_exports(exports)
    monkeypatch.setattr(held, "HELD_BYTES", 100_000)
    monkeypatch.setattr(resolved_load, "PART_BYTES", 50_000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    parted = read_exports(exports)
    assert parted.spans.equals(whole.spans)
    assert parted.quarantine.equals(whole.quarantine)
    assert parted.files == whole.files
    assert parted.overlaps.equals(whole.overlaps)
    assert not list(tmp_path.iterdir())
