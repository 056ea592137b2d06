"""The review of spenders: the split of a change, rankings with examples, suggestions."""

from datetime import UTC, datetime

import polars as pl
import pytest

from llmops_lib.views.change_charts import explain_change_chart, explain_change_note, explain_change_tables
from llmops_lib.views.picture import figure_markup
from llmops_lib.views.spenders import spender_figures
from llmops_lib.views.suggestions import suggestions_list

HOSTILE = "<script>alert(1)</script>"
EFFECTS = {
    "volume_effect_usd": -2.0,
    "mix_effect_usd": 0.0,
    "input_effect_usd": 5.0,
    "output_effect_usd": 0.5,
    "cache_effect_usd": 0.0,
    "price_effect_usd": 0.0,
    "retry_effect_usd": 0.25,
}
CHANGE = pl.DataFrame(
    [
        {
            "state": "in both",
            "unpriced_count_before": 0,
            "unpriced_count_after": 3,
            "spend_usd_before": 10.0,
            "spend_usd_after": 13.75,
            "spend_usd_change": 3.75,
            **EFFECTS,
        }
    ]
)
PERIODS = {"before": "2026-09", "after": "2026-10"}


def steps(change):
    """The rows that the waterfall draws."""
    spec = explain_change_chart(change, **PERIODS).to_dict()
    return next(iter(spec["datasets"].values()))


def test_each_bar_starts_where_the_last_one_ended():
    """The eye adds up what the numbers add up to."""
    drawn = [(step["step"], step["low_usd"], step["high_usd"], step["kind"]) for step in steps(CHANGE)]
    assert drawn == [
        ("2026-09", 0.0, 10.0, "total"),
        ("Volume", 8.0, 10.0, "less"),
        ("Mix", 8.0, 8.0, "less"),
        ("Input per call", 8.0, 13.0, "more"),
        ("Output per call", 13.0, 13.5, "more"),
        ("Cache", 13.5, 13.5, "less"),
        ("Price", 13.5, 13.5, "less"),
        ("Retries", 13.5, 13.75, "more"),
        ("2026-10", 0.0, 13.75, "total"),
    ]


def test_bars_carry_signed_dollars():
    """Colour alone would leave out readers and printers."""
    notes = [step["note"] for step in steps(CHANGE)]
    assert notes == ["$10.00", "-$2.00", "$0.00", "+$5.00", "+$0.50", "$0.00", "$0.00", "+$0.25", "$13.75"]


def test_the_axis_of_the_waterfall_holds_zero():
    """Totals are bars, and bars start at zero."""
    spec = explain_change_chart(CHANGE, **PERIODS).to_dict()
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert low == 0.0
    assert high > 13.75
    assert "(USD)" in spec["layer"][0]["encoding"]["x"]["title"]


def test_a_waterfall_of_nothing_is_a_sentence():
    """An empty frame looks broken."""
    assert "Nothing to show." in figure_markup(explain_change_chart(CHANGE.clear(), **PERIODS).to_dict())


@pytest.mark.parametrize("state", ["new", "unpriced before"])
def test_spend_without_a_period_to_compare_draws_no_waterfall(state):
    """A bar of volume over the whole spend would read as growth."""
    chart = explain_change_chart(CHANGE.with_columns(state=pl.lit(state)), **PERIODS)
    assert "Nothing to show." in figure_markup(chart.to_dict())


def test_the_note_names_the_largest_cause_and_what_is_in_neither_sum():
    """The one sentence that is forwarded."""
    html = explain_change_note(CHANGE, **PERIODS)._repr_html_()
    assert "Spend changed by +$3.75. The largest part of it: input tokens per call, +$5.00." in html
    assert "Calls without a price are in neither sum: 0 of 2026-09 and 3 of 2026-10." in html


def test_a_first_month_has_nothing_to_compare_with():
    """All its spend would otherwise read as growth."""
    html = explain_change_note(CHANGE.with_columns(state=pl.lit("new")), **PERIODS)._repr_html_()
    assert "2026-09 has no calls, so that there is nothing to compare 2026-10 with." in html


