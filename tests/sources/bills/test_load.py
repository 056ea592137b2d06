from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops_lib import load_bill
from llmops_lib.errors import LlmopsError, SourceError, UnknownFormatError
from llmops_lib.schema import BILLS

INPUT_LINES = ["uncached_input", "cache_read", "cache_write", "cache_write_1h"]
MONDAY, TUESDAY, WEDNESDAY = 1_762_732_800, 1_762_819_200, 1_762_905_600


@pytest.fixture
def saved(tmp_path) -> Callable[..., Path]:
    """Writes values to a file, one per line, and gives its path."""

    def save(name: str, *values: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(b"\n".join(orjson.dumps(value) for value in values))
        return path

    return save


def openai_usage(start: int = MONDAY, end: int = TUESDAY, **fields: Any) -> dict[str, Any]:
    """A bucket of completions, with a cache read inside the input."""
    outcome = {
        "object": "organization.usage.completions.result",
        "input_tokens": 500,
        "input_cached_tokens": 120,
        "output_tokens": 70,
        "num_model_requests": 3,
        "model": "gpt-4o-2024-08-06",
        **fields,
    }
    return {"object": "bucket", "start_time": start, "end_time": end, "results": [outcome]}


def openai_cost(amount: Any, line_item: str | None, currency: str = "usd") -> dict[str, Any]:
    """A bucket of costs with one line."""
    outcome = {
        "object": "organization.costs.result",
        "amount": {"value": amount, "currency": currency},
        "line_item": line_item,
    }
    return {"object": "bucket", "start_time": MONDAY, "end_time": TUESDAY, "results": [outcome]}


def anthropic_cost(**fields: Any) -> dict[str, Any]:
    """A bucket of a cost report with one line of 123.78912 cents."""
    outcome = {"currency": "USD", "amount": "123.78912", "model": None, "token_type": None, **fields}
    bounds = {"starting_at": "2025-11-10T00:00:00Z", "ending_at": "2025-11-11T00:00:00Z"}
    return {**bounds, "results": [outcome]}


def page(*buckets: dict[str, Any], has_more: bool = False) -> dict[str, Any]:
    """Buckets as the API answers them."""
    return {"object": "page", "data": list(buckets), "has_more": has_more, "next_page": None}


def quantities(bill: pl.DataFrame) -> dict[str, float | None]:
    """How much of each line a bill of one model has."""
    return dict(bill.select("line", "quantity").iter_rows())


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_real_reports_hold_what_is_expected(shared, provider):
    """Sums of a report were counted from its raw text, without this library."""
    folder = shared / "fixtures" / "provider_usage" / provider
    for name, expected in orjson.loads((folder / "EXPECTED.json").read_bytes()).items():
        bill = load_bill(folder / name)
        usage = bill.filter(pl.col("kind") == "usage")
        line = {
            row["line"]: row["quantity"]
            for row in usage.group_by("line").agg(pl.col("quantity").sum()).to_dicts()
        }
        found = {
            "buckets": bill.select("started_at", "ended_at").n_unique(),
            "empty_buckets": bill.filter(pl.col("line") == "empty").height,
            "input_tokens": sum(line.get(name, 0) for name in INPUT_LINES),
            "input_cached_tokens": line.get("cache_read", 0),
            "uncached_input": line.get("uncached_input", 0),
            "cache_read": line.get("cache_read", 0),
            "cache_write": line.get("cache_write", 0) + line.get("cache_write_1h", 0),
            "output_tokens": line.get("output", 0),
            "output": line.get("output", 0),
            "requests": line.get("requests", 0),
            "usd": pytest.approx(bill["cost_usd"].sum(), abs=1e-12),
            "amount_cents": pytest.approx(100 * bill["cost_usd"].sum(), abs=1e-10),
            "first": bill["started_at"].min().timestamp(),
            "last_end": bill["ended_at"].max().timestamp(),
        }  # fmt: skip
        wanted = {key: float(value) for key, value in expected.items()}
        assert {key: found[key] for key in wanted} == wanted, name


def test_all_reports_of_a_folder_load_together(shared):
    """People save usage and costs side by side; what is no bill is passed over."""
    bill = load_bill(shared / "fixtures" / "provider_usage")
    assert set(bill["provider"]) == {"openai", "anthropic"}
    assert bill["cost_usd"].sum() == pytest.approx(0.00332014 + 0.0090957)


def test_openai_input_is_taken_apart(saved):
    """Its input contains the cache; lines that overlap would be added twice."""
    bill = load_bill(saved("usage.json", page(openai_usage(input_cache_write_tokens=30))))
    assert quantities(bill) == {
        "uncached_input": 350,
        "cache_read": 120,
        "cache_write": 30,
        "output": 70,
        "requests": 3,
    }


def test_unknown_cache_leaves_the_uncached_input_unknown(saved):
    """Null means unknown: taking it for zero would bill cached tokens as uncached."""
    bill = load_bill(saved("usage.json", page(openai_usage(input_cached_tokens=None))))
    assert quantities(bill)["uncached_input"] is None


def test_a_model_that_was_not_grouped_by_stays_null(saved):
    """A report that is not grouped by model says nothing of models."""
    bill = load_bill(saved("usage.json", page(openai_usage(model=None))))
    assert bill["model"].null_count() == bill.height


@pytest.mark.parametrize("values", [
    [page(openai_usage(), openai_usage(TUESDAY, WEDNESDAY))],
    [[openai_usage(), openai_usage(TUESDAY, WEDNESDAY)]],
    [[page(openai_usage()), page(openai_usage(TUESDAY, WEDNESDAY))]],
    [page(openai_usage()), page(openai_usage(TUESDAY, WEDNESDAY))],
    [openai_usage(), openai_usage(TUESDAY, WEDNESDAY)],
], ids=["page", "bare list", "list of pages", "page per line", "bucket per line"])  # fmt: skip
def test_a_report_loads_however_it_was_saved(saved, values):
    """A loop over pages is saved in as many ways as there are scripts."""
    bill = load_bill(saved("usage.json", *values))
    assert bill.filter(pl.col("line") == "output")["billed_on"].to_list() == [
        date(2025, 11, 10),
        date(2025, 11, 11),
    ]


def test_empty_buckets_say_that_their_time_is_covered(saved):
    """A day on which nothing was billed is not a day that nobody asked about."""
    empty = {"object": "bucket", "start_time": TUESDAY, "end_time": WEDNESDAY, "results": []}
    bill = load_bill(saved("usage.json", page(openai_usage(), empty)))
    last = bill.filter(pl.col("billed_on") == date(2025, 11, 11))
    assert last.select("kind", "product", "line", "quantity").rows() == [
        ("usage", "completions", "empty", 0.0)
    ]


@pytest.mark.parametrize(("line_item", "model", "line"), [
    ("gpt-4o-2024-08-06, input", "gpt-4o-2024-08-06", "uncached_input"),
    ("gpt-4o-2024-08-06, cached input", "gpt-4o-2024-08-06", "cache_read"),
    ("gpt-4o-2024-08-06, batch output", "gpt-4o-2024-08-06", "output"),
    ("gpt-4o-2024-08-06, cache write input", "gpt-4o-2024-08-06", "cache_write"),
    ("gpt-5-2025-08-07, flex, output", "gpt-5-2025-08-07", "output"),
    ("gpt-5-2025-08-07, cached input, priority", "gpt-5-2025-08-07", "cache_read"),
    ("web search tool calls", None, "other"),
    (None, None, "total"),
])  # fmt: skip
def test_openai_costs_name_model_and_line_in_their_line_item(saved, line_item, model, line):
    """The costs have no field for the model."""
    bill = load_bill(saved("costs.json", page(openai_cost(0.25, line_item))))
    assert bill.select("model", "line", "line_item", "cost_usd").rows() == [(model, line, line_item, 0.25)]


def test_anthropic_amounts_are_cents_in_text(saved):
    """Read as dollars, a bill would be a hundred times too large."""
    line = {"token_type": "output_tokens", "model": "claude-x"}
    bill = load_bill(saved("cost.json", page(anthropic_cost(**line))))
    assert bill.select("line", "model", "cost_usd").rows() == [("output", "claude-x", 1.2378912)]


def test_hour_buckets_belong_to_their_utc_day(saved):
    """Reports of hours and days must meet on days."""
    bill = load_bill(saved("usage.json", page(openai_usage(WEDNESDAY - 3_600, WEDNESDAY))))
    assert bill["billed_on"].unique().to_list() == [date(2025, 11, 11)]


@pytest.mark.parametrize(("bucket", "said"), [
    (openai_cost(1.5, None, currency="eur"), "currency is 'eur'"),
    (openai_cost("many", None), "amount.value is 'many'"),
    (openai_cost("NaN", None), "nonfinite"),
    (openai_usage(output_tokens=[7]), "output_tokens is a list"),
    (openai_usage(end=WEDNESDAY), "not within one UTC day"),
    (openai_usage(batch="yes"), "batch is neither"),
    (anthropic_cost(amount={}), "amount is a dict"),
])  # fmt: skip
def test_a_bill_is_taken_whole_or_not_at_all(saved, bucket, said):
    """What were left out would look as if it had never been billed."""
    with pytest.raises(SourceError, match="bucket 2") as caught:
        load_bill(saved("bill.json", page(openai_usage(MONDAY - 86_400, MONDAY), bucket)))
    assert said in str(caught.value)


def test_a_cut_off_line_is_an_error(saved):
    """A download that broke off must not pass for a small bill."""
    path = saved("usage.jsonl", openai_usage(), openai_usage(TUESDAY, WEDNESDAY))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SourceError, match="A part of a bill is no bill"):
        load_bill(path)


