"""The routing what-if: which calls go to which model, what that saves and what it does to quality."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import polars as pl

from llmops_lib.errors import ParameterError
from llmops_lib.measures.routing import routing_by_stratum, routing_tradeoff, simulate_routing
from llmops_lib.safety import masked
from llmops_lib.stats.strata import RoutingPolicy, RoutingStrata
from llmops_lib.views.formats import compact
from llmops_lib.views.routing_panel import routing_scenario
from llmops_lib.views.scenario import Scenario
from llmops_lib.widgets.controls import choice, choices, named_options, percent_slider
from llmops_lib.widgets.panel import Panel, Settings

_RULES = {"input_tokens": "Shortest input first", "difficulty_score": "Easiest first"}
_UNITS = {"input_tokens": " tokens", "difficulty_score": ""}


def routing_panel(
    strata: RoutingStrata, *, to_model: str = "", share: float = 0.5, features: Sequence[str] = ()
) -> Panel:
    """A panel of routing what-ifs over one's own traffic.

    Args:
        strata: What `routing_strata` returns.
        to_model: Model that calls go to at first; empty takes the one that would have saved most.
        share: Share of the calls concerned that move at first, 0 to 1.
        features: Features concerned at first; nothing for all.

    Returns:
        The panel; the last expression of a cell shows it.

    Raises:
        ParameterError: If there is no other model, or a name is not in the strata.
    """
    first = RoutingPolicy(to_model or cheapest_model(strata), share, tuple(features))
    # The curve is the same wherever on it the slider stands.
    curve = lru_cache(maxsize=64)(lambda policy: routing_tradeoff(strata, policy))
    routing_view(strata, first, curve)
    models = [name for name in strata.cells["model"].unique().sort().to_list() if name is not None]
    controls = {
        "share": percent_slider("Share that moves", share),
        "to_model": choice("To model", named_options(strata.models), first.to_model),
        "from_model": choice("From model", [("All others", ""), *named_options(models)], ""),
        "order": choice(
            "Which first",
            [(_RULES[strata.rule], "easiest first"), ("By chance", "by chance")],
            "easiest first",
        ),
        "features": choices("Features", named_options(strata.features), list(features)),
    }
    return Panel(controls, lambda settings: routing_view(strata, _policy(settings), curve))


def routing_view(
    strata: RoutingStrata, policy: RoutingPolicy, curve: Callable[[RoutingPolicy], pl.DataFrame]
) -> Scenario:
    """The scenario of a policy, for a reader: names masked.

    Args:
        strata: What `routing_strata` returns.
        policy: The policy.
        curve: What `routing_tradeoff` returns for a policy.

    Raises:
        ParameterError: If a name is not in the strata.
    """
    ((model, _),) = named_options([policy.to_model])
    return routing_scenario(
        simulate_routing(strata, policy),
        curve(replace(policy, share=1.0)),
        masked(routing_by_stratum(strata, policy).head(24)),
        model=model,
        band_name=lambda band: band_name(strata, band),
    )


def band_name(strata: RoutingStrata, band: int) -> str:
    """How a band of the rule is called, such as `1k–4k tokens`."""
    edges = [compact(edge) if edge >= 1 else f"{edge:g}" for edge in strata.edges]
    unit = _UNITS[strata.rule]
    if band == 0:
        return f"below {edges[0]}{unit}"
    if band == len(edges):
        return f"{edges[-1]} and more{unit}"
    return f"{edges[band - 1]}–{edges[band]}{unit}"


def cheapest_model(strata: RoutingStrata) -> str:
    """The model that would have saved most, had all others' calls gone to it.

    Raises:
        ParameterError: If no call could have gone to another model.
    """
    saving = (pl.col("own_usd") - pl.col("other_usd")).sum().alias("saving_usd")
    ranked = (
        strata.moves.group_by("other_model")
        .agg(saving)
        .sort("saving_usd", "other_model", descending=[True, False])
    )
    if ranked.is_empty():
        msg = (
            "the traffic has no second model that calls could have gone to; expected at least two models "
            "with 20 priced calls each, or models named to route to"
        )
        raise ParameterError(msg)
    return str(ranked["other_model"].first())


def _policy(settings: Settings) -> RoutingPolicy:
    from_model = settings["from_model"]
    return RoutingPolicy(
        settings["to_model"],
        settings["share"] / 100,
        settings["features"],
        (from_model,) if from_model else (),
        settings["order"],
    )
