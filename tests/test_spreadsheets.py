"""CSV for spreadsheets: no text becomes a formula, and every value can be read back."""

import csv
import json
from datetime import UTC, datetime

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_lib import write_csv

ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def read_back(path):
    """Cells as a spreadsheet reads them, header first."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_no_formula_of_the_corpus_is_a_formula(shared, tmp_path):
    """A cell, a header and an index value each can start a program on a colleague's machine."""
    lines = (shared / "corpora" / "csv_formulas.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    for text in texts:
        write_csv(pl.DataFrame({text: [text], "n": [1]}), tmp_path / "t.csv")
        header, row = read_back(tmp_path / "t.csv")
        for cell in (header[0], row[0]):
            assert cell in {text, f"'{text}"}
            assert not cell.strip(" \u200b\ufeff").startswith(ACTIVE)


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212", "\ufe66"]
)
def test_nothing_that_a_spreadsheet_drops_hides_a_formula(sign, tmp_path):
    """White space, control characters and invisible ones go away on import, in cells and in headers."""
    hidden = [
        "",
        " ",
        "\t",
        "\r",
        "\n",
        "\r\n ",
        "\xa0",
        "\u3000",
        "\u200b",
        "\ufeff",
        "\u202e",
        "\x01",
        "\x1f",
        "\x7f",
    ]
    for before in hidden:
        text = f"{before}{sign}1+1"
        write_csv(pl.DataFrame({text: [text]}), tmp_path / "t.csv")
        assert read_back(tmp_path / "t.csv") == [[f"'{text}"], [f"'{text}"]]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=1))
def test_every_text_can_be_read_back(texts):
    """What a spreadsheet does not show must not be lost to whoever reads the file."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        write_csv(pl.DataFrame({"text": texts}), path)
        cells = [row[0] for row in read_back(path)[1:]]
    assert [cell.removeprefix("'") for cell in cells] == texts


def test_numbers_stay_numbers_and_null_is_not_empty(tmp_path):
    """A sum over a column must work, and unknown is not nothing."""
    table = pl.DataFrame({"spend_usd": [-1.5, None], "calls": [-3, 4], "tenant": ["", None]})
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text("utf-8").splitlines()[1:] == ['-1.5,-3,""', ",4,"]


@pytest.mark.parametrize("make", [pl.DataFrame, pd.DataFrame, pl.LazyFrame])
def test_any_dataframe_is_written(make, tmp_path):
    """Measures give back what they took."""
    write_csv(make({"tenant": ["@a"], "calls": [2]}), tmp_path / "t.csv")
    assert read_back(tmp_path / "t.csv") == [["tenant", "calls"], ["'@a", "2"]]


def test_lists_and_times_are_text(tmp_path):
    """Tags are a list in SPANS."""
    at = datetime(2026, 11, 2, tzinfo=UTC)
    write_csv(pl.DataFrame({"tags": [["=a", "b"]], "started_at": [at]}), tmp_path / "t.csv")
    assert read_back(tmp_path / "t.csv")[1] == ['["=a","b"]', "2026-11-02T00:00:00.000000+0000"]
