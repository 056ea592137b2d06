"""How each source counts tokens, and what reading its counts the wrong way would cost."""

import polars as pl
import pytest

from llmops_lib import load_traces, price_both_conventions, price_calls
from llmops_lib.errors import MissingColumnError
from llmops_lib.frames import collected
from llmops_lib.measures.conventions import token_conventions
from llmops_lib.schema import PRICES, conform

CONVERTED = '{"llmops.token_convention":"exclusive, made inclusive"}'


@pytest.fixture
def prices():
    """10 USD a million tokens of input, 1 of cache reads, 12 of cache writes, 30 of output."""
    row = {
        "model": ["big"],
        "min_input_tokens": [0],
        "effective_from_on": ["2026-01-01"],
        "input_usd_per_mtok": [10.0],
        "cache_read_usd_per_mtok": [1.0],
        "cache_write_usd_per_mtok": [12.0],
        "output_usd_per_mtok": [30.0],
    }
    return conform(pl.DataFrame(row).with_columns(pl.col("effective_from_on").str.to_date()), PRICES)


def total(number):
    """Attributes in which the source states a total."""
    return f'{{"gen_ai.usage.total_tokens":{number}}}'


@pytest.mark.parametrize(
    ("attributes", "verdict"),
    [
        # Both calls: 100 in, of which 60 were cached, or on top of which 60 were; 10 out.
        ([total(110), "{}"], "inclusive"),
        ([total(170), "{}"], "exclusive"),
        ([total(110), total(170)], "mixed"),
        (["{}", "{}"], "unknown"),
        ([total(111), None], "unknown"),
        ([CONVERTED, "{}"], "exclusive"),
        ([CONVERTED, total(110)], "mixed"),
        (['{"note":"\\"gen_ai.usage.total_tokens\\":110"}', "{}"], "unknown"),
        (['{"gen_ai.usage.total_tokens":"110"}', "{}"], "inclusive"),
    ],
)
def test_one_call_that_shows_it_tells_the_convention_of_its_source(engine, calls, attributes, verdict):
    """One call seldom proves anything, and one that does speaks for all of its instrumentation."""
    table = calls(
        input_tokens=[100, 100], output_tokens=[10, 10], cache_read_tokens=[60, 60], attributes=attributes
    )
    found = collected(token_conventions(engine(table)))
    assert found.select("verdict", "basis").rows() == [
        (verdict, "none" if verdict == "unknown" else "counts")
    ]


def test_more_cache_than_input_proves_an_exclusive_count(engine, calls):
    """Anthropic's 9 beside 1,905; the call beside it shows nothing, and such an input is impossible here."""
    table = calls(
        provider=["anthropic"] * 2,
        input_tokens=[9, 5_000],
        output_tokens=[4, 4],
        cache_read_tokens=[1_905, 1_905],
    )
    columns = [
        "verdict",
        "cached_call_count",
        "cache_over_input_count",
        "ambiguous_count",
        "impossible_count",
    ]
    assert collected(token_conventions(engine(table))).select(columns).row(0) == ("exclusive", 2, 1, 1, 1)


def test_a_converted_call_is_judged_by_the_counts_that_its_source_stated(engine, calls):
    """The reader's own correction must not make its source look inclusive."""
    table = calls(input_tokens=[1_914], output_tokens=[4], cache_read_tokens=[1_905], attributes=[CONVERTED])
    columns = ["verdict", "converted_count", "cache_over_input_count", "impossible_count"]
    assert collected(token_conventions(engine(table))).select(columns).row(0) == ("exclusive", 1, 1, 0)


