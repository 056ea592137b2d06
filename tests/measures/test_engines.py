"""What holds for every measure on every engine."""

from datetime import date

import narwhals as nw
import polars as pl
import pytest

from llmops_lib.errors import EngineError
from llmops_lib.evidence.cuts import cut_texts, dropped_attributes
from llmops_lib.evidence.failures import unstated_failures
from llmops_lib.evidence.families import orphan_spans, rootless_traces
from llmops_lib.frames import collected, narwhal
from llmops_lib.measures.change import change_between
from llmops_lib.measures.concentration import spend_concentration
from llmops_lib.measures.conventions import token_conventions
from llmops_lib.measures.cost import spend_by, top_spenders
from llmops_lib.measures.daily import complete_days
from llmops_lib.measures.errors import error_rates, errors_by_class
from llmops_lib.measures.explain import explain_change
from llmops_lib.measures.headline import headline
from llmops_lib.measures.latency import latency_percentiles, time_to_first_token
from llmops_lib.measures.notable import failed_calls, most_expensive_calls, slowest_calls
from llmops_lib.measures.price_checks import reported_against_computed, unpriced_models
from llmops_lib.measures.quality import calls_without_usage, missing_share
from llmops_lib.measures.rankings import example_calls, spender_rankings
from llmops_lib.measures.retries import retry_costs
from llmops_lib.measures.savings.context import shorter_contexts
from llmops_lib.measures.savings.retries import avoidable_retries
from llmops_lib.measures.throughput import throughput
from llmops_lib.measures.token_counts import impossible_usage
from llmops_lib.measures.usage import top_tokens_per_call, usage_by
from llmops_lib.periods import Period

DAY = Period.days(date(2026, 11, 9), date(2026, 11, 10))


def _failed(table):
    """The failed calls of a table, on its engine."""
    return narwhal(table).filter(nw.col("is_error")).to_native()


MEASURES = {
    "change_between": lambda table: change_between(
        spend_by(table, "model"), spend_by(table, "model"), on="model", columns="spend_usd"
    ),
    "avoidable_retries": lambda table: avoidable_retries(table, "model"),
    "complete_days": lambda table: complete_days(spend_by(table, "started_on"), DAY),
    "calls_without_usage": calls_without_usage,
    "cut_texts": cut_texts,
    "dropped_attributes": dropped_attributes,
    "error_rates": lambda table: error_rates(table, "model"),
    "errors_by_class": lambda table: errors_by_class(table, "model"),
    "example_calls": lambda table: example_calls(table, ["model", "tenant"]),
    "explain_change": lambda table: explain_change(_failed(table), table, by="tenant"),
    "failed_calls": failed_calls,
    "headline": headline,
    "impossible_usage": impossible_usage,
    "latency_percentiles": lambda table: latency_percentiles(table, "model"),
    "missing_share": missing_share,
    "most_expensive_calls": most_expensive_calls,
    "orphan_spans": orphan_spans,
    "reported_against_computed": reported_against_computed,
    "retry_costs": lambda table: retry_costs(table, "model"),
    "rootless_traces": rootless_traces,
    "shorter_contexts": lambda table: shorter_contexts(table, "model"),
    "slowest_calls": slowest_calls,
    "spend_concentration": lambda table: spend_concentration(table, ["model", "tenant"]),
    "spender_rankings": lambda table: spender_rankings(table, ["model", "tenant"]),
    "spend_by": lambda table: spend_by(table, ["model", "tenant"]),
    "throughput": lambda table: throughput(table, DAY, "model"),
    "time_to_first_token": lambda table: time_to_first_token(table, "model"),
    "token_conventions": token_conventions,
    "top_spenders": lambda table: top_spenders(table, "tenant"),
    "top_tokens_per_call": lambda table: top_tokens_per_call(table, "model"),
    "unpriced_models": unpriced_models,
    "unstated_failures": unstated_failures,
    "usage_by": lambda table: usage_by(table, "model"),
}


@pytest.fixture(params=MEASURES)
def measure(request):
    """Each public measure of this layer that returns the kind of table it was given."""
    return MEASURES[request.param]


