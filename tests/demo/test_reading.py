import polars as pl
import pytest

from llmops_lib.pricing import price_calls
from llmops_lib.safety import find_sensitive, mask_text
from llmops_lib.schema import SPANS
from llmops_lib.sources.otlp import read_otlp


@pytest.fixture(scope="module")
def rows(demo):
    """What the project's reader makes of the demonstration."""
    return read_otlp(demo.path)


def test_the_reader_takes_every_span_and_refuses_every_bad_line(demo, rows):
    """The demonstration is a real export; each bad line is there to show one reason of refusal."""
    assert rows.spans.height == demo.facts.span_count
    assert rows.spans["is_model_call"].sum() == demo.facts.call_count
    reasons = [reason.split(":")[0] for reason in rows.quarantine["reason"]]
    assert sorted(reasons) == [
        "encoding",
        "json",
        "json",
        "missing_field",
        "missing_field",
        "not_object",
        "range",
    ]


def test_the_reader_fills_what_reports_are_made_of(rows):
    """A column that stays empty would leave a report without one of its tables."""
    spans = rows.spans
    empty = {"reported_cost_usd", "tags", "feedback_score"}
    filled = [name for name in SPANS.names if name not in empty]
    assert [name for name in filled if spans[name].null_count() == spans.height] == []


def test_only_the_self_hosted_model_has_no_price(rows):
    """Unpriced spend must show up in the report, and must not drown it."""
    answered = price_calls(rows.spans.select(SPANS.names)).filter("is_model_call", ~pl.col("is_error"))
    by_price = answered.group_by("is_priced").agg(pl.col("request_model").unique().sort())
    priced = dict(by_price.rows())
    assert priced[False] == ["acme-llama-3-70b"]
    assert len(priced[True]) == 5


def test_masking_leaves_no_personal_data_in_the_messages(demo):
    """The first report that a newcomer sees must show that masking works."""
    asked = demo.spans["asked"].drop_nulls().unique().to_list()
    assert any(find_sensitive(text) for text in asked)
    assert not any(find_sensitive(mask_text(text)) for text in asked)
