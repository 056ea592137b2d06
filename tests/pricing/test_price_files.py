"""Price files: what is read, and the words for what cannot be."""

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from llmops_lib.errors import PriceError
from llmops_lib.pricing import load_prices, price_calls
from llmops_lib.schema import PRICES, validate

YAML = """\
# USD per million tokens
prices:
  - model: my-vllm
    effective_from_on: 2026-01-01
    input_usd_per_mtok: 0.20
    output_usd_per_mtok: 0.60
    source: contract
  - model: "1.10"
    provider: openai
    service_tier: batch
    min_input_tokens: 0
    effective_from_on: "2026-02-01"
    input_usd_per_mtok: 1e0
    output_usd_per_mtok: 2
    cache_read_usd_per_mtok: null
    cache_write_usd_per_mtok: 1.25
"""
CSV = """\
model,provider,service_tier,min_input_tokens,effective_from_on,input_usd_per_mtok,output_usd_per_mtok,cache_write_usd_per_mtok,source
my-vllm,,,,2026-01-01,0.20,0.60,,contract
1.10,openai,batch,0,2026-02-01,1,2.0,1.25,
"""
ENTRY = {
    "model": "m",
    "effective_from_on": "2026-01-01",
    "input_usd_per_mtok": "1",
    "output_usd_per_mtok": "2",
}