def test_instrumentations_are_told_apart_by_their_scope(engine, calls):
    """Two of them in one file may count differently; without a scope the format stands for it."""
    scope = '{"otel.scope.name":"%s","otel.scope.version":"%s"}'
    table = calls(
        attributes=[scope % ("a.b", "1.2"), scope % ("a.b", "1.3"), '{"otel.scope.name":"ai"}', None],
        source_format=["otlp", "otlp", "otlp", "langfuse"],
    )
    found = collected(token_conventions(engine(table)))
    assert found["instrumentation"].to_list() == ["langfuse", "a.b 1.2", "a.b 1.3", "ai"]


@pytest.mark.parametrize(
    ("scope", "provider", "expected"),
    [
        ("com.anthropic.sdk.python 1.17.0", "anthropic", ("inclusive", "documentation")),
        ("openinference.instrumentation.anthropic 3.1.0", "anthropic", ("inclusive", "documentation")),
        ("openinference.instrumentation.anthropic 0.1.9", "anthropic", ("unknown", "none")),
        ("opentelemetry.instrumentation.anthropic 0.62.4", "anthropic", ("inclusive", "documentation")),
        ("opentelemetry.instrumentation.anthropic 0.40.2", "anthropic", ("unknown", "none")),
        ("opentelemetry.instrumentation.openai_v2 2.4b0", "openai", ("inclusive", "documentation")),
        ("opentelemetry.instrumentation.openai_v2 2.4b0", "anthropic", ("unknown", "none")),
    ],
)
def test_documentation_decides_where_the_counts_say_nothing(engine, calls, scope, provider, expected):
    """Only for the versions whose code was read: older ones passed the provider's number through."""
    name, version = scope.split()
    attributes = f'{{"otel.scope.name":"{name}","otel.scope.version":"{version}"}}'
    table = calls(provider=[provider], attributes=[attributes], source_format=["otlp"])
    assert collected(token_conventions(engine(table))).select("verdict", "basis").row(0) == expected


def test_the_counts_go_before_the_documentation(engine, calls):
    """A gateway in between changes the convention of what it passes on."""
    table = calls(source_format=["litellm"], input_tokens=[9], cache_read_tokens=[1_905], output_tokens=[4])
    assert collected(token_conventions(engine(table))).select("verdict", "basis").row(0) == (
        "exclusive",
        "counts",
    )


def test_the_dollar_effect_is_that_of_the_cache_at_the_price_of_input(engine, calls, prices):
    """By hand: 40,000 x 10 + 60,000 x 1 + 1,000 x 30 a million are 0.49 USD; the other way 60,000 more."""
    table = calls(
        model=["big"],
        request_model=["big"],
        input_tokens=[100_000],
        output_tokens=[1_000],
        cache_read_tokens=[60_000],
    )
    found = collected(token_conventions(engine(price_both_conventions(table, prices=prices))))
    columns = ["spend_usd", "other_convention_usd", "convention_effect_usd", "one_way_count"]
    assert found.select(columns).row(0) == (
        pytest.approx(0.49),
        pytest.approx(1.09),
        pytest.approx(0.60),
        0,
    )


def test_counts_that_the_reader_converted_are_read_back_for_the_other_way(calls, prices):
    """By hand: 70,000 given, 20,000 of it read and 10,000 written again: 0.44 - 0.30 USD less."""
    table = calls(
        request_model=["big"],
        input_tokens=[100_000],
        output_tokens=[0],
        cache_read_tokens=[20_000],
        cache_write_tokens=[10_000],
        attributes=[CONVERTED],
    )
    # 70,000 x 10 + 20,000 x 1 + 10,000 x 12 = 0.84; read as inclusive, 40,000 x 10 + the same cache = 0.54.
    (row,) = token_conventions(price_both_conventions(table, prices=prices)).iter_rows(named=True)
    assert row["spend_usd"] == pytest.approx(0.84)
    assert row["other_convention_usd"] == pytest.approx(0.54)
    assert row["convention_effect_usd"] == pytest.approx(-0.30)


