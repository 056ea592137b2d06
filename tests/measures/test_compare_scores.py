"""Two eval runs, case by case: the words of the verdict, and the numbers under them, by hand."""

import math
from itertools import combinations

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib import compare_scores
from llmops_lib.errors import ComparisonError


def rows(run, scores, *, scorer="facts", suite_hash="s", **facts):
    """A run: for each case a list of the scores of its trials; None is a missing score."""
    told = orjson.dumps({"grader_hash": "g", **facts}).decode()
    return pl.DataFrame(
        [
            {
                "run_id": run,
                "suite_hash": suite_hash,
                "example_id": str(name),
                "trial": trial,
                "scorer": scorer,
                "score": None if score is None else float(score),
                "prompt_name": "answer",
                "prompt_version": run,
                "output": f"{run} {name} {trial}",
                "metadata": told,
            }
            for name, trials in scores.items()
            for trial, score in enumerate(trials, start=1)
        ],
        schema_overrides={"score": pl.Float64},
    )


def both(before, after, **changed):
    """Scores of two runs, `a` and `b`."""
    return pl.concat([rows("a", before, **changed), rows("b", after, **changed)])


def compared(before, after, *, facts=None, **options):
    """The comparison of two runs."""
    return compare_scores(both(before, after, **(facts or {})), baseline="a", candidate="b", **options)


def once(*scores):
    """One trial per case."""
    return {f"c{place:03d}": [score] for place, score in enumerate(scores)}


def only(found):
    """The row of the one scorer."""
    return found.scorers.row(0, named=True)


def test_pass_or_fail_once_is_mcnemar_and_tango():
    """12 both, 9 regressions, 2 improvements, 21 neither: Tango (1998) by his own formula; p = 134/2048."""
    before = once(*[1] * 12, *[1] * 9, *[0] * 2, *[0] * 21)
    after = once(*[1] * 12, *[0] * 9, *[1] * 2, *[0] * 21)
    row = only(compared(before, after))
    assert (row["p_method"], row["interval_method"], row["unit"]) == ("mcnemar_exact", "tango", "item")
    assert row["p_value"] == pytest.approx(134 / 2048)
    assert row["diff"] == pytest.approx(-7 / 44)
    assert (row["lower"], row["upper"]) == (
        pytest.approx(-0.3116, abs=1e-4),
        pytest.approx(-0.0132, abs=1e-4),
    )


def test_a_proven_gain_is_better_and_the_reverse_worse():
    """Six improvements of six: p = 2/64, by counting."""
    before, after = once(*[0] * 6, *[1] * 20), once(*[1] * 6, *[1] * 20)
    assert compared(before, after).verdict == "better"
    assert compared(after, before).verdict == "worse"
    assert only(compared(before, after))["p_value"] == 2 / 64


def test_what_costs_less_is_better():
    """Direction belongs to the metric: a latency that falls is a gain, and the grader's kind says so."""
    before, after = once(*range(100, 120)), once(*range(90, 110))
    assert compared(before, after).verdict == "worse"
    assert compared(before, after, lower_is_better=("facts",)).verdict == "better"
    assert compared(before, after, facts={"kind": "latency"}).verdict == "better"


def test_equivalence_needs_a_margin_that_was_stated():
    """Two one-sided tests: the same scores on 400 cases prove a gap below 5 points, and none below 0.1."""
    before = once(*[1, 0] * 200)
    after = once(*[1, 0] * 198, 0, 1, 1, 0)
    assert compared(before, after).verdict == "equivalent"
    tight = compared(before, after, margin=0.001)
    assert tight.verdict == "inconclusive"
    assert only(tight)["items_still_needed"] > 0
    other_scale = compared(once(*range(1, 41)), once(*range(1, 40), 41))
    assert only(other_scale)["margin"] is None
    assert other_scale.verdict == "inconclusive"


def test_not_worse_is_one_sided():
    """A gain of unknown size is not equivalent, and surely no harm."""
    row = only(compared(once(*[0] * 30, *[1] * 30), once(*[1] * 30, *[1] * 30)))
    assert (row["is_not_worse"], row["is_within_margin"]) == (True, False)


def test_trials_are_permuted_within_their_case():
    """Two cases of 2 + 2 trials, all won: 1/6 for each, so 2/36 on both sides."""
    row = only(compared({"x": [0, 0], "y": [0, 0]}, {"x": [1, 1], "y": [1, 1]}))
    assert (row["p_method"], row["p_value"]) == ("within_item_exact", pytest.approx(2 / 36))
    assert (row["unit"], row["lower"], row["reason"]) == ("trial", None, "zero_variance")


