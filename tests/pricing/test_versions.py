"""The version of prices that a manifest states."""

import pytest

from llmops_lib.errors import PriceError
from llmops_lib.pricing import load_prices, price_list_version

HEADER = "model,effective_from_on,input_usd_per_mtok,output_usd_per_mtok\n"


def test_without_an_own_list_the_version_is_that_of_the_public_one():
    """A manifest must name the data behind its numbers."""
    assert price_list_version() == "genai-prices 0.2.3"


def test_the_own_list_is_named_by_its_content_not_its_file(tmp_path):
    """The same prices in another order or format give the same numbers, so the same version."""
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text(HEADER + "a,2026-01-01,1,2\nb,2026-01-01,3,4\n")
    other.write_text(HEADER + "b,2026-01-01,3.0,4\na,2026-01-01,1,2\n")
    version = price_list_version(one)
    assert version.startswith("genai-prices 0.2.3 + own list sha256:")
    assert version == price_list_version(other) == price_list_version(load_prices(one))


def test_another_price_is_another_version(tmp_path):
    """A silent edit of the list must show in the manifest."""
    path = tmp_path / "prices.csv"
    path.write_text(HEADER + "a,2026-01-01,1,2\n")
    before = price_list_version(path)
    path.write_text(HEADER + "a,2026-01-01,1,3\n")
    assert price_list_version(path) != before


def test_a_list_that_cannot_be_read_has_no_version(tmp_path):
    """A manifest with a version of nothing would look complete."""
    with pytest.raises(PriceError, match="cannot be read"):
        price_list_version(tmp_path / "none.csv")
