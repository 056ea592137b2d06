"""Two prompts on production traffic: numbers by hand, checks that void, words that hold under peeking."""

import math
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from llmops_lib import Experiment, assign, compare_prompts, with_refusals
from llmops_lib.errors import ComparisonError, MissingColumnError
from llmops_lib.stats.cluster_permutation import cluster_permutation, permutation_interval
from llmops_lib.stats.ratio_score import null_variance
from tests.measures.conftest import MONDAY, _calls


def traffic(of_a, of_b, **columns):
    """Calls from the costs of each user: the first user of arm a is `a000`; arms take turns in time."""
    rows = [
        (f"{arm}{place:03d}", arm, float(cost), turn)
        for arm, users in (("a", of_a), ("b", of_b))
        for place, costs in enumerate(users)
        for turn, cost in enumerate(costs)
    ]
    height = len(rows)
    told = {
        "user_id": [row[0] for row in rows],
        "prompt_name": ["answer"] * height,
        "prompt_version": [{"a": "1", "b": "2"}[row[1]] for row in rows],
        "started_at": [MONDAY + timedelta(hours=row[3] % 24) for row in rows],
        "cost_usd": [row[2] for row in rows],
        "latency_ms": [1000 * row[2] for row in rows],
        "input_tokens": [100] * height,
        "output_tokens": [10] * height,
    }
    return _calls(**{**told, **columns})


def compared(spans, **options):
    """Version 2 of `answer` against version 1, looked at once."""
    return compare_prompts(spans, **{"a": "answer@1", "b": "answer@2", "monitoring": "fixed", **options})


def row_of(found, metric="cost_per_call_usd"):
    """The row of one metric."""
    return found.metrics.row(by_predicate=pl.col("metric") == metric, named=True)


def noisy(users, level, seed, calls=3):
    """Costs of users: each has a level of its own."""
    generator = np.random.default_rng(seed)
    own = generator.normal(level, 0.2, users)
    return [(base + generator.normal(0, 0.05, calls)).clip(0.01) for base in own]


def test_cost_per_call_is_a_ratio_over_users():
    """Users (4, 2), (3), (5): R = 14/4; e = -1, -1/2, 3/2; V = var(e) 3 / 16; five more for the least."""
    of_a = [[4.0, 2.0], [3.0], [5.0], [3.5], [3.5]]
    of_b = [[5.0, 3.0], [4.0], [6.0], [4.5], [4.5]]
    row = row_of(compared(traffic(of_a, of_b)))
    counts, sums = np.array([2, 1, 1, 1, 1]), np.array([6, 3, 5, 3.5, 3.5])
    value = 21 / 6
    variance = np.var(sums - value * counts, ddof=1) * 5 / 36
    assert (row["a_value"], row["b_value"]) == (3.5, 4.5)
    assert row["diff"] == pytest.approx(1.0)
    assert row["se"] == pytest.approx(math.sqrt(2 * variance))
    assert row["lift"] == pytest.approx(1 / 3.5)


def test_few_users_are_re_assigned():
    """Below 50 users in an arm the p value is that of the studentised permutation: all 252 of 5 + 5."""
    of_a, of_b = [[1.0], [2.0], [3.0], [4.0], [5.0]], [[6.0], [7.0], [8.0], [9.0], [11.0]]
    row = row_of(compared(traffic(of_a, of_b)))
    sums = [costs[0] for costs in (*of_a, *of_b)]
    by_hand = cluster_permutation(sums, [1] * 10, [False] * 5 + [True] * 5)
    assert (row["p_method"], row["p_value"]) == ("cluster_permutation", by_hand.p_two_sided)
    assert (row["verdict"], "approximate" in row["reason"]) == ("worse", True)


def test_the_interval_of_few_users_is_that_of_the_permutation():
    """The only look at 5 + 5 users: what re-assigning them does not reject, and so it says what p says."""
    of_a, of_b = [[1.0], [2.0], [3.0], [4.0], [5.0]], [[6.0], [7.0], [8.0], [9.0], [11.0]]
    row = row_of(compared(traffic(of_a, of_b)))
    sums = [costs[0] for costs in (*of_a, *of_b)]
    by_hand = permutation_interval(sums, [1] * 10, [False] * 5 + [True] * 5)(0.05)
    assert (row["lower"], row["upper"]) == (pytest.approx(by_hand.lower), pytest.approx(by_hand.upper))
    assert row["lower"] > 0