def test_scores_with_trials_are_permuted_too():
    """One case of 0.1, 0.2 against 0.8, 0.9: one of six arrangements is as high."""
    row = only(compared({"x": [0.1, 0.2]}, {"x": [0.8, 0.9]}))
    assert row["p_method"] == "within_item_enumeration"
    assert row["p_value"] == pytest.approx(2 / 6)


def test_a_score_once_is_the_paired_t_with_the_unpaired_error_beside_it():
    """Differences 1, 2, 3: mean 2, standard error 1/sqrt(3); unpaired far larger."""
    row = only(compared(once(10.0, 20.0, 30.0), once(11.0, 22.0, 33.0)))
    assert (row["p_method"], row["diff"], row["se"]) == ("paired_t", 2.0, pytest.approx(1 / math.sqrt(3)))
    assert row["se_unpaired"] == pytest.approx(math.sqrt((100 + 121) / 3))


def test_a_score_from_0_to_1_reckons_with_what_was_not_drawn():
    """49 of 50 cases alike and one lost: t ends above zero gain by chance, and Tango's limit by 7 points."""
    before, after = once(*[0.9] * 50), once(*[0.9] * 49, 0.0)
    row = only(compared(before, after))
    assert (row["interval_method"], row["p_method"]) == ("tango_bounded", "paired_t")
    assert row["lower"] < -0.08
    assert row["upper"] > 0.05
    assert (row["population_lower"], row["population_upper"]) == (row["lower"], row["upper"])


def test_cases_of_one_document_count_as_one():
    """Five documents of ten alike cases say what five cases would: the interval widens."""
    before = once(*[0.5] * 50)
    after = once(*[0.5 + gap for gap in (0.1, -0.05, 0.2, 0.0, 0.1) for _ in range(10)])
    table = both(before, after).with_columns(document=pl.col("example_id").str.slice(1, 2))
    found = compare_scores(table, baseline="a", candidate="b", cluster="document")
    row = only(found)
    assert (row["unit"], row["unit_count"], row["p_method"]) == ("document", 5, "cluster_cr2_t")
    assert "few or very unequal groups (document)" in found.reasons[0]
    alone = only(compare_scores(table, baseline="a", candidate="b"))
    assert alone["se"] < row["se"] / 2
    assert (alone["p_value"] < 0.001, row["p_value"] > 0.1, row["reason"]) == (True, True, "few_clusters")


