"""Strata of traffic, the pre-aggregate of routing what-ifs, and the policy that moves part of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from llmops_lib.errors import ParameterError
from llmops_lib.stats.clusters import GroupMeans

Order = Literal["easiest first", "by chance"]


@dataclass(frozen=True)
class RoutingStrata:
    """Answers by feature, band of a rule and model; a few hundred rows for any number of calls.

    Attributes:
        cells: One row per feature, band and model that answered: `feature`, `band` (from 0 upwards, null
            where the rule's value is unknown), `model`, `call_count`, `unpriced_count`, `spend_usd` (USD),
            `judged_count` (calls with a judgement), `judge_count` (users or sessions behind them), `quality`
            (mean judgement).
        moves: One row per cell and other model: the keys of the cell, `other_model`, `repriced_count` (calls
            with a price on both), `own_usd` and `other_usd` (USD that these cost, and would have cost there).
        means: The judgements of the cells, in their order, with their covariance.
        rule: Column that orders calls from easy to hard.
        edges: Where its bands end.
        unit: What judgements were taken as alike: `user`, `session` or `trace`.
    """

    cells: pl.DataFrame
    moves: pl.DataFrame
    means: GroupMeans
    rule: str
    edges: tuple[float, ...]
    unit: str

    @property
    def models(self) -> list[str]:
        """Models that calls may be moved to, by name."""
        return self.moves["other_model"].drop_nulls().unique().sort().to_list()

    @property
    def features(self) -> list[str | None]:
        """Features by their number of calls downwards; None stands for calls without one."""
        counts = self.cells.group_by("feature").agg(pl.col("call_count").sum())
        return counts.sort("call_count", "feature", descending=[True, False])["feature"].to_list()


@dataclass(frozen=True)
class RoutingPolicy:
    """Which calls go to another model.

    Attributes:
        to_model: Model that they go to.
        share: Share of the calls concerned that go there, 0 to 1.
        features: Features concerned; None stands for calls without one, nothing for all features.
        from_models: Models concerned; nothing for all others.
        order: Which calls go first: those with the least value of the strata's rule (`easiest first`), or any
            (`by chance`).
    """

    to_model: str
    share: float = 0.5
    features: Sequence[str | None] = ()
    from_models: Sequence[str] = ()
    order: Order = "easiest first"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            msg = f"share {self.share!r} is not between 0 and 1; expected a share such as 0.5"
            raise ParameterError(msg)
        if self.order not in ("easiest first", "by chance"):
            msg = f"order {self.order!r} is unknown; expected 'easiest first' or 'by chance'"
            raise ParameterError(msg)
