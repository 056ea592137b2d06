"""The page on pricing, held to what the code does."""

import re
from pathlib import Path

from polars.testing import assert_frame_equal

from llmops_lib.pricing import load_prices

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pricing.md"


def test_the_price_files_on_the_page_can_be_read_and_are_the_same(tmp_path):
    """An example that fails is worse than none."""
    blocks = dict(re.findall(r"```(yaml|csv)\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL))
    for ending, text in blocks.items():
        (tmp_path / f"prices.{ending}").write_text(text, encoding="utf-8")
    prices = load_prices(tmp_path / "prices.yaml")
    assert prices["model"].to_list() == ["my-vllm", "gpt-4o"]
    assert_frame_equal(prices, load_prices(tmp_path / "prices.csv"))
