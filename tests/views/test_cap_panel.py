"""A cap on spend in words."""

import polars as pl
import pytest

from llmops_lib.views.cap_panel import cap_scenario

BY_DAY = pl.DataFrame({"started_on": ["2026-11-09"], "passed_usd": [9.86], "refused_usd": [0.14]})


def capped(**values):
    """A cap over all calls of a day."""
    row = {
        "value": None,
        "call_count": 400,
        "unpriced_count": 0,
        "spend_usd_before": 10.0,
        "spend_usd_after": 9.86,
        "refused_usd": 0.14,
        "refused_count": 0,
        "refused_good_count": 0,
        "capped_window_count": 1,
        "largest_window_usd": 10.0,
    }
    return pl.DataFrame({name: [value] for name, value in (row | values).items()})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "$9.86 of $10.00 (1.4% less) by refusing less than one of 400 calls."),
        (
            {"refused_count": 6, "refused_good_count": 5},
            "(1.4% less) by refusing 6 of 400 calls, 5 of them good ones.",
        ),
        ({"refused_usd": 0.0, "spend_usd_after": 10.0}, "would have refused nothing: $10.00 stay below it."),
    ],
)
def test_the_words_agree_with_the_refused_spend(values, said):
    """A verdict of nothing beside refused dollars would leave the reader with two answers."""
    shown = cap_scenario(capped(**values), BY_DAY, cap="$9.86 a day", each="", growth_share=0.0)
    assert said in shown.verdict[0]