def test_a_single_look_tests_by_what_both_arms_share():
    """80 + 80 users: Welch's t of the residuals around the ratio of all, and an interval that agrees."""
    of_a, of_b = noisy(80, 1.0, 1), noisy(80, 1.05, 2)
    row = row_of(compared(traffic(of_a, of_b)))
    sums = [np.array([sum(costs) for costs in arm]) for arm in (of_b, of_a)]
    counts = [np.array([len(costs) for costs in arm]) for arm in (of_b, of_a)]
    null = null_variance((sums[0], counts[0]), (sums[1], counts[1]))
    assert row["p_value"] == pytest.approx(null.p_two_sided(row["diff"]))
    p = row["p_value"]
    for alpha, is_outside in ((p * 1.001, True), (p * 0.999, False)):
        limits = row_of(compared(traffic(of_a, of_b), alpha=alpha))
        assert (limits["lower"] > 0 or limits["upper"] < 0) == is_outside


def test_fewer_than_five_users_are_refused():
    """Four users say nothing: no interval, no p value, the reason told."""
    found = compared(traffic([[1.0]] * 4, [[2.0]] * 6))
    row = row_of(found)
    assert (found.verdict, row["lower"], row["p_value"]) == ("inconclusive", None, None)
    assert row["reason"] == "too_few_clusters"


def test_a_dearer_prompt_is_worse_and_a_cheaper_one_better():
    """Less is better for cost; the verdict speaks of b."""
    low, high = noisy(80, 1.0, 1), noisy(80, 1.5, 2)
    assert compared(traffic(low, high)).verdict == "worse"
    assert compared(traffic(high, low), guardrails=()).verdict == "better"


def test_the_same_calls_in_both_arms_find_nothing():
    """A/A: no difference at all, in any metric."""
    same = noisy(60, 1.0, 3)
    found = compared(traffic(same, same))
    assert set(found.metrics["verdict"].drop_nulls()) <= {"equivalent", "inconclusive"}
    assert set(found.metrics["diff"].drop_nulls()) == {0.0}


def test_arms_drawn_from_one_find_as_little_as_promised():
    """A/A law: of 120 random splits of users who differ a lot, no more than chance are called different."""
    users = noisy(120, 1.0, 4, calls=2)
    generator, alarms = np.random.default_rng(5), 0
    for _ in range(120):
        order = generator.permutation(120)
        split = [[users[place] for place in half] for half in (order[:60], order[60:])]
        alarms += compared(traffic(*split)).verdict in ("better", "worse")
    # Primary at 5%, three guardrails at 1%: 8% at most is 10 of 120; 19 is beyond 3 standard errors.
    assert alarms <= 19


def test_equivalence_rests_on_the_margin():
    """60 + 60 users whose cost differs by nothing to speak of."""
    same = [[1.0 + place % 5 / 1000] for place in range(60)]
    close = traffic(same, same[1:] + same[:1])
    assert compared(close).verdict == "equivalent"
    assert compared(close, margins={"cost_per_call_usd": 1e-6}).verdict == "inconclusive"


def test_an_interval_for_many_looks_is_wider_than_for_one():
    """What holds at every look costs width, and a planned look early on does; the last one hardly."""
    spans = traffic(noisy(100, 1.0, 6), noisy(100, 1.05, 7))
    widths = {}
    for kind in ("fixed", "group_sequential", "anytime"):
        row = row_of(compared(spans, monitoring=kind, planned_users=400))
        widths[kind] = row["upper"] - row["lower"]
        assert row["method"] == f"ratio_delta_{kind}"
    assert min(widths["group_sequential"], widths["anytime"]) > 1.3 * widths["fixed"]
    last = row_of(compared(spans, monitoring="group_sequential", planned_users=200, earlier_looks=(50, 100)))
    assert last["upper"] - last["lower"] == pytest.approx(widths["fixed"], rel=0.05)