def test_few_groups_give_no_interval():
    """Four groups say too little for any limit, and the reason is told."""
    table = both(once(*[0.0, 1.0] * 4), once(*[1.0, 1.0] * 4))
    grouped = table.with_columns(doc=pl.col("example_id").str.tail(1).cast(pl.Int64) // 2)
    row = only(compare_scores(grouped, baseline="a", candidate="b", cluster="doc"))
    assert (row["verdict"], row["lower"], row["reason"]) == ("inconclusive", None, "too_few_clusters")


def test_differences_that_are_all_the_same_have_no_noise_and_still_a_p_value():
    """Ten cases all up by one: no t; signs say 2/1024."""
    row = only(compared(once(*range(10)), once(*range(1, 11))))
    assert (row["p_method"], row["p_value"], row["verdict"]) == ("sign_flip", 2 / 1024, "better")
    assert (row["lower"], row["smallest_seen"]) == (None, None)
    assert "zero_variance" in row["reason"]


def test_another_suite_is_invalid_and_gives_no_number():
    """Numbers of two different suites mean nothing side by side."""
    table = pl.concat([rows("a", once(1, 0)), rows("b", once(1, 1), suite_hash="t")])
    found = compare_scores(table, baseline="a", candidate="b")
    assert (found.verdict, found.scorers.height, found.cases.height) == ("invalid", 0, 0)
    assert "suite is not the same" in found.reasons[0]


def test_crashes_do_not_improve_a_score():
    """3 of 100 cases missing on one side void the comparison; 2 are counted and dropped."""
    before = once(*[1, 0] * 50)
    three = {name: [None] if name in ("c001", "c003", "c005") else trials for name, trials in before.items()}
    assert "misses 3 of 100" in compared(before, three).reasons[0]
    two = {name: [None] if name in ("c001", "c003") else trials for name, trials in before.items()}
    row = only(compared(before, two))
    assert (row["item_count"], row["missing_candidate_count"], row["missing_baseline_count"]) == (98, 2, 0)


def test_many_scorers_are_held_to_one_level():
    """Alone p = 2/64 is a find; beside four others Holm makes it none, and the raw p stays in sight."""
    before, after = once(*[0] * 6, *[1] * 20), once(*[1] * 6, *[1] * 20)
    still = [both(after, after, scorer=f"s{place}") for place in range(4)]
    table = pl.concat([both(before, after), *still])
    row = compare_scores(table, baseline="a", candidate="b").scorers.row(0, named=True)
    assert (row["p_value"], row["p_adjusted"]) == (2 / 64, 10 / 64)
    assert row["verdict"] != "better"


def test_what_got_worse_is_said_before_what_got_better():
    """A gain in one scorer does not pay for a loss in another, unless it is the one that decides."""
    low, high = once(*[0] * 10, *[1] * 10), once(*[1] * 10, *[1] * 10)
    table = pl.concat([both(low, high, scorer="facts"), both(high, low, scorer="tone")])
    assert compare_scores(table, baseline="a", candidate="b").verdict == "worse"
    assert compare_scores(table, baseline="a", candidate="b", primary="facts").verdict == "better"


def test_cases_say_who_won_with_both_answers():
    """The widest gaps first; the texts stand side by side."""
    cases = compared(once(1.0, 0.2, 0.5), once(0.9, 0.9, 0.5)).cases
    assert cases.select("example_id", "winner").rows() == [
        ("c001", "candidate"),
        ("c000", "baseline"),
        ("c002", "tie"),
    ]
    assert cases.select("baseline_output", "candidate_output").row(0) == ("a c001 1", "b c001 1")


def test_sides_are_told_by_prompt_and_repeated_runs_are_trials():
    """`answer@a` was run twice: two trials of each case."""
    again = rows("a", once(1, 1)).with_columns(run_id=pl.lit("a-again"))
    table = pl.concat([rows("a", once(1, 0)), again, rows("b", once(1, 1))])
    found = compare_scores(table, baseline="answer@a", candidate="answer@b", by="prompt")
    assert only(found)["baseline_mean"] == 0.75


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"baseline": "z"}, r"no scores with run_id 'z'; there are a, b"),
        ({"by": "tenant"}, "expected one of run_id"),
        ({"primary": "tone"}, "no scorer tone in both; there are facts"),
        ({"margin": -1.0}, "expected numbers above 0"),
        ({"alpha": 0.7}, "between 0 and 0.5"),
        ({"cluster": "document"}, "no example has a 'document'"),
        ({"lower_is_better": ("secnods",)}, "no scorer secnods in both; there are facts"),
        ({"most_missing_share": 2}, "expected a share from 0 to 1"),
        ({"by": "prompt", "baseline": "answer"}, "found 'answer', expected NAME@VERSION"),
        ({"candidate": None}, "no scores with run_id None; there are a, b"),
    ],
)
def test_what_cannot_be_asked_is_said(options, said):
    """One line: what was found, what there is."""
    table = both(once(1, 0), once(1, 1))
    with pytest.raises(ComparisonError, match=said):
        compare_scores(table, **{"baseline": "a", "candidate": "b", **options})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scorer": None}, "run_id b: 1 of 2 scores have no scorer"),
        ({"example_id": None}, "run_id b: 1 of 2 scores have no example_id"),
        ({"score": math.inf}, "run_id b: 1 of 2 scores are no finite number, such as inf"),
    ],
)
def test_scores_of_nothing_and_no_numbers_are_refused(changed, said):
    """A score without a scorer would be lost unseen, and an infinite one would be the whole mean."""
    table = both(once(1, 0), once(1, 1))
    at = pl.int_range(pl.len()) == 2
    wrong = [
        pl.when(at).then(pl.lit(value, table.schema[name])).otherwise(name).alias(name)
        for name, value in changed.items()
    ]
    with pytest.raises(ComparisonError, match=said):
        compare_scores(table.with_columns(wrong), baseline="a", candidate="b")


def test_scores_that_are_words_are_refused():
    """`yes` is a label; nothing says which number it is."""
    table = both(once(1, 0), once(1, 1)).with_columns(score=pl.lit("yes"))
    with pytest.raises(ComparisonError, match="such as 'yes'; expected numbers"):
        compare_scores(table, baseline="a", candidate="b")