@pytest.mark.parametrize("value", [{"rows": 1}, [1, 2], "text", {"data": [{"id": 1}]}], ids=str)
def test_a_file_that_is_no_bill_is_an_error_that_says_what_was_looked_for(saved, value):
    """The caller named it as a bill."""
    with pytest.raises(UnknownFormatError, match="starting_at, ending_at"):
        load_bill(saved("other.json", value))


def test_a_negative_count_is_kept(saved):
    """A count that cannot be is flagged by the comparison; a repair would hide it."""
    bill = load_bill(saved("usage.json", page(openai_usage(input_cached_tokens=900))))
    assert quantities(bill)["uncached_input"] == -400


def test_a_page_whose_next_one_is_missing_is_incomplete(saved):
    """A bill that was not fetched to its end is too small by an unknown amount."""
    first = saved("1.json", page(openai_usage(), has_more=True))
    second = saved("2.json", page(openai_usage(TUESDAY, WEDNESDAY)))
    assert load_bill(first)["is_complete"].unique().to_list() == [False]
    assert load_bill([first, second])["is_complete"].unique().to_list() == [True]


def test_a_bare_list_does_not_know_whether_it_is_complete(saved):
    """Null means unknown."""
    assert load_bill(saved("list.json", [openai_usage()]))["is_complete"].null_count() == 4