def test_a_planned_look_stops_where_its_limit_does():
    """The p value of a look is the level at which it would stop: 2 looks of O'Brien-Fleming type."""
    spans = traffic(noisy(100, 1.0, 6), noisy(100, 1.12, 7))
    for planned, earlier in ((200, (100,)), (800, ())):
        plan = {"monitoring": "group_sequential", "planned_users": planned, "earlier_looks": earlier}
        p = row_of(compared(spans, **plan))["p_value"]
        for alpha, stops in ((p * 1.01, True), (p * 0.99, False)):
            row = row_of(compared(spans, **plan, alpha=alpha))
            assert (row["lower"] > 0, row["verdict"] == "worse") == (stops, stops)


def test_nobody_acts_on_a_few_users_while_anybody_may_look():
    """The confidence sequence holds for many users; before 50 in an arm it says that it is too early."""
    found = compared(traffic(noisy(20, 1.0, 1), noisy(20, 3.0, 2)), monitoring="anytime")
    row = row_of(found)
    assert (found.verdict, row["p_method"]) == ("inconclusive", "cluster_permutation")
    assert row["p_value"] < 0.001
    assert "too early" in found.reasons[0]


def test_a_lopsided_split_voids_everything():
    """90 of 120 users in one arm: assignment is broken, and no effect is shown."""
    found = compared(traffic([[1.0]] * 90, [[2.0]] * 30))
    assert (found.verdict, found.metrics.height) == ("invalid", 0)
    assert "split of users: 90 and 30 users, planned 1:1" in found.reasons[0]
    assert compared(traffic(noisy(150, 1, 1), noisy(50, 2, 2)), split=(3, 1)).verdict == "worse"


def test_one_arm_after_the_other_is_no_comparison():
    """Before and after a release, everything else changed too."""
    spans = traffic([[1.0] * 4] * 30, [[1.0] * 4] * 30)
    later = pl.when(pl.col("prompt_version") == "2").then(pl.lit(timedelta(days=7))).otherwise(timedelta())
    found = compared(spans.with_columns(pl.col("started_at") + later))
    assert found.verdict == "invalid"
    assert found.reasons[0].startswith("arms ran at once: users of both arms called at the same times to 0%")


def test_users_in_both_arms_are_left_out_and_counted():
    """Two users saw both prompts: what they did says nothing of either."""
    spans = traffic(noisy(60, 1.0, 1), noisy(60, 1.0, 2))
    both = pl.col("user_id").replace({"b000": "a000", "b001": "a001"})
    found = compared(spans.with_columns(both))
    assert found.arms["user_count"].to_list() == [58, 58]
    assert any("2 users with 12 calls were in both arms" in told for told in found.warnings)


def test_where_every_user_saw_both_prompts_nobody_can_tell_them_apart():
    """That is so of every release that all users got: the verdict says what to do instead."""
    spans = traffic(noisy(60, 1.0, 1), noisy(60, 1.0, 2))
    found = compared(spans.with_columns(pl.col("user_id").str.replace("b", "a")))
    assert found.verdict == "invalid"
    assert found.reasons[0].startswith("users in both arms: 60 users with 360 calls were in both arms")
    assert "give each user one of them" in found.reasons[0]


def test_a_cost_that_one_arm_does_not_tell_is_not_compared():
    """Half of b has no price: its mean is that of the cheap half."""
    spans = traffic(noisy(60, 1.0, 1), noisy(60, 1.0, 2))
    hidden = pl.when((pl.col("prompt_version") == "2") & (pl.int_range(pl.len()) % 2 == 0)).then(None)
    found = compared(spans.with_columns(hidden.otherwise("cost_usd").alias("cost_usd")))
    row = row_of(found)
    assert (found.verdict, row["verdict"]) == ("invalid", "invalid")
    assert "calls without cost differ" in row["reason"]
    assert row_of(found, "input_tokens_per_call")["verdict"] != "invalid"


def test_calls_without_a_user_count_by_session_with_a_warning():
    """Sessions first, traces last, and it is said, since such calls are less independent than they look."""
    spans = traffic(noisy(50, 1.0, 1), noisy(50, 1.0, 2))
    anonymous = spans.with_columns(session_id=pl.col("user_id"), user_id=pl.lit(None, pl.String))
    found = compared(anonymous)
    assert row_of(found)["unit"] == "session"
    assert any("300 count by session" in told for told in found.warnings)


