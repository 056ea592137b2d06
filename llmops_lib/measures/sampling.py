"""A probability sample of production calls: who is looked at, with which chance, and why."""

from dataclasses import replace
from typing import Any

import polars as pl

from llmops_lib.calls import flagged_retries
from llmops_lib.errors import EmptyPeriodError, EngineError, SchemaError
from llmops_lib.sampling.chances import with_chances, with_deviations, with_strata
from llmops_lib.sampling.draw import SALT, draw_of
from llmops_lib.sampling.kinds import is_answer, kind_columns, prompt_name
from llmops_lib.sampling.plan import PLAN_SCHEMA, SamplingPlan
from llmops_lib.schema import SAMPLE_COLUMNS

_KEYS = ["risk_flag", "stratum_feature", "stratum_prompt", "tenant_tier"]
_COMMON_SHARE = 0.01
_LARGE_SHARE = 0.1
_OUTLIER = 0.99
_MEASURED = ("input_tokens", "output_tokens", "cost_usd")
_WEEK_SECONDS = 7 * 86_400


def sampling_plan(
    calls: Any, *, rate: float = 0.01, scores: pl.DataFrame | None = None, salt: str = SALT
) -> SamplingPlan:
    """With which chance each kind of call is drawn, from how many there are of each.

    A kind is what may be wrong with a call (error, refusal, low feedback, retry, longest or dearest 1%, a
    feature with less than 1% of the calls) x feature x prompt version x size of the tenant. Kinds are
    strata where they have 3,000 calls a week, and are joined where not. Strata are allotted Neyman's shares,
    30 calls a week at least, and no call weighs more than 50 times another.

    Args:
        calls: SPANS as a polars DataFrame or LazyFrame, with `cost_usd` or without; what does not answer
            (tool steps, embeddings) is left out.
        rate: Share of calls that is wanted, above 0 and at most 1.
        scores: Judgements of an earlier period with `stratum` and `score`, such as `sample_scores` gives.
        salt: What makes one sample differ from another.

    Raises:
        EmptyPeriodError: If no call answers.
        SchemaError: If the rate is not above 0 and at most 1.
        EngineError: If the table is no polars table.

    Source:
        Neyman, JRSS 97 (1934); shrunken deviations as `shrunken_variances`.
    """
    if not 0 < rate <= 1:
        msg = f"rate is {rate!r}; expected a share above 0 and at most 1, such as 0.01"
        raise SchemaError(msg)
    answers = _answers(calls)
    counted = answers.select(
        pl.len(), (pl.col("started_at").max() - pl.col("started_at").min()).alias("span")
    )
    total, span = counted.collect(engine="streaming").row(0)
    if not total:
        msg = "found no call that answers (chat or text completion), so there is nothing to sample from"
        raise EmptyPeriodError(msg)
    weeks = max(1.0, span.total_seconds() / _WEEK_SECONDS)
    outline = _outline(answers, calls, total, rate=rate, salt=salt)
    flagged = _flagged(answers, calls, outline).select(kind_columns(outline)).group_by(_KEYS)
    kinds = flagged.agg(call_count=pl.len().cast(pl.Int64)).collect(engine="streaming").sort(_KEYS)
    deviating = with_deviations(with_strata(kinds, weeks), scores)
    drawn = with_chances(deviating, rate=rate, weeks=weeks).select(PLAN_SCHEMA.names())
    return replace(outline, kinds=drawn.sort("stratum", *_KEYS))


