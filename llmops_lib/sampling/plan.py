"""With which chance each kind of call is drawn, decided before anything is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.errors import SchemaError
from llmops_lib.whole_files import write_whole

PLAN_SCHEMA = pl.Schema(
    {
        "stratum": pl.String,
        "risk_flag": pl.String,
        "stratum_feature": pl.String,
        "stratum_prompt": pl.String,
        "tenant_tier": pl.String,
        "call_count": pl.Int64,
        "deviation": pl.Float64,
        "chance": pl.Float64,
    }
)
"""Columns of `SamplingPlan.kinds`: one row per kind of call; strata are kinds that share a chance."""


@dataclass(frozen=True, eq=False)
class SamplingPlan:
    """The chance of every kind of call, and the limits that tell kinds apart.

    Attributes:
        rate: Share of calls that is wanted, 0 to 1.
        salt: Salt of the hashes.
        features: Features that are common enough to be told apart.
        prompts: Prompts (`name@version`) that are.
        large_tenants: Tenants with a tenth of all calls or more.
        limits: By column, the value above which a call is long or dear.
        feedback_limit: Feedback below which it is low; None where no two scores differ.
        kinds: One row per kind: `stratum`, `risk_flag`, `stratum_feature`, `stratum_prompt`, `tenant_tier`,
            `call_count`, `deviation` (of the score, assumed or from earlier judgements), `chance`.
    """

    rate: float
    salt: str
    features: Sequence[str]
    prompts: Sequence[str]
    large_tenants: Sequence[str]
    limits: Mapping[str, float]
    feedback_limit: float | None
    kinds: pl.DataFrame

    @property
    def strata(self) -> pl.DataFrame:
        """One row per stratum, the largest first.

        `stratum`, `call_count`, `deviation`, `chance`, `weight` (one over it), `expected_count` (calls that
        it will draw).
        """
        by_stratum = self.kinds.group_by("stratum").agg(
            pl.col("call_count").sum(), pl.col("deviation").first(), pl.col("chance").first()
        )
        return by_stratum.with_columns(
            weight=1 / pl.col("chance"), expected_count=pl.col("call_count") * pl.col("chance")
        ).sort("call_count", "stratum", descending=[True, False])

    @property
    def largest_chance(self) -> float:
        """The largest chance of all."""
        return float(self.kinds["chance"].max() or 1.0)  # type: ignore[arg-type]

    def unplanned(self) -> pl.DataFrame:
        """By `risk_flag`, the `unplanned_chance` of kinds that the plan has not seen: the flag's largest."""
        return self.kinds.group_by("risk_flag").agg(unplanned_chance=pl.col("chance").max())


def write_plan(plan: SamplingPlan, path: Path) -> None:
    """Writes a plan as JSON.

    Raises:
        OSError: If it cannot be written.
    """
    stated = {**asdict(plan), "kinds": plan.kinds.to_dicts()}
    write_whole(path, lambda beside: beside.write_text(json.dumps(stated, indent=1), encoding="utf-8"))


def load_plan(path: str | Path) -> SamplingPlan:
    """A plan that was written before, so that later calls are drawn with the same chances.

    Args:
        path: JSON that `llmops eval sample` wrote beside a sample.

    Raises:
        SchemaError: If it cannot be read, or is no plan.
    """
    try:
        stated: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        kinds = pl.DataFrame(stated.pop("kinds"), schema=PLAN_SCHEMA)
        plan = SamplingPlan(**stated, kinds=kinds)
    except (OSError, ValueError, TypeError, AttributeError, KeyError, pl.exceptions.PolarsError) as error:
        msg = f"{path}: is no sampling plan ({type(error).__name__}); expected the plan.json of a sample"
        raise SchemaError(msg) from error
    chances = kinds["chance"]
    if chances.null_count() or not chances.is_between(0, 1, closed="right").all():
        msg = f"{path}: holds chances that are not above 0 and at most 1; expected the plan.json of a sample"
        raise SchemaError(msg)
    return plan
