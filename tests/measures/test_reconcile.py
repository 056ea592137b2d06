from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops_lib import load_bill, load_traces, price_calls, reconcile
from llmops_lib.errors import MissingColumnError
from llmops_lib.schema import BILLS, conform

MONDAY, TUESDAY = date(2026, 11, 9), date(2026, 11, 10)
NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)
MODEL = "large-2026-01-01"
TOKENS = ("uncached_input", "cache_read", "cache_write", "output")
DIFFERENCES = [
    "difference_call_count",
    "difference_uncached_input_tokens",
    "difference_cache_read_tokens",
    "difference_cache_write_tokens",
    "difference_output_tokens",
]


def bill_of(*rows: dict[str, Any], **shared: Any) -> pl.DataFrame:
    """BILLS from the columns a test cares about; each bucket is a whole day unless it says otherwise."""
    plain = {
        "provider": "acme",
        "billed_on": MONDAY,
        "model": MODEL,
        "source_format": "f",
        "source_file": "b.json",
    }
    full = [{"kind": "cost" if "cost_usd" in row else "usage", **plain, **shared, **row} for row in rows]
    for row in full:
        start = datetime.combine(row["billed_on"], datetime.min.time(), UTC)
        row.setdefault("started_at", start)
        row.setdefault("ended_at", start + timedelta(days=1))
    return conform(pl.DataFrame(full, infer_schema_length=None), BILLS)


def usage(requests: int | None = 1, *counts: int, **shared: Any) -> pl.DataFrame:
    """A usage report: requests (None where it does not count them), then the four lines of tokens."""
    lines = list(zip(TOKENS, counts, strict=True))
    lines += [("requests", requests)] if requests is not None else []
    return bill_of(*({"line": line, "quantity": float(count)} for line, count in lines), **shared)


def cost(amount: float, **shared: Any) -> pl.DataFrame:
    """A cost report of one line."""
    return bill_of({"line": "output", "cost_usd": amount, **shared})


@pytest.fixture
def traced(calls):
    """Calls at noon on Monday: one of 100 uncached, 40 read, 9 written and 20 output tokens unless told."""

    def build(height: int = 1, **columns: Any) -> pl.DataFrame:
        plain = {
            "provider": "acme",
            "model": MODEL,
            "started_at": NOON,
            "input_tokens": 149,
            "cache_read_tokens": 40,
            "cache_write_tokens": 9,
            "output_tokens": 20,
            "cost_usd": 0.5,
        }
        given = {**plain, **columns}
        return calls(
            **{name: value if isinstance(value, list) else [value] * height for name, value in given.items()}
        )

    return build


def finding(spans: pl.DataFrame, bill: pl.DataFrame) -> str:
    """The finding of a comparison of one row."""
    found: str = reconcile(spans, bill)["finding"].item()
    return found


def test_the_untraced_request_of_a_real_gateway_is_found(shared):
    """One request went past the gateway; all others were logged to the token."""
    spans = price_calls(load_traces(shared / "fixtures" / "litellm" / "spend_logs.jsonl"))
    folder = shared / "fixtures" / "provider_usage"
    compared = reconcile(spans, load_bill([folder / "openai", folder / "anthropic"]))
    day = compared.filter(pl.col("billed_on") == date(2026, 11, 23))
    apart = day.filter(pl.col("finding") != "tokens and calls agree")
    assert apart.select("model", *DIFFERENCES).rows() == [("gpt-4o-mini-2024-07-18", 1, 1_000, 0, 0, 200)]
    assert apart["finding"].item().startswith("untraced calls")
    assert apart["difference_usd"].item() == pytest.approx(0.00027)
    assert day.filter(pl.col("model") != "gpt-4o-mini-2024-07-18")["difference_usd"].abs().max() < 1e-12
    assert day.height == 5


