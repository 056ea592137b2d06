"""Fresh inputs against a suite: drift by effect and p value, and cases that the suite lacks."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from llmops_lib import (
    input_drift,
    load_suite,
    reweighted_score,
    suite_inputs,
    with_input_text,
    write_candidates,
)
from llmops_lib.errors import MissingColumnError, SuiteError
from llmops_lib.evals.cases import read_cases
from tests.measures.test_sampling import call, spans

THINGS = ("parcel", "refund", "invoice", "blender", "voucher", "kettle", "jacket", "charger")
PLACES = ("Leith", "Oslo", "Bergen", "Turin", "Ghent", "Lyon")
KNOWN = ("Where is my {} to {}?", "How long does the {} for {} take?", "Can I return the {} sent to {}?")
NEW = ("Please explain compound interest on a {} loan of {} percent over thirty years",)


def texts(n, templates=KNOWN, seed=1):
    """Inputs made of templates."""
    generator = np.random.default_rng(seed)
    return [
        templates[generator.integers(len(templates))].format(
            generator.choice(THINGS), generator.choice(PLACES)
        )
        for _ in range(n)
    ]


def inputs(written, *, users=None, **columns):
    """Fresh inputs as a sample gives them."""
    n = len(written)
    return pl.DataFrame(
        {
            "trace_id": [f"t{number:05d}" for number in range(n)],
            "span_id": ["s"] * n,
            "started_at": [datetime(2026, 9, 7, tzinfo=UTC) + timedelta(hours=number) for number in range(n)],
            "unit": [f"u{number}" for number in range(n)] if users is None else users,
            "draw": np.random.default_rng(5).random(n),
            "text": written,
            **columns,
        },
        schema_overrides={"started_at": pl.Datetime("us", "UTC")},
    )


def suite(written):
    """Cases."""
    return pl.DataFrame({"text": written})


def drifted(found):
    """Effects that are called drift."""
    return set(found.features.filter(pl.col("is_drift"))["effect"])


def test_inputs_like_the_suite_are_no_drift():
    """Two draws from the same source differ by chance alone."""
    found = input_drift(inputs(texts(200, seed=2)), suite(texts(120)))
    assert not drifted(found)
    assert not found.topics["is_new"].any()
    assert found.uncovered_share < 0.2


def test_a_new_topic_is_found_named_and_proposed():
    """What users began to ask and nobody tests is the reason to look."""
    fresh = inputs(texts(120, seed=2) + texts(60, NEW, seed=3))
    found = input_drift(fresh, suite(texts(120)))
    assert {"auc", "js"} <= drifted(found)
    new = found.topics.filter("is_new")
    assert new["fresh_count"].sum() >= 55
    assert "interest" in new["terms"][0]
    assert found.proposals["text"].str.contains("compound interest").head(5).all()
    assert found.proposals["text"].is_unique().all()
    assert found.uncovered_share > 0.25


def test_one_talkative_user_is_no_drift():
    """Sixty calls of one user are one opinion; users are permuted and not rows."""
    rows = texts(60, seed=2) + texts(60, NEW, seed=3)
    users = [f"u{number}" for number in range(60)] + ["talker"] * 60
    found = input_drift(inputs(rows, users=users), suite(texts(120)))
    assert found.features.filter(feature="topic")["value"].item() > 0.05
    assert not found.features.filter(feature="topic")["is_drift"].item()
    assert not found.topics["is_new"].any()


def test_a_small_effect_is_no_drift_however_sure():
    """With the n of production every difference is significant."""
    mixed = texts(500, KNOWN[:1], seed=4) + texts(400, KNOWN[1:2], seed=5)
    other = texts(500, KNOWN[:1], seed=6) + texts(800, KNOWN[1:2], seed=7)
    found = input_drift(inputs(other), suite(mixed))
    lengths = found.features.filter(feature="length", effect="js").row(0, named=True)
    assert lengths["p_adjusted"] <= 0.01
    assert lengths["value"] < lengths["floor"]
    assert lengths["is_drift"] is False


def test_the_order_of_rows_changes_nothing():
    """A report is the same from the same rows."""
    fresh = inputs(texts(80, seed=2))
    mixed = fresh.sample(fraction=1.0, shuffle=True, seed=1)
    first, second = (input_drift(rows, suite(texts(60))) for rows in (fresh, mixed))
    assert first.features.equals(second.features)
    assert first.proposals.equals(second.proposals)


@pytest.mark.parametrize(
    ("fresh", "cases"),
    [([], ["a"]), ([""], ["a", "b"]), (["x"], ["a"]), (["?!"], ["!?", "?"]), (["a"], ["a"])],
)
def test_too_little_to_compare_gives_nulls_with_reasons(fresh, cases):
    """A suite of one case, or no traffic, says nothing, and breaks nothing."""
    found = input_drift(inputs(fresh), suite(cases))
    assert not drifted(found)
    assert found.features.filter(feature="wording")["reason"].item() == "n_too_small"


def test_a_suite_without_texts_is_refused():
    """Everything would look new."""
    with pytest.raises(MissingColumnError, match="no text to compare"):
        input_drift(inputs(["a"]), suite([]))
    with pytest.raises(MissingColumnError, match="draw"):
        input_drift(inputs(["a"]).drop("draw"), suite(["a"]))


def test_the_trend_of_feedback_is_by_user():
    """Falling feedback on old questions is drift that texts do not show."""
    scores = [1.0 - number / 200 for number in range(200)]
    found = input_drift(inputs(texts(200), feedback_score=scores), suite(texts(30)))
    assert found.feedback_trend.value == pytest.approx(-168 / 200)
    assert found.feedback["feedback_count"].sum() == 200
    assert input_drift(inputs(texts(20)), suite(texts(20))).feedback_trend is None


def test_topics_of_cases_and_inputs_weight_the_score_of_a_run():
    """A suite where the whole traffic is one of its two topics scores what that topic scores."""
    cases = ["where is my parcel", "refund the invoice"] * 20
    named = suite(cases).with_columns(case_id=pl.Series([f"case-{place}" for place in range(40)]))
    found = input_drift(inputs(["where is my parcel"] * 50), named)
    scores = pl.DataFrame({"scorer": "s", "example_id": named["case_id"], "score": [1.0, 0.0] * 20})
    row = reweighted_score(scores, found.case_topics, found.fresh_topics).row(0, named=True)
    assert (row["raw_score"], row["reweighted_score"], row["uncovered_share"]) == (0.5, 1.0, 0.0)


def test_texts_are_those_of_users_and_masked():
    """Results of tools are nobody's question, and terms of texts are shown."""
    asked = '[{"role":"user","content":"I am ann@example.com, where is it?"},{"role":"tool","content":"{}"}]'
    found = with_input_text(
        spans(call(1, input=asked), call(2, input=None), call(3, input="plain", user_id=None))
    )
    assert found["text"].to_list() == ["I am <EMAIL_1>, where is it?", None, "plain"]
    assert found["unit"].to_list() == ["u1", "u2", "t00003"]


def test_candidates_are_cases_for_review_and_never_in_a_suite(tmp_path):
    """A suite that grew by itself would be a suite that nobody read."""
    fresh = inputs(
        texts(60, seed=2) + [f"write to ann{n}@example.com about interest rates" for n in range(30)]
    )
    proposals = input_drift(fresh, suite(texts(60))).proposals
    path = tmp_path / "out" / "candidates.jsonl"
    written = write_candidates(proposals, path)
    cases = read_cases(path.read_bytes(), "candidates")
    assert 0 < written == len(cases) <= proposals.height
    assert "@example.com" not in path.read_text()
    assert {tag for case in cases for tag in case.tags} == {"candidate"}
    assert write_candidates(proposals.clear(), path) == 0
    (tmp_path / "suite.yaml").write_text("")
    with pytest.raises(SuiteError, match="never changed by itself"):
        write_candidates(proposals, tmp_path / "cases.jsonl")


def test_the_inputs_of_a_suite_are_named_where_the_field_is_wrong():
    """Another prompt calls its question something else."""
    bundled = load_suite("support_quality")
    assert suite_inputs(bundled).height == len(bundled.cases)
    with pytest.raises(SuiteError, match="company"):
        suite_inputs(bundled, field="query")