def test_a_reading_that_cannot_be_has_no_price(calls, prices):
    """The first call cannot be inclusive, the second was converted from such counts: neither is guessed."""
    table = calls(
        request_model=["big", "big"],
        input_tokens=[1_000, 61_000],
        output_tokens=[0, 0],
        cache_read_tokens=[60_000, 60_000],
        attributes=["{}", CONVERTED],
    )
    (row,) = token_conventions(price_both_conventions(table, prices=prices)).iter_rows(named=True)
    # 1,000 x 10 + 60,000 x 1 a million, in the one reading for one call, in the other for the other.
    assert (row["spend_usd"], row["other_convention_usd"]) == (pytest.approx(0.07), pytest.approx(0.07))
    assert (row["convention_effect_usd"], row["one_way_count"], row["impossible_count"]) == (None, 2, 1)


def test_reported_costs_are_compared_with_computed_ones(engine, calls):
    """Over the calls that have both; 0.5 + 0.25 reported and 0.75 + 0.5 computed."""
    table = calls(reported_cost_usd=[0.5, 0.25, 8.0, None], cost_usd=[0.75, 0.5, None, 4.0])
    columns = ["compared_count", "reported_cost_usd", "computed_cost_usd", "cost_difference_usd"]
    assert collected(token_conventions(engine(table))).select(columns).row(0) == (2, 0.75, 1.25, 0.5)


def test_unpriced_calls_are_told_what_to_do(calls):
    """Money without prices would be zero."""
    with pytest.raises(MissingColumnError, match="price_calls"):
        token_conventions(calls(model=["a"]).drop("cost_usd"))


EXPECTED = {
    "helicone/helicone-export.jsonl": {
        ("helicone", "anthropic", "exclusive"),
        ("helicone", "openai", "inclusive"),
    },
    "litellm/spend_logs.jsonl": {("litellm", "anthropic", "inclusive"), ("litellm", "openai", "inclusive")},
    "litellm/standard_logging_payload.jsonl": {
        ("litellm", "anthropic", "inclusive"),
        ("litellm", "openai", "inclusive"),
    },
    "langsmith/sdk_runs.runs.jsonl": {("langsmith", "openai", "inclusive")},
    "langsmith/sdk_runs.bulk_export.parquet": {("langsmith", "openai", "inclusive")},
    "langfuse/sdk_v2_ingestion/ingestion_batch.json": {("langfuse", None, "exclusive")},
    "phoenix/support-rag.spans.parquet": {("phoenix", "openai", "inclusive")},
    "phoenix/support-rag.rest_spans.json": {("phoenix", "openai", "inclusive")},
    "otlp_json/openinference_anthropic_plus_sdk_native.traces.jsonl": {
        ("com.anthropic.sdk.python 1.17.0", "anthropic", "inclusive"),
    },
    "otlp_json/openinference_openai.traces.jsonl": {
        ("openinference.instrumentation.openai 0.1.66", "openai", "inclusive"),
    },
    "otlp_json/openllmetry_openai_0.62.4.traces.jsonl": {
        ("opentelemetry.instrumentation.openai.v1 0.62.4", "openai", "inclusive"),
    },
}
"""Verdicts on the real exports with cache tokens, as each maker's code or documentation has them."""


@pytest.mark.parametrize("path", EXPECTED)
def test_real_exports_with_a_cache_are_judged_as_their_makers_document(shared, path):
    """And after the readers' conversions none of their counts is impossible."""
    found = token_conventions(price_calls(load_traces(shared / "fixtures" / path)))
    cached = found.filter(pl.col("cached_call_count") > 0)
    assert set(cached.select("instrumentation", "provider", "verdict").rows()) == EXPECTED[path]
    assert found["impossible_count"].sum() == 0


def test_the_effect_is_unknown_where_only_one_convention_was_priced(engine, calls):
    """Zero would say that the convention does not matter."""
    found = collected(token_conventions(engine(calls(cost_usd=[0.5]))))
    assert found.select("spend_usd", "convention_effect_usd").row(0) == (0.5, None)