def test_a_bill_that_agrees_says_so(traced):
    """Silence would look like a comparison that was not made."""
    bill = pl.concat([usage(2, 200, 80, 18, 40), cost(1.0)])
    compared = reconcile(traced(2), bill)
    assert compared["finding"].item() == "tokens and calls agree"
    assert compared.select(*DIFFERENCES, "difference_usd").row(0) == (0, 0, 0, 0, 0, 0.0)


def test_the_same_comparison_on_every_engine(traced, engine):
    """Traces may live in a store far larger than memory; the bill never does."""
    spans = traced(2, is_error=[False, True], input_tokens=[149, None], cache_read_tokens=[40, None],
                   cache_write_tokens=[9, None], output_tokens=[20, None], cost_usd=[0.5, None])  # fmt: skip
    bill = pl.concat([usage(3, 700, 41, 9, 22), cost(2.25)])
    compared = reconcile(engine(spans), bill)
    assert compared.select(*DIFFERENCES, "difference_usd", "failed_count").row(0) == (
        2,
        600,
        1,
        0,
        2,
        1.75,
        1,
    )


@pytest.mark.parametrize(("columns", "bill", "said"), [
    ({}, (3, 300, 40, 9, 60), "untraced calls"),
    ({}, (None, 101, 40, 9, 21), "untraced calls"),
    ({}, (0, 0, 0, 0, 0), "traced but not billed"),
    ({}, (1, 107, 40, 9, 20), "as many calls, but other token counts"),
    ({}, (2, 90, 40, 9, 21), "unexplained"),
    ({"input_tokens": 100}, (1, 100, 40, 9, 20), "convention error: traced input leaves out cache"),
    ({"input_tokens": 109}, (1, 100, 40, 9, 20), "convention error: traced input leaves out cache"),
    ({"input_tokens": 30}, (5, 900, 40, 9, 20), "convention error: traced input leaves out cache"),
    ({"input_tokens": 198}, (1, 100, 40, 9, 20), "convention error: traced input counts cache tokens twice"),
    ({"cache_read_tokens": None, "cache_write_tokens": None}, (1, 100, 40, 9, 20),
     "convention error: traced input agrees in total"),
    ({"reasoning_tokens": 8, "output_tokens": 12}, (1, 100, 40, 9, 20),
     "convention error: traced output leaves out reasoning"),
    ({"input_tokens": None, "output_tokens": None}, (1, 100, 40, 9, 20), "traced calls without token counts"),
    ({}, (1, -100, 40, 9, 20), "impossible bill"),
])  # fmt: skip
def test_each_kind_of_remainder_has_its_name(traced, columns, bill, said):
    """A difference without a cause sends someone searching."""
    assert finding(traced(**columns), usage(*bill)).startswith(said)


def test_failed_calls_are_not_missed_on_the_bill(traced):
    """Providers do not bill a request that they refused."""
    spans = traced(2, is_error=[False, True], input_tokens=[149, None], output_tokens=[20, None],
                   cache_read_tokens=[40, None], cache_write_tokens=[9, None])  # fmt: skip
    assert finding(spans, usage(1, 100, 40, 9, 20)) == "tokens and calls agree"


def test_a_failure_that_was_billed_counts(traced):
    """A stream that broke off has used its tokens."""
    assert finding(traced(is_error=True), usage(1, 100, 40, 9, 20)) == "tokens and calls agree"


def test_calls_without_a_cost_are_an_unpriced_model(traced):
    """The tokens agree, and the money cannot."""
    said = finding(traced(cost_usd=None), pl.concat([usage(1, 100, 40, 9, 20), cost(0.5)]))
    assert said == "tokens and calls agree; unpriced model: traced calls without a cost"


def test_another_price_for_the_same_tokens_is_named(traced):
    """A batch discount halves the bill and changes no token."""
    said = finding(traced(), pl.concat([usage(1, 100, 40, 9, 20), cost(0.25)]))
    assert said.startswith("tokens and calls agree; same tokens, other cost")