def test_one_user_with_many_calls_is_one_user():
    """A heavy user in b makes 300 dear calls: over calls that is proof, over users it is one of 60."""
    of_a, of_b = noisy(60, 1.0, 1), noisy(60, 1.0, 2)
    of_b[0] = np.full(300, 3.0)
    row = row_of(compared(traffic(of_a, of_b)))
    assert row["lift"] > 0.5
    assert row["verdict"] == "inconclusive"


def test_a_guardrail_outweighs_a_gain():
    """Cheaper by a third, and one call in ten fails: worse."""
    spans = traffic(noisy(80, 1.5, 1, calls=10), noisy(80, 1.0, 2, calls=10))
    fails = (pl.col("prompt_version") == "2") & (pl.int_range(pl.len()) % 10 == 0)
    found = compared(spans.with_columns(is_error=fails))
    assert row_of(found)["verdict"] == "better"
    assert found.verdict == "worse"
    assert found.reasons[1].startswith("guardrail error_share: worse")


def test_metrics_people_browse_are_adjusted_together():
    """One token count differs; beside the others its p value is adjusted, and both stand there."""
    spans = traffic(noisy(60, 1.0, 1), noisy(60, 1.0, 2))
    rows = pl.int_range(pl.len()) % 7
    longer = pl.when(pl.col("prompt_version") == "2").then(13 + rows).otherwise(10 + rows)
    row = row_of(compared(spans.with_columns(output_tokens=longer.cast(pl.Int64))), "output_tokens_per_call")
    assert (row["role"], row["verdict"]) == ("other", "worse")
    assert row["p_adjusted"] >= row["p_value"]


def test_latency_percentiles_are_those_of_the_calls():
    """Type 7 percentiles over all calls of an arm, an interval over users."""
    of_a, of_b = noisy(60, 1.0, 1), noisy(60, 1.6, 2)
    row = row_of(compared(traffic(of_a, of_b)), "latency_p95_ms")
    assert row["a_value"] == pytest.approx(1000 * np.quantile(np.concatenate(of_a), 0.95))
    assert (row["role"], row["verdict"], row["method"]) == ("guardrail", "worse", "quantile_delta_fixed")


def test_feedback_and_its_response_rate_stand_apart():
    """Half of a rates, and likes it; a quarter of b does, and does not."""
    spans = traffic([[1.0] * 4] * 60, [[1.0] * 4] * 60)
    place = pl.int_range(pl.len()) % 4
    of_b = pl.col("prompt_version") == "2"
    score = pl.when(of_b & (place == 0)).then(0.0).when(~of_b & (place < 2)).then(1.0)
    found = compared(spans.with_columns(feedback_score=score))
    assert row_of(found, "feedback_score_mean")["a_value"] == 1.0
    assert row_of(found, "feedback_score_mean")["b_value"] == 0.0
    rates = row_of(found, "feedback_response_share")
    assert (rates["a_value"], rates["b_value"], rates["verdict"]) == (0.5, 0.25, None)


def test_refusals_are_read_from_the_answers():
    """Once the texts are told, a table without them compares alike."""
    spans = traffic([[1.0] * 2] * 60, [[1.0] * 2] * 60)
    said = '[{"role":"assistant","parts":[{"type":"text","content":"%s"}]}]'
    refuses = (pl.col("prompt_version") == "2") & (pl.int_range(pl.len()) % 3 == 0)
    texts = (
        pl.when(refuses)
        .then(pl.lit(said % "I'm sorry, I cannot help with that."))
        .otherwise(pl.lit(said % "It takes 30 days."))
    )
    spans = spans.with_columns(output=texts)
    row = row_of(compared(spans), "refusal_share")
    assert (row["a_value"], row["b_value"], row["verdict"]) == (0.0, pytest.approx(1 / 3), "worse")
    assert row_of(compared(with_refusals(spans).drop("output")), "refusal_share") == row


