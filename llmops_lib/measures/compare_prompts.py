"""Two prompts on production traffic: which is better, how sure that is, and how long it would take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from llmops_lib.calls import portable
from llmops_lib.comparing.arms import arm_calls, calls_before, check_calls
from llmops_lib.comparing.health import FAIL, health_rows, missing_check, unit_of
from llmops_lib.comparing.monitoring import ANYTIME, Monitoring
from llmops_lib.comparing.production_effects import effect_on
from llmops_lib.comparing.prompt_metrics import GUARDRAILS, METRICS, metrics_named
from llmops_lib.comparing.prompt_rows import (
    CONTEXT,
    GUARDRAIL,
    METRICS_SCHEMA,
    OTHER,
    PRIMARY,
    Design,
    metric_rows,
    reason_text,
)
from llmops_lib.comparing.users import Users, earlier_sums, users_of
from llmops_lib.comparing.verdicts import INCONCLUSIVE, INVALID, WORSE, checked_levels, checked_split
from llmops_lib.errors import ComparisonError
from llmops_lib.frames import by_columns
from llmops_lib.gating.metrics import p_text

_VOIDING = ("split of users", "users in both arms", "arms ran at once")
_DAY_SECONDS = 86_400
_UNUSED_BEFORE = (
    "before took no noise away: none of its calls is of a user of the arms, or users are too few for it"
)
_CAUTIONS = (
    "the prompt cache of a new arm is cold at first: compare cached_token_share before cost and latency",
    "feedback is given by those who like to give it: read feedback_response_share beside it",
)


@dataclass(frozen=True)
class PromptComparison:
    """What a comparison of two production arms says.

    Attributes:
        verdict: Of b against a: `better`, `worse`, `equivalent`, `inconclusive`, or `invalid` where the arms
            cannot be compared. That of the primary metric, but `worse` where a guardrail is.
        reasons: Why, a sentence each.
        warnings: What to bear in mind, a sentence each.
        metrics: One row per metric: `metric`, `role` (`primary`, `guardrail`, `other`, `context`), `verdict`
            (null for `context`, which has no good direction), `higher_is_better`, `a_value`, `b_value`,
            `diff` (b minus a, in the unit of the name), `lower`, `upper`, `lift` (share of a; null where the
            interval of a holds zero), `lift_lower`,
            `lift_upper`, `p_value` (two-sided), `p_adjusted` (Benjamini-Hochberg among `other`), `method`,
            `p_method`, `unit` (what is independent), `a_user_count`, `b_user_count`, `se`, `margin`,
            `is_within_margin`, `smallest_seen` (difference seen with 80% chance), `users_needed` (of both
            arms, to see the margin), `days_needed` (more of them, at this traffic), `variance_removed_share`
            (by CUPED), `reason`. Empty where the comparison is invalid.
        arms: One row per arm: `arm`, `user_count`, `call_count`, `first_at`, `last_at`.
        health: One row per check: `check`, `state` (`ok`, `warn`, `fail`), `a`, `b`, `p_value`, `what`.
    """

    verdict: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    metrics: pl.DataFrame
    arms: pl.DataFrame
    health: pl.DataFrame


@portable
def compare_prompts(  # noqa: PLR0913 - two arms, and what a team decides beforehand
    spans: Any,
    *,
    a: str,
    b: str,
    experiment: str = "",
    primary: str = "cost_per_call_usd",
    guardrails: str | Sequence[str] = GUARDRAILS,
    margins: Mapping[str, float] | None = None,
    split: Sequence[float] = (1, 1),
    before: Any = None,
    monitoring: str = ANYTIME,
    planned_users: int | None = None,
    earlier_looks: Sequence[int] = (),
    alpha: float = 0.05,
) -> PromptComparison:
    """Holds prompt b against prompt a on traffic that ran both at once, users being what varies.

    Checks first: users split as planned, arms at the same time, values missing alike. Where one fails, the
    verdict is `invalid` and no effect is shown. Then cost, tokens, latency, errors, refusals and feedback, by
    the delta method over users (a call counts by its user, else its session, else its trace); below 50 users
    in an arm the p value is that of re-assigning users, below 5 there is none. Users seen in both arms are
    left out and counted. The default holds when anybody looks at any time, and acts from 50 users in each
    arm. The numbers of both arms are collected, on any engine; texts are not.

    Args:
        spans: Priced SPANS; uses `prompt_name`, `prompt_version`, `prompt_hash` or, with `experiment`,
            `attributes`; `user_id`, `session_id`, `trace_id`, `started_at`, `cost_usd`, tokens, `latency_ms`,
            `is_error`, `feedback_score`, and `is_refused` (of `with_refusals`) or else `output`, where there.
        a: The baseline: `NAME@VERSION`, the hash of a prompt, or an arm of `experiment`.
        b: The candidate.
        experiment: Experiment whose arms `assign` logged in the spans.
        primary: Metric that decides, at `alpha`.
        guardrails: Metrics that must not get worse: one-sided at 0.01 each.
        margins: Largest difference that does not matter, by metric and in its unit; else 5% of the
            baseline, 1 point of a share, 0.05 of a feedback score.
        split: Planned split of the users, a first.
        before: Priced SPANS of the same users from before the experiment, for CUPED.
        monitoring: `anytime`, `group_sequential` (planned looks) or `fixed` (this is the only look).
        planned_users: Users of both arms planned for the end.
        earlier_looks: Users of both arms at the looks before this one, for `group_sequential`.
        alpha: Two-sided level of the primary metric.

    Raises:
        ComparisonError: If an arm, a metric, a level or a margin cannot be, or `before` is not before.
        MissingColumnError: If a column is missing, such as `cost_usd`.

    Source:
        Deng, Knoblich and Lu (KDD 2018); Waudby-Smith et al. (arXiv:2103.06476); Lan and DeMets 1983;
        Deng et al. (WSDM 2013); Fabijan et al. (KDD 2019).

    Example:
        >>> calls = pl.DataFrame({"user_id": [f"u{n}" for n in range(120)], "prompt_name": ["faq"] * 120,
        ...     "prompt_version": ["1", "2"] * 60, "cost_usd": [0.01 + n % 5 / 1e4 + n % 2 / 100
        ...                                                     for n in range(120)]})
        >>> from llmops_lib.schema import SPANS
        >>> absent = [pl.lit(None, dtype).alias(name) for name, dtype in SPANS.polars_schema.items()
        ...           if name not in calls.columns]
        >>> when = pl.datetime(2026, 11, 9, time_zone="UTC")
        >>> spans = calls.with_columns(absent)
        >>> spans = spans.with_columns(is_model_call=True, is_error=False, started_at=when)
        >>> compare_prompts(spans, a="faq@1", b="faq@2").verdict
        'worse'
    """
    stated = dict(margins or {})
    checked_levels(alpha, stated)
    checked_split(split)
    roles = _roles(primary, by_columns(guardrails), stated)
    watched = Monitoring(monitoring, planned_users, tuple(earlier_looks))
    calls = arm_calls(spans, a, b, experiment=experiment)
    check_calls(calls, "spans")
    users = users_of(calls)
    health = health_rows(calls, users, split)
    arms = _arms(calls, users, (a, b))
    failed = health.filter((pl.col("state") == FAIL) & pl.col("check").is_in(_VOIDING))
    warnings = (*health.filter(pl.col("state") == "warn")["what"], *_CAUTIONS)
    if not failed.is_empty():
        why = tuple(f"{check}: {what}" for check, what in failed.select("check", "what").rows())
        return PromptComparison(INVALID, why, warnings, pl.DataFrame(schema=METRICS_SCHEMA), arms, health)
    covariates = None if before is None else _covariates(before, calls)
    effects = [(metric, effect_on(metric, users, covariates)) for metric in METRICS]
    design = Design(roles, stated, alpha, watched, unit_of(calls), _users_per_day(arms))
    metrics = metric_rows(effects, design, _void(health))
    verdict, reasons = _verdict(metrics)
    if covariates is not None and metrics["variance_removed_share"].is_null().all():
        warnings = (*warnings, _UNUSED_BEFORE)
    return PromptComparison(verdict, tuple(reasons), warnings, metrics, arms, health)


def _roles(primary: str, guardrails: Sequence[str], margins: Mapping[str, float]) -> dict[str, str]:
    metrics_named([primary, *guardrails, *margins])
    roles = {
        metric.name: CONTEXT
        if metric.higher_is_better is None
        else GUARDRAIL
        if metric.name in guardrails
        else OTHER
        for metric in METRICS
    }
    if roles[primary] == CONTEXT or any(roles[name] == CONTEXT for name in guardrails):
        undirected = [name for name, role in roles.items() if role == CONTEXT]
        msg = f"{', '.join(undirected)} have no good direction; expected others as primary and guardrails"
        raise ComparisonError(msg)
    return {**roles, primary: PRIMARY}


def _covariates(before: Any, calls: pl.DataFrame) -> pl.DataFrame:
    earlier = calls_before(before)
    check_calls(earlier, "before")
    has_zone = [getattr(one.schema["started_at"], "time_zone", None) is not None for one in (calls, earlier)]
    if has_zone[0] != has_zone[1] and not earlier.is_empty():
        bare, other = ("spans", "before") if has_zone[1] else ("before", "spans")
        msg = (
            f"{bare}: started_at has no time zone, and that of {other} has one; expected both alike, or "
            "nobody can tell which call came first: state the zone, such as by `dt.replace_time_zone`"
        )
        raise ComparisonError(msg)
    begun, last = calls["started_at"].min(), earlier["started_at"].max()
    if last is not None and begun is not None and last >= begun:  # type: ignore[operator]
        msg = (
            f"before: holds a call of {last!s}, and the arms begin at {begun!s}; expected calls from before: "
            "a covariate from during the experiment takes away its effect"
        )
        raise ComparisonError(msg)
    return earlier_sums(earlier)


def _arms(calls: pl.DataFrame, users: Users, names: tuple[str, str]) -> pl.DataFrame:
    rows = []
    for name, arm, is_own in zip(names, users.arms, (~calls["is_b"], calls["is_b"]), strict=True):
        times = calls["started_at"].filter(is_own)
        rows.append((name, arm.user_count, arm.call_count, times.min(), times.max()))
    columns = ["arm", "user_count", "call_count", "first_at", "last_at"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _users_per_day(arms: pl.DataFrame) -> float:
    length = arms["last_at"].max() - arms["first_at"].min()  # type: ignore[operator]
    return int(arms["user_count"].sum()) / max(1.0, length.total_seconds() / _DAY_SECONDS)  # type: ignore[union-attr]


def _void(health: pl.DataFrame) -> dict[str, str]:
    failed = set(health.filter(pl.col("state") == FAIL)["check"])
    return {
        metric.name: f"{missing_check(metric.missing)} differ between the arms"
        for metric in METRICS
        if metric.missing and missing_check(metric.missing) in failed
    }


def _verdict(metrics: pl.DataFrame) -> tuple[str, list[str]]:
    deciding = metrics.filter(pl.col("role") == PRIMARY).row(0, named=True)
    harmed = metrics.filter((pl.col("role") == GUARDRAIL) & (pl.col("verdict") == WORSE))
    told = [_told(deciding), *(f"guardrail {_told(row)}" for row in harmed.iter_rows(named=True))]
    if deciding["verdict"] != INVALID and not harmed.is_empty():
        return WORSE, told
    return deciding["verdict"], told


def _told(row: Mapping[str, Any]) -> str:
    if row["verdict"] == INVALID:
        return f"{row['metric']}: invalid, {row['reason']}"
    said = f"{row['metric']}: {row['verdict']}"
    if row["diff"] is not None:
        said += f", {row['a_value']:.4g} to {row['b_value']:.4g}"
        said += "" if row["lift"] is None else f" ({row['lift']:+.1%})"
    if row["lower"] is not None and row["upper"] is not None:
        said += f", difference {row['diff']:+.3g} ({row['lower']:+.3g} to {row['upper']:+.3g})"
    said += "" if row["p_value"] is None else f", p = {p_text(row['p_value'])}"
    return f"{said}; {reason_text(row)}" if row["verdict"] == INCONCLUSIVE else said