def test_a_call_over_midnight_is_billed_on_the_day_on_which_it_ended(traced):
    """Tokens are counted when they exist."""
    late = NOON.replace(hour=23, minute=59)
    spans = traced(started_at=late, ended_at=late + timedelta(minutes=2))
    compared = reconcile(spans, usage(1, 100, 40, 9, 20, billed_on=TUESDAY))
    assert compared.select("billed_on", "finding").rows() == [(TUESDAY, "tokens and calls agree")]


def test_days_that_differ_by_as_much_either_way_are_a_day_boundary(traced):
    """Clocks and time zones move calls to the next day; nothing is missing."""
    bill = pl.concat([usage(0, 0, 0, 0, 0), usage(1, 100, 40, 9, 20, billed_on=TUESDAY)])
    assert set(reconcile(traced(), bill)["finding"].str.split(":").list.first()) == {"day boundary"}


def test_days_that_are_not_neighbours_are_no_day_boundary(traced):
    """A call is not billed two days late."""
    later = TUESDAY + timedelta(days=1)
    bill = pl.concat([usage(0, 0, 0, 0, 0), usage(1, 100, 40, 9, 20, billed_on=later)])
    assert "boundary" not in "".join(reconcile(traced(), bill)["finding"])


def test_calls_that_agree_in_tokens_alone_are_no_day_boundary(traced):
    """A request too many on one day, and none too few on another, has not moved."""
    spans = traced(2, started_at=[NOON, NOON + timedelta(days=1)])
    bill = pl.concat([usage(2, 100, 40, 9, 20), usage(1, 100, 40, 9, 20, billed_on=TUESDAY)])
    assert reconcile(spans, bill)["finding"][0].startswith("untraced calls")


def test_an_undated_name_is_the_one_dated_model_of_the_bill(traced):
    """Bills name snapshots; gateways log what was asked for, often with a prefix."""
    spans = traced(2, model=["large", "acme/large"])
    compared = reconcile(spans, usage(2, 200, 80, 18, 40))
    assert compared.select("model", "traced_models", "finding").rows() == [
        (MODEL, "acme/large, large", "tokens and calls agree")
    ]


def test_an_undated_name_of_several_models_is_given_to_none(traced):
    """To choose one would be a guess."""
    bill = pl.concat([usage(1, 100, 40, 9, 20), usage(1, 100, 40, 9, 20, model="large-2026-06-01")])
    compared = reconcile(traced(model="large"), bill)
    assert dict(compared.select("model", "finding").iter_rows())["large"].startswith("an undated model name")


def test_a_bill_that_names_no_model_is_compared_by_day(traced):
    """A report that was not grouped still has a total."""
    bill = usage(3, 300, 120, 27, 60, model=None)
    compared = reconcile(traced(3, model=["large", "small", "small"]), bill)
    assert compared.select("model", "traced_models", "traced_call_count", "finding").rows() == [
        (None, "large, small", 3, "tokens and calls agree")
    ]


def test_costs_that_name_no_model_stand_alone(traced):
    """A web search is billed beside the tokens; no model call can carry it."""
    search = bill_of({"line": "other", "cost_usd": 0.75, "model": None})
    compared = reconcile(traced(), pl.concat([usage(1, 100, 40, 9, 20), search]))
    assert compared.select("model", "billed_usd").rows() == [(MODEL, 0.0), (None, 0.75)]
    assert compared["finding"][1].startswith("a cost that names no model")


def test_costs_alone_leave_the_tokens_unknown(traced):
    """Null means unknown: no usage report is not a report of no usage."""
    compared = reconcile(traced(), cost(0.5))
    assert compared["billed_output_tokens"].to_list() == [None]
    assert compared["finding"].item().startswith("no usage report")