def test_what_users_did_before_takes_noise_away():
    """CUPED: users differ far more than the prompts; their own past explains it."""
    spans = traffic(noisy(100, 1.0, 1), noisy(100, 1.0, 2))
    means = spans.group_by("user_id").agg(pl.col("cost_usd").mean())
    past = (
        spans.drop("cost_usd")
        .join(means, on="user_id")
        .with_columns(pl.col("started_at") - timedelta(days=30), prompt_version=pl.lit("0"))
    )
    plain, adjusted = row_of(compared(spans)), row_of(compared(spans, before=past))
    assert adjusted["method"] == "ratio_delta_cuped_fixed"
    assert adjusted["variance_removed_share"] > 0.9
    assert adjusted["se"] < plain["se"] / 3
    with pytest.raises(ComparisonError, match="expected calls from before"):
        compared(spans, before=spans)


def test_what_would_settle_it_is_told():
    """Users needed grow with the square of what is seen over what matters; days with the traffic."""
    row = row_of(
        compared(traffic(noisy(60, 1.0, 1), noisy(60, 1.05, 2)), margins={"cost_per_call_usd": 0.01})
    )
    assert row["users_needed"] == math.ceil(120 * (row["smallest_seen"] / 0.01) ** 2)
    assert row["days_needed"] == math.ceil((row["users_needed"] - 120) / 120)


def test_arms_are_told_by_what_assign_logged():
    """The attribute stands on the root of a trace; the call below it belongs to the arm."""
    tone = Experiment(name="tone", arms={"control": 1, "warm": 1})
    users = [f"user-{number}" for number in range(200)]
    logged = [assign(user, tone).attributes for user in users]
    roots = _calls(
        trace_id=users,
        span_id=[f"root-{user}" for user in users],
        user_id=users,
        is_model_call=[False] * 200,
        attributes=[str(told).replace("'", '"') for told in logged],
    )
    arms = [assign(user, tone).arm for user in users]
    costs = [1.0 + place % 7 / 100 + (arm == "warm") for place, arm in enumerate(arms)]
    calls = _calls(trace_id=users, span_id=users, user_id=users, cost_usd=costs)
    found = compare_prompts(pl.concat([roots, calls]), a="control", b="warm", experiment="tone")
    assert found.arms["user_count"].to_list() == [arms.count("control"), arms.count("warm")]
    assert found.verdict == "worse"


def test_every_engine_gives_the_same_rows(engine):
    """Spans lie in whatever a team works with."""
    spans = traffic(noisy(60, 1.0, 1), noisy(60, 1.4, 2)).drop("tags")
    plain = compared(spans)
    found = compared(engine(spans))
    assert found.verdict == plain.verdict
    assert found.metrics.equals(plain.metrics)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"b": "answer@9"}, r"no model call of answer@9; there are answer@1, answer@2"),
        ({"b": "answer@1"}, "both arms are 'answer@1'; expected two"),
        ({"primary": "joy"}, "no metric joy; there are cost_per_call_usd"),
        ({"primary": "calls_per_user"}, "have no good direction"),
        ({"monitoring": "often"}, "expected one of anytime"),
        ({"monitoring": "group_sequential"}, "needs planned_users"),
        ({"margins": {"error_share": 0.0}}, "expected numbers above 0"),
        ({"a": None}, "a: found None, expected NAME@VERSION"),
        ({"split": (1, 0)}, r"split: found \(1, 0\), expected two positive numbers"),
        ({"guardrails": "joy"}, "no metric joy; there are cost_per_call_usd"),
        (
            {"monitoring": "group_sequential", "planned_users": 90, "earlier_looks": (8, 6)},
            r"earlier_looks: found \(8, 6\), expected the users of both arms at each look",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(options, said):
    """One line: what was found, what there is."""
    with pytest.raises(ComparisonError, match=said):
        compared(traffic([[1.0]] * 6, [[1.0]] * 6), **options)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"started_at": None}, "spans: 1 of 12 calls have no started_at, expected one each"),
        ({"user_id": None, "session_id": None, "trace_id": None}, "1 of 12 calls have neither user, session"),
        ({"cost_usd": math.inf}, "spans: cost_usd is infinite in some of 12 calls"),
    ],
)
def test_calls_that_cannot_be_placed_are_refused(changed, said):
    """Whether the arms ran at once, and what is independent, cannot be told of such a call."""
    spans, at = traffic([[1.0]] * 6, [[2.0]] * 6), pl.int_range(pl.len()) == 0
    lost = [
        pl.when(at).then(pl.lit(value, spans.schema[name])).otherwise(name).alias(name)
        for name, value in changed.items()
    ]
    with pytest.raises(ComparisonError, match=said):
        compared(spans.with_columns(lost))