@pytest.fixture
def table(calls):
    """Twenty calls with holes in every column that may have them."""
    rows = range(20)
    return calls(
        model=["a", "b", None, "a"] * 5,
        tenant=[None, "acme"] * 10,
        provider=["openai", None, "anthropic", "openai"] * 5,
        is_model_call=[row % 7 != 3 for row in rows],
        is_error=[row % 3 == 0 for row in rows],
        error_type=["Timeout" if row % 6 == 0 else None for row in rows],
        latency_ms=[None if row % 5 == 0 else 100.0 + row * row for row in rows],
        time_to_first_token_ms=[None if row % 2 else 10.0 + row for row in rows],
        input_tokens=[None if row % 4 == 0 else 30 + row for row in rows],
        output_tokens=[None if row % 4 == 0 else 3 * row for row in rows],
        cache_read_tokens=[None if row % 3 else 11 * row for row in rows],
        reasoning_tokens=[None if row % 3 else row for row in rows],
        reported_cost_usd=[None if row % 2 else row / 8 for row in rows],
        cost_usd=[None if row % 6 == 1 else row / 16 for row in rows],
        output=[None if row % 2 else f"cut {row} (truncated)" for row in rows],
        attributes=['{"otel.dropped_events_count":2}' if row % 5 == 0 else None for row in rows],
        parent_span_id=[None if row % 2 else f"s{row - 1}" for row in rows],
    ).with_columns(started_on=pl.lit("2026-11-09"))


def test_result_is_of_the_kind_that_came_in(engine, table, measure):
    """A DuckDB user gets a relation to go on with, and a lazy frame stays lazy."""
    given = engine(table)
    assert type(measure(given)) is type(given)


def test_answer_is_that_of_polars(engine, table, measure):
    """The same expressions, the same numbers, the same order."""
    expected, found = measure(table), collected(measure(engine(table)))
    assert found.columns == expected.columns
    for name in expected.columns:
        values = expected[name].to_list()
        wanted = pytest.approx(values) if expected[name].dtype == pl.Float64 else values
        assert found[name].to_list() == wanted, name


def test_table_is_left_as_it_was(engine, table, measure):
    """A measure reads."""
    given = engine(table)
    before = collected(given)
    collected(measure(given))
    assert collected(given).equals(before)


def test_empty_table_is_measured_too(engine, table, measure):
    """A week without calls is reported like any other."""
    found, expected = collected(measure(engine(table.clear()))), measure(table.clear())
    assert found.rows() == expected.rows()


def test_nothing_is_collected_on_the_way(table, measure):
    """A lazy frame over a store of a million rows must not be run to build a query."""

    def run(_frame):
        pytest.fail("the query was run")

    lazy = table.lazy().map_batches(run, schema=table.schema)
    assert isinstance(measure(lazy), pl.LazyFrame)


def test_nan_is_unknown_on_every_engine(engine, calls):
    """Pandas writes an unknown number as NaN, and DuckDB sums it: one NaN would swallow a bill."""
    nan = float("nan")
    table = engine(
        calls(cost_usd=[0.5, nan], latency_ms=[nan, 100.0], input_tokens=[1, 2], output_tokens=[3, 4])
    )
    assert collected(spend_by(table)).select("unpriced_count", "spend_usd").rows() == [(1, 0.5)]
    assert collected(latency_percentiles(table))["call_count"].to_list() == [1]
    assert len(collected(slowest_calls(table))) == 1


def test_engine_that_lacks_an_expression_is_named(calls):
    """A pyarrow table cannot be grouped by quantiles; collecting it silently would hide the cost."""
    arrow = calls(model=["a"], latency_ms=[1.0]).to_arrow()
    with pytest.raises(EngineError, match=r"latency_percentiles cannot run on a pyarrow\.lib\.Table"):
        latency_percentiles(arrow, "model")


def test_object_that_is_no_table_is_refused(measure):
    """A path passed for a table should say so."""
    with pytest.raises(EngineError, match="found a str"):
        measure("traces.jsonl")