def test_tables_of_the_split_escape_names():
    """Feature names come from traces."""
    table = CHANGE.with_columns(feature=pl.lit(HOSTILE))
    html = explain_change_tables({"feature": table})._repr_html_()
    assert "<script" not in html
    assert "By feature" in html


RANKINGS = pl.DataFrame(
    {
        "dimension": ["tenant", "tenant"],
        "value": [HOSTILE, "acme"],
        "spend_rank": [1, 2],
        "tokens_rank": [None, 1],
        "spend_usd": [3.0, 1.0],
        "spend_share": [0.75, 0.25],
        "call_count": [2, 9],
        "unpriced_count": [0, 0],
        "cost_per_call_usd": [1.5, 1 / 9],
        "tokens_per_call": [100.0, 900.0],
        "input_tokens_per_call": [90.0, 800.0],
        "output_tokens_per_call": [10.0, 100.0],
    }
)
MOVED = pl.DataFrame(
    {
        "dimension": ["tenant", "tenant"],
        "value": [HOSTILE, "acme"],
        "spend_usd_after": [3.0, 1.0],
        "spend_usd_before": [None, 2.0],
        "spend_usd_change_share": [None, -0.5],
    }
)
EXAMPLES = pl.DataFrame(
    {
        "dimension": ["tenant"],
        "value": [HOSTILE],
        "spend_usd": [3.0],
        "trace_id": ["t1"],
        "span_id": ["s1"],
        "started_at": [datetime(2026, 10, 9, tzinfo=UTC)],
        "cost_usd": [2.0],
        "input_excerpt": [HOSTILE],
    }
)


def figures(rankings=RANKINGS, change=MOVED, examples=EXAMPLES):
    """The figures of tenants as HTML."""
    shown = spender_figures(["tenant"], rankings=rankings, change=change, examples=examples, n=1)
    return shown._repr_html_()


def test_each_dimension_shows_both_rankings_and_a_call_of_each_spender():
    """From the bill to the trace in two clicks."""
    html = figures()
    assert "Tenant by spend" in html
    assert "Tenant by tokens per call" in html
    assert "<code>t1</code>" in html
    assert "($3.00 in all)" in html


def test_a_ranking_shows_its_first_only():
    """The second by spend is the first by tokens, and stands there alone."""
    by_spend, _, by_tokens = figures().partition("By tokens per call")
    assert ">acme<" not in by_spend
    assert ">acme<" in by_tokens


def test_names_of_spenders_are_escaped():
    """A tenant may call itself anything."""
    assert "<script" not in figures()


def test_a_month_without_known_costs_shows_no_bars():
    """Axes around no bar look like a fault."""
    nothing = MOVED.with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in ("spend_usd_after", "spend_usd_before")
    )
    html = figures(rankings=RANKINGS.clear(), change=nothing, examples=EXAMPLES.clear())
    assert "<picture>" not in html
    assert "no call has a known cost." in html


SUGGESTIONS = pl.DataFrame(
    {
        "suggestion": ["cheaper model", "fewer retries"],
        "feature": [HOSTILE, None],
        "prompt_name": [None, None],
        "model": ["gpt-4o", "gpt-4o"],
        "call_count": [9, 1],
        "spend_usd": [8.0, None],
        "saving_usd": [6.0, None],
        "saving_share": [0.75, None],
        "how": [f"on {HOSTILE}", "nothing fails"],
    }
)


@pytest.mark.parametrize(
    "told",
    [
        "<strong>$6.00</strong> of $8.00 (75.0%) on 9 calls · cheaper model",
        "<strong>saving unknown</strong> on 1 call of unknown cost · fewer retries",
    ],
)
def test_a_suggestion_opens_with_its_dollars(told):
    """An unknown saving is no saving of zero."""
    assert told in suggestions_list(SUGGESTIONS)._repr_html_()


def test_suggestions_are_escaped():
    """They quote names of models and features."""
    assert "<script" not in suggestions_list(SUGGESTIONS)._repr_html_()


def test_no_suggestion_is_said():
    """A heading over nothing looks like a fault."""
    assert "none: no call" in suggestions_list(SUGGESTIONS.clear())._repr_html_()