def written(folder, text, name="prices.yaml"):
    """A price file of that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def entries(*changes):
    """YAML of entries that differ from ENTRY; None leaves a key out."""
    blocks = []
    for change in changes:
        values = {key: value for key, value in (ENTRY | change).items() if value is not None}
        blocks.append("  - " + "\n    ".join(f"{key}: {value}" for key, value in values.items()))
    return "prices:\n" + "\n".join(blocks) + "\n"


def test_yaml_and_csv_of_the_same_prices_are_the_same_table(tmp_path):
    """The format is a matter of taste; a model named 1.10 must not become 1.1 in either."""
    from_yaml = load_prices(written(tmp_path, YAML))
    assert_frame_equal(from_yaml, load_prices(written(tmp_path, CSV, "prices.csv")))
    assert validate(from_yaml, PRICES).rows() == [
        (None, "my-vllm", None, 0, date(2026, 1, 1), 0.2, 0.6, None, None, None, "contract"),
        ("openai", "1.10", "batch", 0, date(2026, 2, 1), 1.0, 2.0, None, 1.25, None, None),
    ]


def test_a_spreadsheet_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    """Spreadsheets write one in front of the header."""
    assert load_prices(written(tmp_path, "\ufeff" + CSV, "prices.csv")).height == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([{"inptu_usd_per_mtok": "1"}], r"prices.yaml: entry 1: found the unknown key 'inptu_usd_per_mtok'"),
        ([{}, {"model": "n", "input_usd_per_mtok": "-1"}], r"entry 2 \(n\): found input_usd_per_mtok = -1.0"),
        ([{"input_usd_per_mtok": "0,20"}], r"found input_usd_per_mtok = '0,20', expected a number with"),
        ([{"input_usd_per_mtok": ".nan"}], r"found input_usd_per_mtok = '.nan', expected a number"),
        ([{"input_usd_per_mtok": "$2"}], r"found input_usd_per_mtok = '\$2', expected a number"),
        ([{"input_usd_per_mtok": "10001"}], r"expected at most 10,000 USD per million tokens"),
        ([{"input_usd_per_mtok": "0.0000025"}], r"looks like a price per token, so write 2.5"),
        ([{"effective_from_on": "01.02.2026"}], r"found effective_from_on = '01.02.2026', expected a day"),
        ([{"effective_from_on": "2026-02-30"}], r"found effective_from_on = '2026-02-30', expected a day"),
        ([{"effective_from_on": None}], r"entry 1 \(m\): found no effective_from_on, expected a value"),
        ([{"output_usd_per_mtok": "null"}], r"found no output_usd_per_mtok, expected a value"),
        ([{"model": '""'}], r"entry 1: found no model, expected a value"),
        ([{}, {}], r"entry 2 \(m\): repeats prices.yaml: entry 1, expected one entry per"),
        ([{"min_input_tokens": "200_000"}], r"found min_input_tokens = '200_000', expected a whole number"),
        ([{"min_input_tokens": "-1"}], r"found min_input_tokens = -1, expected 0"),
        ([{"min_input_tokens": "5"}], r"expected one for smaller calls too"),
        ([{"service_tier": "default"}], r"found service_tier = 'default', expected a lower-case name"),
        ([{"service_tier": "Batch"}], r"found service_tier = 'Batch', expected a lower-case name"),
        ([{"source": "[a, b]"}], r"entry 1: found a list or mapping under 'source', expected one value"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named_with_what_was_found_and_expected(tmp_path, changes, message):
    """The message alone must be enough to mend the file."""
    with pytest.raises(PriceError, match=message):
        load_prices(written(tmp_path, entries(*changes)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prices:\n  - &a {model: m}\n  - *a\n", r"prices.yaml: line 3: found an alias, expected plain YAML"),
        ("prices:\n  - {model: m, model: n}\n", r"line 2: found a mapping that names a key twice"),
        ("prices: [\n", r"prices.yaml: line \d: found .* expected plain YAML"),
        ("- model: m\n", r"prices.yaml: found list at the top, expected the one key `prices`"),
        ("price:\n  - model: m\n", r"found \['price'\] at the top"),
        ("prices: {model: m}\n", r"found \['prices'\] at the top"),
        ("prices: []\n", r"prices.yaml: found no entries"),
        ("", r"prices.yaml: found NoneType at the top"),
        ("prices: [text]\n", r"entry 1: found a str, expected keys and values"),
        ("a: 1\n---\nb: 2\n", r"expected plain YAML"),
        ("\x00", r"not plain YAML"),
        ("[" * 60_000, r"not plain YAML"),
        ("prices:\n  - ? [a, b]\n    : c\n", r"expected"),
    ],
)
def test_yaml_that_is_no_price_list_is_refused(tmp_path, text, message):
    """A few lines of YAML can stand for gigabytes, or lose a price under a repeated key."""
    with pytest.raises(PriceError, match=message):
        load_prices(written(tmp_path, text))


def test_a_tag_builds_no_object(tmp_path):
    """A price file from a colleague must not run code."""
    text = entries({"source": "!!python/object/apply:os.getcwd []"})
    with pytest.raises(PriceError, match="found a list or mapping under 'source'"):
        load_prices(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model;effective_from_on\nm;2026-01-01\n", r"found the unknown key 'model;effective_from_on'"),
        ("model,effective_from_on\nm\n", r"prices.csv: line 2: found other than the 2 fields of the header"),
        ("model,effective_from_on\nm,2026-01-01,7\n", r"prices.csv: line 2: found other than the 2 fields"),
        ('model,source\nm,"a"b\n', r"prices.csv: line 2: not CSV"),
        ("model,source\n", r"prices.csv: found no entries"),
        ("model,model\nm,n\n", r"prices.csv: line 1: found the column 'model' twice"),
        ("", r"prices.csv: found no entries"),
    ],
)  # fmt: skip
def test_csv_that_is_no_price_list_is_refused(tmp_path, text, message):
    """Spreadsheets of half the world separate by semicolons; the message must lead there."""
    with pytest.raises(PriceError, match=message):
        load_prices(written(tmp_path, text, "prices.csv"))


def test_a_file_over_the_limit_is_refused_unread(tmp_path):
    """A price list is small; a mistaken path to an export is not."""
    with pytest.raises(PriceError, match=r"prices.yaml: larger than 256 KB"):
        load_prices(written(tmp_path, "#" * (256 * 1024 + 1)))


def test_bytes_that_are_not_utf8_are_located(tmp_path):
    """A price in mojibake names no model."""
    path = tmp_path / "prices.csv"
    path.write_bytes(b"model\n\xff\n")
    with pytest.raises(PriceError, match=r"prices.csv: byte 6 is not UTF-8"):
        load_prices(path)


def test_a_missing_file_and_a_folder_say_so(tmp_path):
    """The usual mistake is the path."""
    with pytest.raises(PriceError, match=r"none.yaml: the price file cannot be read \(No such file"):
        load_prices(tmp_path / "none.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(PriceError, match=r"folder.yaml: the price file cannot be read"):
        load_prices(tmp_path / "folder.yaml")


def test_another_file_ending_is_refused(tmp_path):
    """The format is told by the ending, so an unknown one is an error, not a guess."""
    with pytest.raises(PriceError, match=r"found the ending '.json', expected .yaml, .yml or .csv"):
        load_prices(tmp_path / "prices.json")


def test_a_price_file_can_be_given_to_price_calls_as_a_path(calls, tmp_path):
    """The report takes a path as its parameter."""
    spans = calls({"request_model": "my-vllm", "input_tokens": 1_000_000, "output_tokens": 1_000_000})
    for name, text in (("p.yaml", YAML), ("p.csv", CSV)):
        path = written(tmp_path, text, name)
        assert price_calls(spans, prices=path)["cost_usd"].to_list() == pytest.approx([0.8])
        assert price_calls(spans, prices=str(path))["cost_usd"].to_list() == pytest.approx([0.8])
    assert isinstance(spans, pl.DataFrame)
