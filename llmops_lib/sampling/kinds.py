"""Kinds of calls that a sample is drawn from: by what went wrong, feature, prompt and size of the tenant."""

import polars as pl

from llmops_lib.refusals import is_refusal
from llmops_lib.sampling.plan import SamplingPlan

ANSWERING = ("chat", "text_completion")
"""Operations that answer somebody."""

FLAGS = ("error", "refusal", "low_feedback", "retry", "outlier", "rare_feature", "none")
"""What may be wrong with a call, the foremost first."""

KIND = ("risk_flag", "feature", "prompt", "tenant_tier")
"""Columns that make a kind."""

_CONTENT = r'"(?:content|text)"\s*:\s*"((?:[^"\\]|\\.)*)'
_STEPS = ("tool_calls", "tool_use", "tool_call", "function_call")


def is_answer() -> pl.Expr:
    """Whether a row is a call that answers: a chat or completion that does not end by asking for a tool."""
    is_step = pl.col("finish_reason").is_in(_STEPS) | pl.col("tool_calls").str.len_bytes().gt(2)
    return pl.col("is_model_call") & pl.col("operation").is_in(ANSWERING) & ~is_step.fill_null(value=False)


def prompt_name() -> pl.Expr:
    """`name@version` of the prompt of a call; null where neither is known."""
    parts = [pl.col("prompt_name"), pl.col("prompt_version")]
    return pl.when(pl.any_horizontal(part.is_not_null() for part in parts)).then(
        pl.concat_str(parts, separator="@", ignore_nulls=True)
    )


def kind_columns(plan: SamplingPlan) -> list[pl.Expr]:
    """`risk_flag`, `feature`, `prompt` and `tenant_tier` of a call, as a plan sees them.

    Features and prompts that are too rare to be told apart are null; a tenant is `large`, `small` or null.

    Args:
        plan: Limits and names.
    """
    feature = pl.when(pl.col("feature").is_in(plan.features)).then(pl.col("feature"))
    prompt = pl.when(prompt_name().is_in(plan.prompts)).then(prompt_name())
    is_large = pl.col("tenant").is_in(plan.large_tenants)
    tier = pl.when(is_large).then(pl.lit("large")).when(pl.col("tenant").is_not_null()).then(pl.lit("small"))
    return [
        risk_flag(plan).alias("risk_flag"),
        feature.alias("stratum_feature"),
        prompt.alias("stratum_prompt"),
        tier.alias("tenant_tier"),
    ]


def risk_flag(plan: SamplingPlan) -> pl.Expr:
    """The foremost of `FLAGS` that holds for a call.

    Args:
        plan: Limits above which a call is long or dear, and features that are common.
    """
    holds = {
        "error": pl.col("is_error"),
        "refusal": is_refusal(_answer_text()),
        "low_feedback": pl.col("is_disliked"),
        "retry": pl.col("is_retry") | pl.col("is_retried"),
        "outlier": pl.any_horizontal(
            pl.col(name) > pl.lit(limit, dtype=pl.Float64) for name, limit in plan.limits.items()
        ),
        "rare_feature": pl.col("feature").is_not_null() & ~pl.col("feature").is_in(plan.features),
    }
    found = [
        pl.when(condition.fill_null(value=False)).then(pl.lit(name)) for name, condition in holds.items()
    ]
    return pl.coalesce(*found, pl.lit("none"))


def _answer_text() -> pl.Expr:
    """The beginning of the answer: the first text in its messages, or what stands there without any."""
    beginning = pl.col("output").str.slice(0, 2_000)
    said = beginning.str.extract(_CONTENT).str.replace_all(r"\\[nrt]", " ")
    return pl.coalesce(said, beginning)
