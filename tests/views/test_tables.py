"""Tables and cards escape all text and write numbers by their unit."""

from datetime import UTC, datetime, timedelta

import polars as pl

from llmops_lib.periods import Period
from llmops_lib.views.calls_list import calls_list
from llmops_lib.views.kpis import coverage_note, headline_cards, summary_sentence
from llmops_lib.views.tables import data_table, facts_table

HOSTILE = "<script>alert(1)</script>"

HEADLINE = pl.DataFrame(
    {
        "spend_usd": [120.0],
        "call_count": [1000],
        "unpriced_share": [0.03],
        "input_tokens": [2_000_000],
        "output_tokens": [500_000],
        "latency_p50_ms": [700.0],
        "latency_p95_ms": [3000.0],
        "error_count": [20],
        "error_share": [0.02],
        "trace_count": [600],
    }
)


def test_cells_and_headers_are_escaped():
    """Tenant names, and column headers chosen by a caller, are not markup."""
    html = data_table(
        pl.DataFrame({"tenant": [HOSTILE]}), labels={"tenant": HOSTILE}, caption=HOSTILE
    )._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 3


def test_number_columns_are_marked_for_right_alignment():
    """Digits are compared by their place."""
    html = data_table(pl.DataFrame({"model": ["a"], "spend_usd": [1.5], "call_count": [2]}))._repr_html_()
    assert 'class="dataframe data num-2 num-3"' in html


def test_unknown_text_and_unknown_numbers_read_as_unknown():
    """A null is not the word None and not zero."""
    row = pl.DataFrame(
        {"tenant": [None], "spend_usd": [None]}, schema={"tenant": pl.String, "spend_usd": pl.Float64}
    )
    html = data_table(row)._repr_html_()
    assert "<td>(not recorded)</td>" in html
    assert "<td>–</td>" in html


def test_a_table_without_rows_says_so():
    """An empty frame drawn as a header alone looks broken."""
    html = data_table(HEADLINE.clear(), caption="Failed calls", empty="No call failed.")._repr_html_()
    assert html == '<p class="note">Failed calls: No call failed.</p>'


def test_facts_are_escaped():
    """File names are chosen by others."""
    assert "<script" not in facts_table({"File": HOSTILE})._repr_html_()


def test_more_spend_and_more_errors_are_marked_bad():
    """The colour of a change says whether it is good, not whether it is up."""
    before = HEADLINE.with_columns(spend_usd=pl.lit(100.0), error_share=pl.lit(0.03))
    html = headline_cards(HEADLINE, before, previous_name="2026-W45")._repr_html_()
    assert '<div class="kpi-delta bad">+20% from $100.00</div>' in html
    assert '<div class="kpi-delta good">-1.00 points from 3.0%</div>' in html


def test_a_first_week_has_nothing_to_compare_with():
    """A change from nothing is not a percentage."""
    before = HEADLINE.with_columns(call_count=pl.lit(0), spend_usd=pl.lit(None, pl.Float64))
    html = headline_cards(HEADLINE, before, previous_name="2026-W45")._repr_html_()
    assert html.count("no calls in 2026-W45") == 5


def test_the_unpriced_share_stands_beside_the_spend():
    """A sum that leaves calls out must say so where it is read."""
    html = headline_cards(HEADLINE, HEADLINE, previous_name="2026-W45")._repr_html_()
    assert "3.0% of calls unpriced, not in this sum" in html


MOVERS = pl.DataFrame(
    {
        "dimension": ["tenant", "tenant", "feature", "model"],
        "value": ["acme", "globex", None, "gpt-4o"],
        "spend_usd_change": [15.0, 9.0, 7.0, -2.0],
    }
)


def test_the_summary_names_the_largest_move_of_each_dimension_in_its_direction():
    """Tenants repeat the money of features, so one of each is named and nothing is added up."""
    before = HEADLINE.with_columns(spend_usd=pl.lit(100.0))
    text = summary_sentence(HEADLINE, before, MOVERS)._repr_html_()
    assert "Spend rose from $100.00 to $120.00 (+20%)." in text
    assert "tenant acme (+$15.00); feature (not recorded) (+$7.00)." in text
    assert "gpt-4o" not in text


def test_the_summary_of_a_first_week_compares_with_nothing():
    """There is no earlier spend."""
    before = HEADLINE.with_columns(spend_usd=pl.lit(None, pl.Float64))
    assert "no earlier spend" in summary_sentence(HEADLINE, before, MOVERS.clear())._repr_html_()


def test_the_summary_of_unpriced_calls_claims_no_spend():
    """Unknown is not zero."""
    unpriced = HEADLINE.with_columns(spend_usd=pl.lit(None, pl.Float64))
    assert (
        "No call of this period has a known cost."
        in summary_sentence(unpriced, HEADLINE, MOVERS)._repr_html_()
    )


CALL = pl.DataFrame(
    {
        "trace_id": ["t1"],
        "span_id": ["s1"],
        "started_at": [datetime(2026, 11, 9, 8, 30, tzinfo=UTC)],
        "latency_ms": [1234.0],
        "cost_usd": [None],
        "error_type": [HOSTILE],
        "http_status": [429],
        "model": [HOSTILE],
        "input_excerpt": [HOSTILE],
        "output_excerpt": [None],
    }
)


def test_a_listed_call_escapes_every_text_and_says_what_is_unknown():
    """An error class is as hostile as a prompt."""
    html = calls_list(CALL, caption="Failed", empty="None.")._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 3
    assert "cost unknown" in html
    assert "tokens unknown" in html
    assert "<code>t1</code>" in html


def test_a_list_without_calls_says_so():
    """A heading over nothing looks broken."""
    assert (
        "No call failed." in calls_list(CALL.clear(), caption="Failed", empty="No call failed.")._repr_html_()
    )


def bounds(first, last):
    """The part of a headline that says when its first and last call started."""
    return pl.DataFrame(
        {"first_at": [first], "last_at": [last]},
        schema_overrides={"first_at": pl.Datetime("us", "UTC"), "last_at": pl.Datetime("us", "UTC")},
    )


WEEK = Period.week("2026-W46")
WHOLE = bounds(WEEK.start, WEEK.end - timedelta(hours=3))
WHOLE_BEFORE = bounds(WEEK.previous.start, WEEK.previous.end - timedelta(hours=3))


def test_a_week_that_is_covered_whole_needs_no_warning():
    """A quiet night at an end is no gap."""
    assert coverage_note(WHOLE, WHOLE_BEFORE, WEEK)._repr_html_() == ""


def test_a_week_that_breaks_off_is_said_to():
    """Half a week beside a whole one reads as a collapse of traffic."""
    html = coverage_note(bounds(WEEK.start, WEEK.start + timedelta(days=3)), WHOLE_BEFORE, WEEK)._repr_html_()
    assert "2026-W46 is not covered whole: its calls run from 2026-11-09 00:00:00 to 2026-11-12" in html
    assert "2026-W45" not in html


def test_a_week_before_that_starts_late_is_said_to():
    """Growth against half a week is no growth."""
    late = bounds(WEEK.previous.start + timedelta(days=4), WEEK.previous.end - timedelta(hours=1))
    assert "2026-W45 is not covered whole" in coverage_note(WHOLE, late, WEEK)._repr_html_()


def test_a_week_before_without_calls_is_said_by_the_cards():
    """There is nothing to compare with, which is another thing than half of it."""
    assert coverage_note(WHOLE, bounds(None, None), WEEK)._repr_html_() == ""