def test_a_day_between_two_bills_is_not_covered(traced):
    """What was not asked for is not missing."""
    first, last = usage(0, 0, 0, 0, 0, billed_on=date(2026, 11, 8)), usage(0, 0, 0, 0, 0, billed_on=TUESDAY)
    compared = reconcile(traced(), pl.concat([first, last])).filter(pl.col("billed_on") == MONDAY)
    assert compared.select("billed_call_count", "finding").rows() == [
        (None, "the bill does not cover this day")
    ]


def test_a_part_of_a_day_is_said_to_be_one(traced):
    """The first and the last bucket of a report begin and end when it was fetched."""
    half = usage(0, 0, 0, 0, 0, started_at=NOON + timedelta(hours=1))
    assert finding(traced(), half) == "the bill covers only a part of this day"


def test_an_empty_day_was_billed_nothing(traced):
    """Zero means zero: an empty bucket covers its day."""
    compared = reconcile(traced(), bill_of({"line": "empty", "quantity": 0.0, "model": None}))
    assert compared.select("billed_call_count", "billed_output_tokens").rows() == [(0, 0)]


def test_traces_without_a_provider_are_shown(traced):
    """They may be what the bill has too much of; whose they are cannot be told."""
    compared = reconcile(traced(provider=None), usage(1, 100, 40, 9, 20))
    assert (
        compared.filter(pl.col("provider").is_null())["finding"]
        .item()
        .startswith("the traces name no provider")
    )


def test_other_providers_and_other_days_are_left_out(traced):
    """The bill says nothing about them."""
    spans = traced(3, provider=["acme", "other", "acme"], started_at=[NOON, NOON, NOON + timedelta(days=3)])
    assert reconcile(spans, usage(1, 100, 40, 9, 20))["traced_call_count"].to_list() == [1]


def test_a_bill_of_a_year_is_compared(traced, engine):
    """Days are literals in an expression, and expressions may not nest without end."""
    days = [MONDAY + timedelta(days=day) for day in range(-364, 1)]
    bill = pl.concat(usage(1, 100, 40, 9, 20, billed_on=day) for day in days)
    compared = reconcile(engine(traced()), bill)
    assert compared["difference_call_count"].sum() == 364
    assert compared.height == 365


def test_no_bill_gives_no_rows(traced):
    """A filter may leave nothing."""
    assert reconcile(traced(), BILLS.empty()).height == 0


def test_unpriced_spans_are_told_to_be_priced_first(traced):
    """The missing column is one that another function adds."""
    with pytest.raises(MissingColumnError, match="price_calls"):
        reconcile(traced().drop("cost_usd"), usage(1, 100, 40, 9, 20))


CALL = st.fixed_dictionaries({
    "model": st.sampled_from(["large-2026-01-01", "small-20260101", "house"]),
    "started_at": st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 4), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis adds the zone
    "cache_read_tokens": st.integers(0, 99),
    "cache_write_tokens": st.integers(0, 99),
    "uncached": st.integers(1, 99),
    "output_tokens": st.integers(0, 99),
})  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(CALL, min_size=1, max_size=8))
def test_a_bill_of_the_traced_calls_agrees_with_them(calls, rows):
    """Whatever was called, on whatever days: a bill of the same calls leaves no remainder."""
    made = pl.DataFrame(rows)
    inputs = made["cache_read_tokens"] + made["cache_write_tokens"] + made["uncached"]
    columns = {**made.drop("uncached").to_dict(as_series=False), "input_tokens": inputs.to_list()}
    spans = calls(**columns, provider=["acme"] * len(rows), cost_usd=[0.5] * len(rows))
    parts = [
        usage(1, row["uncached"], row["cache_read_tokens"], row["cache_write_tokens"], row["output_tokens"],
              model=row["model"], billed_on=row["started_at"].date())
        for row in rows
    ]  # fmt: skip
    assert set(reconcile(spans, pl.concat(parts))["finding"]) == {"tokens and calls agree"}
