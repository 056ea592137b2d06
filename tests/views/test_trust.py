"""The account of rows closes, and says what has no price."""

import polars as pl

from llmops_lib.views.trust import account_of_rows

FILES = pl.DataFrame({"rows_read": [1000, 24], "span_count": [990, 24], "quarantined_count": [10, 0]})
HEADLINE = pl.DataFrame({"call_count": [400], "unpriced_count": [3], "unpriced_share": [0.0075]})


def test_rows_read_are_spans_and_quarantined_rows():
    """A reader can add them up."""
    html = account_of_rows(FILES, HEADLINE)._repr_html_()
    assert "<dd>1,024</dd>" in html
    assert "<dd>1,014</dd>" in html
    assert "<dd>10 (0.98%)</dd>" in html
    assert "<dd>3 (0.75%)</dd>" in html


def test_an_input_without_rows_has_no_share():
    """Nothing of nothing is unknown."""
    assert "<dd>0 (–)</dd>" in account_of_rows(FILES.clear(), HEADLINE)._repr_html_()
