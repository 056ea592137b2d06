"""The facts of a report close their sums and say what is unknown."""

import pytest

from llmops_lib.errors import ReportError
from llmops_lib.facts import FACTS_MIME, Facts

FILE = {"name": "a.jsonl", "sha256": "52f1", "rows_read": 12, "span_count": 9, "quarantined_count": 3}


def facts(**changed):
    """Facts of one file, with changes."""
    values = {"period": "2026-W46", "files": [FILE], "fingerprint": "9f2c", "is_synthetic": False}
    return Facts(**{**values, **changed})


def test_totals_are_the_sums_over_the_files():
    """A report shows rows read and quarantined; nobody should have to add them up by hand."""
    second = {**FILE, "name": "b.jsonl", "rows_read": 5, "span_count": 4, "quarantined_count": 1}
    found = facts(files=[FILE, second])
    assert (found["rows_read"], found["quarantined_count"]) == (17, 4)


def test_a_file_whose_rows_do_not_add_up_is_refused():
    """A lost row is the error that nobody sees in a chart."""
    with pytest.raises(ReportError, match=r"a\.jsonl: 12 rows were read, but 8 spans and 3 quarantined"):
        facts(files=[{**FILE, "span_count": 8}])


def test_a_total_that_differs_from_the_files_is_refused():
    """Two numbers for one thing cannot both be in a report."""
    with pytest.raises(ReportError, match="rows_read is given as 11, but the files add up to 12"):
        facts(rows_read=11)


def test_a_file_without_its_counts_is_refused():
    """The message names what is missing, not a KeyError."""
    with pytest.raises(ReportError, match=r"'a\.jsonl' lacks \['sha256', 'rows_read'"):
        facts(files=[{"name": "a.jsonl"}])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1], {"a": 1}, b"x"])
def test_a_fact_is_a_finite_number_text_or_flag(value):
    """JSON has no NaN, and a list would not be one fact."""
    with pytest.raises(ReportError, match=r"'spend_usd'.*None where it is unknown"):
        facts(spend_usd=value)


def test_the_last_bits_of_a_sum_are_dropped():
    """They differ between machines, and the listing is compared with the stored one."""
    assert facts(spend_usd=0.1 + 0.2)["spend_usd"] == 0.3


def test_unknown_is_not_zero():
    """A spend that nobody knows must not read as nothing spent."""
    listing = str(facts(spend_usd=None, error_count=0))
    assert "spend_usd          unknown" in listing
    assert "error_count        0" in listing


def test_a_notebook_gets_a_listing_and_the_values():
    """The listing is for people and for nbval, the values for the manifest."""
    found = facts(call_count=7)
    shown = found._repr_mimebundle_(include=None, exclude=None)
    assert shown == {"text/plain": repr(found), FACTS_MIME: dict(found)}


def test_many_files_are_listed_in_part():
    """A store of a thousand files must not push everything else out of sight."""
    listing = repr(facts(files=[{**FILE, "name": f"{place:02}.jsonl"} for place in range(14)]))
    assert "11.jsonl" in listing
    assert "12.jsonl" not in listing
    assert listing.endswith("... and 2 more")
