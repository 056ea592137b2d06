"""A probability sample: known chances, the same calls every time, weights that add up."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib import load_plan, load_sample, sample_calls, sampling_plan, write_sample
from llmops_lib.errors import EmptyPeriodError, EngineError, SchemaError
from llmops_lib.schema import SPANS, conform

START = datetime(2026, 11, 9, tzinfo=UTC)
OUTPUT = '[{"role":"assistant","parts":[{"type":"text","content":"%s"}]}]'


def call(number, **changes):
    """One answering call."""
    row = {
        "trace_id": f"t{number:05d}",
        "span_id": "s",
        "operation": "chat",
        "is_model_call": True,
        "started_at": START + timedelta(seconds=number),
        "ended_at": START + timedelta(seconds=number, milliseconds=500),
        "is_error": False,
        "feature": "faq",
        "tenant": "acme",
        "user_id": f"u{number % 50}",
        "input": "hello",
        "output": OUTPUT % "Within 30 days.",
        "input_tokens": 100,
        "output_tokens": 10,
        "source_format": "otlp",
        "source_file": "export",
    }
    return row | changes


def spans(*rows):
    """SPANS of rows."""
    return conform(pl.DataFrame(rows, infer_schema_length=None), SPANS)


@pytest.fixture(scope="module")
def traffic():
    """4,000 calls, of which 40 failed and 20 are of a rare feature."""
    rows = [call(number) for number in range(4_000)]
    for number in range(0, 4_000, 100):
        rows[number] |= {"is_error": True}
        rows[number + 1] |= {"feature": "export_pdf" if number % 200 else "faq"}
    return spans(*rows)


def drawn(traffic, **options):
    """The sample of a plan made for the same traffic."""
    return sample_calls(traffic, sampling_plan(traffic, **options)).collect()


def test_the_same_plan_draws_the_same_calls_in_any_order(traffic):
    """Nothing but trace, salt and kind decides; a store may deliver rows as it likes."""
    plan = sampling_plan(traffic, rate=0.05)
    first = sample_calls(traffic, plan).collect()
    again = sample_calls(traffic.sample(fraction=1.0, shuffle=True, seed=3).lazy(), plan).collect()
    assert first.equals(again)
    assert 0 < first.height < traffic.height


@settings(deadline=None, max_examples=8)
@given(low=st.floats(0.001, 1), high=st.floats(0.001, 1))
def test_a_higher_rate_keeps_what_was_drawn(traffic, low, high):
    """A judge that was paid for once need not be paid again."""
    fewer, more = (set(drawn(traffic, rate=rate)["trace_id"]) for rate in sorted((low, high)))
    assert fewer <= more


def test_a_rate_of_one_draws_everything(traffic):
    """The whole is the sample that nothing is unknown of."""
    everything = drawn(traffic, rate=1.0)
    assert everything.height == traffic.height
    assert everything["weight"].unique().to_list() == [1.0]


def test_what_may_be_wrong_is_drawn_more_often_and_weighs_less(traffic):
    """Failures are what judgements are most wanted of; the weight takes the excess back."""
    strata = sampling_plan(traffic, rate=0.01).strata
    chances = dict(strata.select(pl.col("stratum").str.split(" / ").list.first(), "chance").rows())
    assert chances["error"] == chances["rare_feature"] == pytest.approx(50 * chances["none"])
    assert strata["weight"].max() / strata["weight"].min() == pytest.approx(50)
    more = dict(sampling_plan(traffic, rate=0.05).strata.select("stratum", "chance").rows())
    assert more["error / all others"] == pytest.approx(30 / 40)


def test_weights_add_up_to_the_traffic(traffic):
    """One over the chance is how many calls a drawn one stands for: over many salts nothing is biased."""
    plans = [sampling_plan(traffic, rate=0.05, salt=f"salt {number}") for number in range(40)]
    totals = [sample_calls(traffic, plan).select("weight").collect()["weight"].sum() for plan in plans]
    assert sum(totals) / len(totals) == pytest.approx(traffic.height, rel=0.03)


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({"is_error": True, "output": None}, "error"),
        ({"output": OUTPUT % "I'm sorry, but I can't help with that."}, "refusal"),
        ({"output": "I cannot help with that."}, "refusal"),
        ({"feedback_score": 0.0}, "low_feedback"),
        ({"feedback_score": 1.0}, "none"),
        ({"output_tokens": 5_000}, "outlier"),
        ({"feature": "rare"}, "rare_feature"),
        ({"feature": None}, "none"),
    ],
)
def test_each_flag_is_found(changes, flag):
    """The foremost thing that may be wrong decides the stratum."""
    ordinary = [call(number, feedback_score=None if number else 1.0) for number in range(300)]
    found = drawn(spans(*ordinary, call(900, feedback_score=0.0), call(999, **changes)), rate=1.0)
    assert found.filter(trace_id="t00999")["risk_flag"].item() == flag


def test_feedback_on_the_root_of_a_trace_counts_for_its_answer():
    """Some tools write what a user thought on the root span, which is no call."""
    root = call(7, span_id="root", operation="chain", is_model_call=False, feedback_score=-1.0)
    rows = [*(call(number) for number in range(300)), root, call(8, feedback_score=1.0, span_id="x")]
    found = drawn(spans(*rows), rate=1.0)
    assert found.filter(trace_id="t00007")["risk_flag"].to_list() == ["low_feedback"]


def test_a_retry_is_flagged_on_both_sides():
    """The failed one is an error first; the one that made it again is a retry."""
    failed = call(3, is_error=True)
    again = call(4, trace_id="t00003", span_id="again")
    found = drawn(spans(*(call(number) for number in range(10, 300)), failed, again), rate=1.0)
    flags = dict(found.filter(trace_id="t00003").select("span_id", "risk_flag").rows())
    assert flags == {"s": "error", "again": "retry"}


def test_steps_and_embeddings_are_no_answers():
    """A call that asks for a tool has said nothing yet; counting it as an answer would dilute quality."""
    rows = [
        call(1),
        call(2, finish_reason="tool_calls"),
        call(3, tool_calls='[{"name":"f"}]'),
        call(4, operation="embeddings"),
        call(5, tool_calls="[]"),
    ]
    assert drawn(spans(*rows), rate=1.0)["trace_id"].to_list() == ["t00001", "t00005"]


def test_earlier_judgements_move_the_sample_to_where_scores_vary():
    """Neyman: a stratum whose scores are all alike need not be asked often."""
    rows = [call(number, feature="varied" if number % 2 else "steady") for number in range(12_000)]
    names = {feature: f"none / {feature} / (none) / large" for feature in ("varied", "steady")}
    judged = pl.DataFrame(
        {
            "stratum": [names["varied"]] * 400 + [names["steady"]] * 400,
            "score": [0.0, 1.0] * 200 + [1.0] * 400,
        }
    )
    plan = sampling_plan(spans(*rows), rate=0.05, scores=judged)
    chances = dict(plan.strata.select("stratum", "chance").rows())
    assert chances[names["varied"]] > 2 * chances[names["steady"]] > 0


def test_a_stored_plan_draws_later_calls_with_the_same_chances(traffic, tmp_path):
    """Samples of several weeks can be put together only where chances mean the same."""
    plan = sampling_plan(traffic, rate=0.05)
    sample = sample_calls(traffic, plan).collect()
    path = write_sample(sample, plan, tmp_path)
    kept = load_plan(tmp_path / "plan.json")
    assert sample_calls(traffic, kept).collect().equals(load_sample(path))
    assert (
        load_sample(tmp_path / "sample.jsonl")
        .select("trace_id", "chance")
        .equals(sample.select("trace_id", "chance"))
    )


def test_a_kind_that_the_plan_has_not_seen_has_the_largest_chance_of_its_flag(traffic):
    """New traffic must not fall out of the sample, nor flood it."""
    plan = sampling_plan(traffic, rate=0.05)
    later = spans(*(call(number, tenant=None) for number in range(50_000, 54_000)))
    found = sample_calls(later, plan).collect()
    of_flag = dict(plan.kinds.group_by("risk_flag").agg(pl.col("chance").max()).rows())
    assert found["stratum"].unique().to_list() == ["none / unplanned"]
    assert found["chance"].unique().to_list() == [of_flag["none"]]


def test_a_lazy_table_is_not_collected(traffic):
    """A store of any size is sampled as it streams by."""
    assert isinstance(sample_calls(traffic.lazy(), sampling_plan(traffic)), pl.LazyFrame)


@pytest.mark.parametrize("rate", [0, -0.1, 1.5, float("nan")])
def test_a_rate_that_is_no_share_is_refused(traffic, rate):
    """A typo of 1 for 1% would judge, and pay for, everything: at least nonsense is caught."""
    with pytest.raises(SchemaError, match="above 0 and at most 1"):
        sampling_plan(traffic, rate=rate)


def test_traffic_without_answers_says_so(traffic):
    """An empty sample would look like a good week."""
    with pytest.raises(EmptyPeriodError, match="no call that answers"):
        sampling_plan(traffic.filter(is_model_call=False))
    with pytest.raises(EngineError, match="polars"):
        sampling_plan(traffic.to_pandas())


@pytest.mark.parametrize("text", ["", "[]", '{"rate": 1}', '{"kinds": [{"chance": 7}]}'])
def test_what_is_no_plan_is_refused(text, tmp_path):
    """Chances that were made up would make every estimate wrong and none look it."""
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(SchemaError, match="plan"):
        load_plan(path)


def test_a_sample_without_chances_is_refused(traffic, tmp_path):
    """No chance, no estimate."""
    path = tmp_path / "calls.parquet"
    traffic.write_parquet(path)
    with pytest.raises(SchemaError, match="chance"):
        load_sample(path)
    traffic.with_columns(chance=pl.lit(2.0)).write_parquet(path)
    with pytest.raises(SchemaError, match="at most 1"):
        load_sample(path)
    path.write_text("no parquet")
    with pytest.raises(SchemaError, match="cannot be read"):
        load_sample(path)