def sample_calls(calls: Any, plan: SamplingPlan) -> pl.LazyFrame:
    """The calls that a plan draws, each with its chance; Poisson sampling by a hash of the trace.

    A call is in where `sha256(salt, trace_id)`, as a number from 0 to 1, is below its chance. So the same
    plan draws the same calls from the same data in any order, and a plan with a higher rate draws them too.

    Args:
        calls: SPANS as a polars DataFrame or LazyFrame; lazy tables are not collected.
        plan: From `sampling_plan`.

    Returns:
        The drawn calls with all their columns and `draw` (the hash), `chance` (pi), `weight` (1 / pi),
        `stratum`, `risk_flag` and `tenant_tier`. `draw` below the smallest chance of a plan is a sample with
        equal chances. A kind that the plan has not seen is drawn with the largest chance of its flag, as
        a stratum `... / unplanned`.

    Raises:
        EngineError: If the table is no polars table.

    Source:
        Hajek (1964), Poisson sampling; Ohlsson (1995), permanent random numbers.
    """
    highest = plan.largest_chance
    # All calls of a trace share its hash: most traces are left out before their texts are looked at.
    near = _answers(calls).with_columns(draw=draw_of(plan.salt)).filter(pl.col("draw") < highest)
    marked = _flagged(near, calls, plan).with_columns(kind_columns(plan))
    known = plan.kinds.lazy().select(*_KEYS, "stratum", "chance")
    planned = marked.join(known, on=_KEYS, how="left", nulls_equal=True)
    joined = planned.join(plan.unplanned().lazy(), on="risk_flag", how="left").with_columns(
        pl.coalesce("stratum", pl.format("{} / unplanned", "risk_flag")).alias("stratum"),
        pl.coalesce("chance", "unplanned_chance", pl.lit(highest)).alias("chance"),
    )
    drawn = joined.filter(pl.col("draw") < pl.col("chance")).with_columns(weight=1 / pl.col("chance"))
    kept = [*calls.lazy().collect_schema().names(), *(column.name for column in SAMPLE_COLUMNS)]
    return drawn.select(kept).sort("started_at", "trace_id", "span_id")


def _answers(calls: Any) -> pl.LazyFrame:
    if not isinstance(calls, pl.DataFrame | pl.LazyFrame):
        msg = (
            f"found a {type(calls).__module__.partition('.')[0]}.{type(calls).__name__}; "
            "sampling runs on polars, so give a DataFrame or LazyFrame of it"
        )
        raise EngineError(msg)
    return calls.lazy().filter(is_answer())


def _flagged(answers: pl.LazyFrame, spans: Any, plan: SamplingPlan) -> pl.LazyFrame:
    """The answers with what the rest of their trace says: retries, and feedback wherever it stands."""
    low = spans.lazy().filter(pl.col("feedback_score") < pl.lit(plan.feedback_limit, dtype=pl.Float64))
    disliked = low.select("trace_id", is_disliked=pl.lit(value=True)).unique()
    flagged: pl.LazyFrame = flagged_retries(answers).to_native()
    return flagged.join(disliked, on="trace_id", how="left")


def _outline(answers: pl.LazyFrame, spans: Any, total: int, *, rate: float, salt: str) -> SamplingPlan:
    """The plan but for its kinds."""
    measured = [name for name in _MEASURED if name in answers.collect_schema().names()]
    feedback = pl.col("feedback_score").fill_nan(None)
    limits = [pl.col(name).cast(pl.Float64).quantile(_OUTLIER).alias(name) for name in measured]
    found = answers.select(pl.len(), *limits).collect(engine="streaming").row(0, named=True)
    ends = spans.lazy().select(low=feedback.min(), high=feedback.max()).collect(engine="streaming")
    return SamplingPlan(
        rate=rate,
        salt=salt,
        features=_common(answers, pl.col("feature"), total * _COMMON_SHARE),
        prompts=_common(answers, prompt_name(), total * _COMMON_SHARE),
        large_tenants=_common(answers, pl.col("tenant"), total * _LARGE_SHARE),
        limits={name: found[name] for name in measured if found[name] is not None},
        feedback_limit=ends.select((pl.col("low") + pl.col("high")) / 2).item(),
        kinds=pl.DataFrame(schema=PLAN_SCHEMA),
    )


def _common(answers: pl.LazyFrame, name: pl.Expr, least: float) -> list[str]:
    counts = answers.group_by(name.alias("name")).len().filter(pl.col("len") >= least)
    return counts.collect(engine="streaming")["name"].drop_nulls().sort().to_list()
