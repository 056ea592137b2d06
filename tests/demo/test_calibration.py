import numpy as np
import polars as pl
import pytest

from llmops_lib.demo.calibration import HOUR_WEIGHTS, LEVELS, draw_tokens, hour_shares

# Quantiles from 5% to 95%: between them the figures are interpolated, and a week has a few hundred calls.
CHECKED = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
TOLERANCE = 0.25
"""Largest difference of a quantile, relative to the real one, or 3 tokens."""


def test_drawn_tokens_have_the_quantiles_asked_for():
    """Everything about size and cost in the demonstration rests on this."""
    wanted = (2, 29, 181, 207, 396, 1020, 1189, 2734, 4083, 4142, 14050)
    drawn = draw_tokens(np.random.default_rng(1), wanted, 200_000)
    found = np.quantile(drawn, LEVELS)
    assert found[1:-1] == pytest.approx(wanted[1:-1], rel=0.05)
    assert (drawn.min(), drawn.max()) == (pytest.approx(2, abs=1), pytest.approx(14050, rel=0.05))


def test_the_hours_of_a_week_add_up_to_a_week():
    """Otherwise a week would not hold the calls asked for."""
    assert sum(hour_shares(weekday).sum() for weekday in range(7)) == pytest.approx(1)


def azure(shared, name):
    """Tokens of one Azure trace."""
    trace = pl.read_csv(shared / "reference" / "data" / f"azure_llm_2023_{name}.csv")
    return trace["ContextTokens"].to_numpy(), trace["GeneratedTokens"].to_numpy()


def ragpulse(shared):
    """The RAGPulse week."""
    return pl.read_ndjson(shared / "reference" / "data" / "ragpulse_week.jsonl")


def assert_alike(found, real):
    """Quantiles of both samples agree within the tolerance."""
    for level in CHECKED:
        assert np.quantile(found, level) == pytest.approx(np.quantile(real, level), rel=TOLERANCE, abs=3), (
            level
        )


@pytest.mark.parametrize(("feature", "name"), [("summarize_ticket", "conv"), ("code_helper", "code")])
def test_tokens_follow_the_azure_traces(demo, shared, feature, name):
    """Chat-like and completion-like features must have believable sizes, the long tail included."""
    calls = demo.calls.filter(~pl.col("is_error"), feature=feature)
    input_tokens, output_tokens = azure(shared, name)
    answers = calls["output_tokens"] - calls["reasoning_tokens"].fill_null(0)
    assert_alike(calls["input_tokens"].to_numpy(), input_tokens)
    assert_alike(answers.to_numpy(), output_tokens)


def test_tokens_of_retrieval_follow_the_ragpulse_week(demo, shared):
    """Retrieved passages make prompts long and alike; the planted change comes on top."""
    calls = demo.calls.filter(~pl.col("is_error"), feature="faq_rag", prompt_version="3")
    real = ragpulse(shared)
    answers = calls["output_tokens"] - calls["reasoning_tokens"].fill_null(0)
    assert_alike(calls["input_tokens"].to_numpy(), real["input_length"].to_numpy())
    assert_alike(answers.to_numpy(), real["output_length"].to_numpy())


def test_hours_follow_the_ragpulse_week(shared):
    """The trace starts on a Wednesday at noon; a wrong offset would put the night at midday."""
    seconds = ragpulse(shared)["timestamp"].cast(pl.Int64).to_numpy()
    hours = (seconds // 3600 + 2 * 24 + 12) % 168
    real = np.bincount(hours, minlength=168) / len(hours)
    smooth = sum(
        weight * np.roll(real, shift) for weight, shift in zip((1, 2, 3, 2, 1), range(-2, 3), strict=True)
    )
    weights = np.array(HOUR_WEIGHTS).ravel()
    assert weights / weights.sum() == pytest.approx(smooth / 9, abs=0.0002)


def test_traffic_of_a_week_follows_the_hours(demo):
    """Weights that nothing draws from would be decoration."""
    roots = demo.spans.filter(parent_span_id="")
    hour = (
        (roots["started_at"].dt.weekday() - 1).cast(pl.Int64) * 24 + roots["started_at"].dt.hour()
    ).to_numpy()
    found = np.bincount(hour, minlength=168) / len(hour)
    weights = np.array(HOUR_WEIGHTS).ravel()
    assert np.corrcoef(found, weights)[0, 1] > 0.95


def test_sessions_follow_the_ragpulse_week(demo, shared):
    """Most sessions are one question long; spend per session depends on it."""
    real = ragpulse(shared).group_by("session_id").len()["len"].mean()
    found = demo.spans.drop_nulls("session_id").group_by("session_id").len()["len"].mean()
    assert found == pytest.approx(real, rel=0.1)


def test_one_tenant_has_almost_half_of_the_calls(demo):
    """Shares of spend are only worth a chart where they differ."""
    shares = demo.calls["tenant"].value_counts(normalize=True).sort("proportion")["proportion"]
    assert len(shares) == 6
    assert 0.35 < shares[-1] < 0.55
    assert shares[0] < 0.07


def test_users_within_a_tenant_differ_in_activity(demo):
    """Some 250 users, a few of whom do much of the asking."""
    counts = demo.calls["user_id"].value_counts(sort=True)["count"]
    assert 200 <= len(counts) <= 250
    assert counts.head(25).sum() > 0.3 * counts.sum()