def test_a_row_that_does_not_tell_its_side_is_of_neither(engine):
    """Unknown is not equal: calls of an unknown model once counted as trials of both models."""
    table = both(once(1, 0, 1, 1), once(1, 1, 1, 0)).with_columns(model="run_id")
    stray = rows("c", once(1, 1, 1, 1)).with_columns(model=pl.lit(None, pl.String))
    both_ways = [
        compare_scores(engine(scores), baseline="a", candidate="b", by="model").scorers
        for scores in (table, pl.concat([table, stray]))
    ]
    assert both_ways[0].equals(both_ways[1])


def test_less_is_better_takes_one_name_as_well():
    """A name given alone was taken for a list of letters, and a rise of seconds for a gain."""
    options = {"facts": {"scorer": "seconds"}, "lower_is_better": "seconds"}
    assert compared(once(*[0] * 12), once(*[1] * 12), **options).verdict == "worse"


def test_every_engine_gives_the_same_rows(engine):
    """Scores lie in whatever a team works with."""
    table = both(once(1, 0, 1, 1), once(1, 1, 1, 0)).drop("prompt_name", "prompt_version")
    found = compare_scores(engine(table), baseline="a", candidate="b").scorers
    assert found.equals(compare_scores(table, baseline="a", candidate="b").scorers)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=30))
@settings(max_examples=30, deadline=None)
def test_swapping_the_arms_swaps_the_verdict(pairs):
    """Which run is called the baseline is no evidence."""
    before, after = (once(*map(int, side)) for side in zip(*pairs, strict=True))
    there, back = only(compared(before, after)), only(compared(after, before))
    swapped = {"better": "worse", "worse": "better"}
    assert there["verdict"] == swapped.get(back["verdict"], back["verdict"])
    assert there["p_value"] == back["p_value"]
    assert there["diff"] == -back["diff"]


def test_a_run_against_itself_finds_nothing():
    """A/A: no difference, p = 1."""
    row = only(compared(once(*[1, 0, 1] * 10), once(*[1, 0, 1] * 10)))
    assert (row["diff"], row["p_value"]) == (0.0, 1.0)
    assert row["verdict"] in ("equivalent", "inconclusive")


STANDINGS = {
    "gpt-3.5-turbo-1106_verbose": 12.76,
    "gpt-3.5-turbo-1106": 9.18,
    "gpt-3.5-turbo-1106_concise": 7.42,
    "claude-2.1": 15.73,
    "claude-2.1_concise": 9.23,
    "alpaca-7b_verbose": 2.93,
    "alpaca-7b": 2.59,
    "alpaca-7b_concise": 1.99,
}
"""Win rates as the AlpacaEval 2 leaderboard states them: one model, asked plainly, tersely, at length."""


@pytest.fixture(scope="module")
def alpaca(shared):
    """Preferences of all items as scores, a run per model and way of asking."""
    path = shared / "reference" / "data" / "alpaca_eval2_weighted_gpt4turbo_preference.csv"
    wide = pl.read_csv(path).select("item", "dataset", *STANDINGS)
    long = wide.unpivot(on=list(STANDINGS), index=["item", "dataset"], variable_name="run_id")
    return long.select(
        "run_id",
        "dataset",
        score=pl.col("value") - 1,
        example_id=pl.col("item").cast(pl.String),
        trial=pl.lit(1, pl.Int64),
        scorer=pl.lit("preference"),
    )


@pytest.mark.parametrize(
    ("baseline", "candidate"),
    [(a, b) for a, b in combinations(STANDINGS, 2) if a.split("_")[0] == b.split("_")[0]],
)
def test_verdicts_agree_with_the_published_standings(alpaca, baseline, candidate):
    """A proven difference between real prompt variants is never against the leaderboard."""
    found = compare_scores(alpaca, baseline=baseline, candidate=candidate)
    row = only(found)
    gap = STANDINGS[candidate] - STANDINGS[baseline]
    assert row["diff"] * 100 == pytest.approx(gap, abs=0.15)
    assert found.verdict in (("better" if gap > 0 else "worse"), "equivalent")
    if abs(gap) > 1:
        assert found.verdict != "equivalent", "a gap of a point is seen on 805 items"


def test_the_vector_of_claude_is_met(alpaca):
    """claude-2.1 asked to be concise: -6.506 points, standard error 0.990 (scipy's paired t)."""
    row = only(compare_scores(alpaca, baseline="claude-2.1", candidate="claude-2.1_concise"))
    assert row["diff"] == pytest.approx(-0.06506381495776398)
    assert row["se"] == pytest.approx(0.009901380813507174)
    assert row["se_unpaired"] > row["se"] * 1.2
