"""Incidents planted into a table of spans: nine kinds, each with a known cause and beginning."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from llmops_lib.demo.incident_scene import CALL, LEAST_CALLS, Injected, Scene, Traffic, copies, failed, worse
from llmops_lib.errors import LlmopsError

KINDS = (
    "cost_runaway",
    "provider_outage",
    "retry_storm",
    "error_burst",
    "refusal_surge",
    "prompt_regression",
    "model_regression",
    "tool_break",
    "data_leak",
)
"""Kinds of incidents; traffic that runs no tools cannot have a `tool_break`."""

_LEAST_RATED = 5 * LEAST_CALLS
"""Calls that a change of quality must meet: one in five or fewer is scored."""

_REFUSAL = (
    '[{"role":"assistant","parts":[{"type":"text","content":"I am sorry, but I cannot help with that."}]}]'
)


def inject(
    traffic: Traffic, kind: str, *, start: datetime, hours: float, seed: int
) -> tuple[Traffic, Injected]:
    """The traffic with one incident in it, and what it is.

    Args:
        traffic: Quiet traffic.
        kind: One of `KINDS`.
        start: First moment, UTC.
        hours: How long it lasts; a regression of a prompt or a model lasts ten times as long.
        seed: Seed of all that is drawn: which tenant, feature, model or tool, and how bad.

    Raises:
        LlmopsError: If the kind is unknown, or nothing in the traffic is large enough to be a cause.

    Example:
        >>> from llmops_lib.errors import LlmopsError
        >>> empty = Traffic(pl.DataFrame(), pl.DataFrame(), pl.DataFrame())
        >>> inject(empty, "bad luck", start=datetime(2026, 11, 9), hours=1, seed=1)
        Traceback (most recent call last):
        ...
        llmops_lib.errors.LlmopsError: kind is 'bad luck'; expected one of cost_runaway, provider_outage, ...
    """
    if kind not in KINDS:
        msg = f"kind is {kind!r}; expected one of {', '.join(KINDS)}"
        raise LlmopsError(msg)
    is_lasting = kind.endswith("_regression")
    end = start + timedelta(hours=hours * (10 if is_lasting else 1))
    scene = Scene(traffic, start, end, np.random.default_rng(seed))
    return _PLANTERS[kind](scene)


def _cost_runaway(scene: Scene) -> tuple[Traffic, Injected]:
    where = scene.pick(("tenant", "feature"), CALL & (pl.col("cost_usd") > 0))
    struck = scene.struck(where, CALL, 1.0)
    more = copies(scene, scene.spans.filter(struck), int(scene.rng.integers(5, 12)), 600.0)
    longer = float(scene.rng.uniform(1.5, 3.0))
    grown = more.with_columns(
        pl.col("cost_usd") * longer,
        (pl.col("input_tokens") * longer).cast(pl.Int64),
        feedback_score=pl.lit(None, pl.Float64),
    )
    spans = pl.concat([scene.spans, grown]).sort("started_at", maintain_order=True)
    return scene.done("cost_runaway", where, ("spend",), spans=spans)


def _provider_outage(scene: Scene) -> tuple[Traffic, Injected]:
    where = scene.pick(("request_model",), CALL)
    slow = scene.struck(where, CALL, 1.0)
    factor = float(scene.rng.uniform(2.5, 5.0))
    slower = scene.spans.with_columns(
        pl.when(slow).then(pl.col("latency_ms") * factor).otherwise("latency_ms").alias("latency_ms")
    )
    timed_out = scene.struck(where, CALL, float(scene.rng.uniform(0.15, 0.4)))
    spans = failed(slower, timed_out, "APITimeoutError", None, np.full(slower.height, 30_000.0))
    return scene.done("provider_outage", where, ("latency", "errors"), spans=spans)


def _retry_storm(scene: Scene) -> tuple[Traffic, Injected]:
    where = scene.pick(("tenant",), CALL)
    struck = scene.struck(where, CALL, float(scene.rng.uniform(0.4, 0.8)))
    quick = scene.rng.lognormal(5, 0.3, scene.spans.height)
    limited = failed(scene.spans, struck, "RateLimitError", 429, quick)
    again = copies(scene, limited.filter(struck), int(scene.rng.integers(3, 7)), 60.0)
    if "is_retry" in again.columns:
        again = again.with_columns(is_retry=pl.lit(value=True))
    spans = pl.concat([limited, again]).sort("started_at", maintain_order=True)
    return scene.done("retry_storm", where, ("errors", "retries"), spans=spans)


def _error_burst(scene: Scene) -> tuple[Traffic, Injected]:
    where = scene.pick(("feature",), CALL)
    struck = scene.struck(where, CALL, float(scene.rng.uniform(0.25, 0.6)))
    error_type = str(scene.rng.choice(["BadRequestError", "ContentPolicyViolation", "JSONDecodeError"]))
    spans = failed(scene.spans, struck, error_type, 400, scene.rng.lognormal(4.5, 0.3, scene.spans.height))
    return scene.done("error_burst", where, ("errors",), spans=spans)


def _refusal_surge(scene: Scene) -> tuple[Traffic, Injected]:
    where = scene.pick(("request_model", "feature"), CALL & pl.col("output").is_not_null())
    struck = scene.struck(where, CALL & pl.col("output").is_not_null(), float(scene.rng.uniform(0.3, 0.6)))
    refused = pl.when(struck).then(pl.lit(_REFUSAL)).otherwise("output").alias("output")
    return scene.done("refusal_surge", where, ("refusals",), spans=scene.spans.with_columns(refused))


def _prompt_regression(scene: Scene) -> tuple[Traffic, Injected]:
    old = scene.pick(("prompt_name",), CALL, _LEAST_RATED)
    struck = scene.struck(old, CALL, 1.0)
    number = int(scene.rng.integers(1_000, 10_000))
    new = {"prompt_version": f"v{number}", "prompt_hash": f"{number:04d}bad0cafe{number:04d}"}
    spans = scene.spans.with_columns(
        pl.when(struck).then(pl.lit(value)).otherwise(name).alias(name) for name, value in new.items()
    )
    spans, scores = worse(scene, spans, struck, float(scene.rng.uniform(0.3, 0.5)))
    return scene.done("prompt_regression", new, ("quality",), spans=spans, scores=scores)


def _model_regression(scene: Scene) -> tuple[Traffic, Injected]:
    old = scene.pick(("request_model",), CALL & pl.col("response_model").is_not_null(), _LEAST_RATED)
    struck = scene.struck(old, CALL & pl.col("response_model").is_not_null(), 1.0)
    dated = f"2026-{int(scene.rng.integers(10, 13))}-{int(scene.rng.integers(10, 29))}"
    new = {"response_model": f"{old['request_model']}-{dated}"}
    named = pl.when(struck).then(pl.lit(new["response_model"]))
    spans = scene.spans.with_columns(
        named.otherwise("response_model").alias("response_model"), named.otherwise("model").alias("model")
    )
    spans, scores = worse(scene, spans, struck, float(scene.rng.uniform(0.3, 0.5)))
    return scene.done("model_regression", new, ("quality",), spans=spans, scores=scores)


def _tool_break(scene: Scene) -> tuple[Traffic, Injected]:
    is_run = pl.col("operation") == "execute_tool"
    where = scene.pick(("tool_name",), is_run, LEAST_CALLS // 3)
    struck = scene.struck(where, is_run, float(scene.rng.uniform(0.5, 0.9)))
    spans = scene.spans.with_columns(
        pl.when(struck).then(pl.lit(True)).otherwise("is_error").alias("is_error"),
        pl.when(struck).then(pl.lit("ToolSchemaError")).otherwise("error_type").alias("error_type"),
    )
    return scene.done("tool_break", where, ("tool failures",), spans=spans)


def _data_leak(scene: Scene) -> tuple[Traffic, Injected]:
    where = scene.pick(("tenant", "feature"), CALL)
    struck = scene.struck(where, CALL, float(scene.rng.uniform(0.3, 0.6)))
    leaks = scene.spans.filter(struck).select(
        "started_at", "trace_id", finding=pl.lit("personal data in an answer")
    )
    findings = pl.concat([scene.traffic.findings, leaks]).sort("started_at")
    return scene.done("data_leak", where, ("findings",), findings=findings)


_PLANTERS = {
    "cost_runaway": _cost_runaway,
    "provider_outage": _provider_outage,
    "retry_storm": _retry_storm,
    "error_burst": _error_burst,
    "refusal_surge": _refusal_surge,
    "prompt_regression": _prompt_regression,
    "model_regression": _model_regression,
    "tool_break": _tool_break,
    "data_leak": _data_leak,
}