def test_a_page_that_was_fetched_twice_counts_once(saved):
    """Pulls overlap, and a bucket is billed once."""
    once = saved("1.json", page(openai_usage()))
    again = saved("2.json", page(openai_usage(), openai_usage(TUESDAY, WEDNESDAY)))
    assert load_bill([once, again])["quantity"].sum() == 2 * load_bill(once)["quantity"].sum()


@pytest.mark.parametrize(("other", "said"), [
    (openai_usage(output_tokens=71), "different figures"),
    (openai_usage(model=None), "by model and one that is not"),
    (openai_usage(MONDAY, MONDAY + 3_600), "overlap"),
])  # fmt: skip
def test_reports_that_bill_the_same_time_differently_are_an_error(saved, other, said):
    """Their sum would be nearly twice the bill, and nobody can tell which one is right."""
    with pytest.raises(SourceError, match=said):
        load_bill([saved("1.json", page(openai_usage())), saved("2.json", page(other))])


@pytest.mark.parametrize("name", ["project_id", "user_id", "api_key_id"])
def test_reports_of_one_time_that_are_grouped_apart_are_an_error(saved, name):
    """By model, and by model and project, is the same usage twice; added up it would be billed twice."""
    first = saved("a.json", page(openai_usage()))
    second = saved("b.json", page(openai_usage(**{name: "one"})))
    with pytest.raises(SourceError, match=f"a report by {name} and one that is not"):
        load_bill([first, second])


def test_what_no_column_holds_stays_in_the_attributes(saved):
    """Nothing of a bill is lost."""
    bill = load_bill(saved("usage.json", page(openai_usage(input_audio_tokens=17))))
    assert orjson.loads(bill["attributes"][0])["input_audio_tokens"] == 17


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["object", "input_tokens", "input_cached_tokens", "output_tokens", "model", "batch", "amount",
          "project_id", "line_item", "quantity", "cache_creation", "token_type"]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(outcome=st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=6), is_openai=st.booleans())
def test_any_result_is_a_bill_or_an_error_in_words(saved, outcome, is_openai):
    """What a server sends is not trusted; a crash would hide which file was at fault."""
    bounds = {"start_time": MONDAY, "end_time": TUESDAY}
    if not is_openai:
        bounds = {"starting_at": "2025-11-10T00:00:00Z", "ending_at": "2025-11-11T00:00:00Z"}
    path = saved("bill.json", page({**bounds, "results": [outcome]}))
    try:
        said = str(load_bill(path).schema)
    except LlmopsError as error:
        said = str(error)
    assert said == str(BILLS.polars_schema) or "bill.json" in said
