"""What sources announce of their size, against what came."""

import polars as pl
import pytest

from llmops_lib.evidence.announcements import ANNOUNCED, announced_rows


def file(name, *said, rows_read=0, source_format="langfuse"):
    """One file and what is said of it: by, about, expected, received, has_more."""
    names = ("by", "about", "expected_count", "received_count", "has_more", "cut_count")
    return {
        "source_file": name,
        "source_format": source_format,
        "rows_read": rows_read,
        "announced": [dict(zip(names, one, strict=False)) for one in said],
    }


def found(*files):
    """Check, file, status, expected and received of each statement."""
    table = pl.DataFrame(list(files), schema_overrides={"announced": ANNOUNCED})
    columns = ("check", "source_file", "status", "expected_count", "received_count")
    return [tuple(row.get(name) for name in columns) for row in announced_rows(table)]


@pytest.mark.parametrize(
    ("expected", "received", "status"), [(5, 5, "proved"), (9, 5, "broken"), (4, 5, "suspect")]
)
@pytest.mark.parametrize("by", ["page", "fetch"])
def test_a_total_is_held_against_what_came(by, expected, received, status):
    """More than announced came while the pull ran, or came twice: worth a look, but nothing is missing."""
    (row,) = found(file("a", (by, None, expected, received, None), rows_read=5))
    assert row == ("announced_rows", "a", status, expected, received)


def test_pages_of_one_pull_in_several_files_are_added():
    """Each page states the total of the pull, and the total may grow while it runs."""
    pages = [file(f"x/{n}.json", ("page", None, total, 50, None)) for n, total in ((1, 120), (2, 121))]
    last = file("x/3.json", ("page", None, 121, 21, None))
    assert found(*pages, last) == [("announced_rows", None, "proved", 121, 121)]
    assert found(*pages) == [("announced_rows", None, "broken", 121, 100)]


def test_whole_pulls_beside_each_other_are_not_added():
    """Two days pulled into one folder are two pulls."""
    days = [file(f"x/{n}.json", ("page", None, n, n, None)) for n in (3, 4)]
    assert {row[2] for row in found(*days)} == {"proved"}


@pytest.mark.parametrize(
    ("pages", "statuses"),
    [
        ((True,), ["broken"]),
        ((False,), ["proved"]),
        ((True, True), ["broken"] * 2),
        ((True, False), ["unknown", "proved"]),
    ],
)
def test_a_page_that_announces_another_is_the_end_of_a_pull_only_where_another_follows(pages, statuses):
    """A cursor left over is a pull that stopped; beside a last page it was followed."""
    files = [file(f"x/{n}.json", ("page", None, None, 10, more)) for n, more in enumerate(pages)]
    assert [row[2] for row in found(*files) if row[0] == "more_pages"] == statuses


@pytest.mark.parametrize(
    ("rows_read", "row_count", "status"), [(7, 7, "proved"), (6, 7, "broken"), (7, None, "unknown")]
)
def test_a_manifest_speaks_of_the_files_beside_it(rows_read, row_count, status):
    """Langfuse does not count the rows of Parquet."""
    manifest = file("e/p/manifests/t.json", ("manifest", "p/observations/t.jsonl.gz", row_count, None, None))
    export = file("e/p/observations/t.jsonl.gz", rows_read=rows_read)
    expected = ("announced_rows", "e/p/observations/t.jsonl.gz", status, row_count, rows_read)
    assert expected in found(manifest, export)


def test_a_file_that_a_manifest_names_and_that_is_not_there_is_missing():
    """The manifest is what tells a whole export from half of one."""
    manifest = file("e/manifests/t.json", ("manifest", "p/observations/t.jsonl", 7, None, None))
    assert found(manifest) == [("announced_rows", None, "broken", 7, 0)]


def test_a_file_that_lost_rows_after_its_fetch_is_suspect():
    """The pull was whole, and what became of the file since is another matter."""
    rows = found(file("a", ("fetch", None, 5, 5, None), rows_read=3))
    assert rows == [("announced_rows", "a", "proved", 5, 5), ("announced_rows", "a", "suspect", 5, 3)]


def test_values_that_came_shortened_are_broken_texts():
    """The fetch asked for the whole of them, and the server gave the beginning."""
    (_, row) = found(file("a", ("fetch", None, 5, 5, None, 12), rows_read=5))
    assert row[:3] == ("cut_texts", "a", "broken")


def test_a_file_that_was_fetched_again_is_judged_by_its_whole_content():
    """A store keeps an account of the first half too, under the same name."""
    half, whole = (file("a", ("fetch", None, 9, count, None), rows_read=count) for count in (5, 9))
    assert found(half, whole) == [("announced_rows", "a", "proved", 9, 9)]


def test_silence_is_unknown():
    """Most exports say nothing of their size, and then nothing is proved."""
    assert found(file("a"), file("b")) == [("announced_rows", None, "unknown", None, None)]
