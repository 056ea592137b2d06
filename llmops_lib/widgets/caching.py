"""The caching what-if: how long beginnings stay cached, how many reads hit, what that saves."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import polars as pl

from llmops_lib.measures.caching import CachingPolicy, caching_tradeoff, simulate_caching
from llmops_lib.safety import masked
from llmops_lib.views.caching_panel import caching_scenario
from llmops_lib.views.scenario import Scenario
from llmops_lib.widgets.controls import choice, choices, named_options, percent_slider
from llmops_lib.widgets.panel import Panel

_LIFETIMES = {"5m": "5 minutes", "1h": "1 hour"}
_BY = ("feature", "prompt_name", "model")


def caching_panel(
    strata: pl.DataFrame, *, lifetime: str = "5m", hit_share: float = 0.9, features: Sequence[str] = ()
) -> Panel:
    """A panel of caching what-ifs over one's own traffic.

    Args:
        strata: What `caching_strata` returns, by feature, prompt and model.
        lifetime: How long beginnings stay cached at first.
        hit_share: Share of possible reads that hit at first, 0 to 1.
        features: Features concerned at first; nothing for all.

    Returns:
        The panel; the last expression of a cell shows it.

    Raises:
        ParameterError: If the lifetime or a feature is not in the strata.
    """
    # The curve is the same wherever on it the slider stands.
    curve = lru_cache(maxsize=64)(lambda policy: caching_tradeoff(strata, policy))
    caching_view(strata, CachingPolicy(lifetime, hit_share, tuple(features)), curve)
    named = [(_LIFETIMES.get(name, name), name) for name in strata["lifetime"].unique().sort(descending=True)]
    counts = strata.group_by("feature").agg(pl.col("call_count").sum())
    ranked = counts.sort("call_count", "feature", descending=[True, False])["feature"].to_list()
    controls = {
        "hit_share": percent_slider("Possible reads that hit", hit_share),
        "lifetime": choice("Cached for", named, lifetime),
        "features": choices("Features", named_options(ranked), list(features)),
    }
    return Panel(
        controls,
        lambda settings: caching_view(
            strata,
            CachingPolicy(settings["lifetime"], settings["hit_share"] / 100, settings["features"]),
            curve,
        ),
    )


def caching_view(
    strata: pl.DataFrame, policy: CachingPolicy, curve: Callable[[CachingPolicy], pl.DataFrame]
) -> Scenario:
    """The scenario of a policy, for a reader: names masked.

    Args:
        strata: What `caching_strata` returns.
        policy: The policy.
        curve: What `caching_tradeoff` returns for a policy.

    Raises:
        ParameterError: If the lifetime or a feature is not in the strata.
    """
    hits = pl.lit(policy.hit_share).alias("hit_share")
    return caching_scenario(
        simulate_caching(strata, policy).with_columns(hits),
        curve(replace(policy, hit_share=1.0)),
        masked(simulate_caching(strata, policy, by=_BY).filter(pl.col("readable_count") > 0).head(15)),
    )