def test_times_that_are_words_are_refused():
    """They would have to be read first, and only their owner knows in which zone."""
    spans = traffic([[1.0]] * 6, [[2.0]] * 6).with_columns(pl.col("started_at").cast(pl.String))
    with pytest.raises(ComparisonError, match="started_at holds String, expected datetimes"):
        compared(spans)


def bare(spans):
    """The same calls without the zone of their times."""
    return spans.with_columns(pl.col("started_at").dt.replace_time_zone(None))


def test_times_with_and_without_a_zone_are_not_ordered():
    """A zone is never guessed, so nobody can tell whether the covariate is from before."""
    spans = traffic(noisy(60, 1.0, 1), noisy(60, 1.0, 2))
    earlier = spans.with_columns(pl.col("started_at") - timedelta(days=7))
    with pytest.raises(ComparisonError, match="before: started_at has no time zone, and that of spans has"):
        compared(spans, before=bare(earlier))
    with pytest.raises(ComparisonError, match="spans: started_at has no time zone, and that of before has"):
        compared(bare(spans), before=earlier)
    assert compared(bare(spans), before=bare(earlier)).verdict != "invalid"


def test_a_covariate_without_a_time_is_refused():
    """One from during the experiment takes its effect away, and no time proves that this is not one."""
    spans = traffic(noisy(60, 1.0, 1), noisy(60, 1.0, 2))
    untimed = spans.with_columns(started_at=pl.lit(None, spans.schema["started_at"]))
    with pytest.raises(ComparisonError, match="before: 360 of 360 calls have no started_at"):
        compared(spans, before=untimed)


def test_a_covariate_of_other_users_is_told():
    """Ids of another system match nobody, and the noise stays without a word."""
    spans = traffic(noisy(60, 1.0, 1), noisy(60, 1.0, 2))
    earlier = spans.with_columns(pl.col("started_at") - timedelta(days=7))
    strangers = earlier.with_columns(user_id="crm-" + pl.col("user_id"))
    assert any("before took no noise away" in told for told in compared(spans, before=strangers).warnings)
    assert not any("before took" in told for told in compared(spans, before=earlier).warnings)


def test_what_nobody_knows_is_no_zero():
    """Users without any known cost did not spend nothing, and unknown is no success."""
    spans = traffic(noisy(60, 1.0, 1), noisy(60, 1.3, 2)).with_columns(
        cost_usd=pl.lit(None, pl.Float64), is_error=pl.lit(None, pl.Boolean)
    )
    found = compared(spans)
    for metric in ("cost_per_call_usd", "cost_per_user_usd", "error_share"):
        assert (row_of(found, metric)["a_value"], row_of(found, metric)["p_value"]) == (None, None)
    assert "no call of a or b tells it" in found.reasons[0]


def test_arms_may_trade_places_and_rows_may_lie_in_any_order():
    """Which prompt is called the baseline, and how a table is sorted, is no evidence."""
    spans = traffic(noisy(6, 1.0, 1), noisy(7, 1.6, 2)).with_columns(is_error=pl.int_range(pl.len()) % 7 == 0)
    there = row_of(compared(spans, split=(6, 7)))
    back = row_of(compared(spans, a="answer@2", b="answer@1", split=(7, 6)))
    mixed = row_of(compared(spans.sample(fraction=1, shuffle=True, seed=3), split=(6, 7)))
    assert (there["verdict"], back["verdict"], mixed["verdict"]) == ("worse", "better", "worse")
    assert there["p_value"] == back["p_value"] == mixed["p_value"]
    assert (there["lower"], there["upper"]) == pytest.approx((-back["upper"], -back["lower"]))
    assert (there["lower"], there["upper"]) == pytest.approx((mixed["lower"], mixed["upper"]))


def test_calls_must_be_priced_first():
    """A comparison of costs that nobody worked out would be one of nothing."""
    with pytest.raises(MissingColumnError, match="price_calls"):
        compared(traffic([[1.0]] * 6, [[1.0]] * 6).drop("cost_usd"))
