"""Loads the exports of LLM observability tools into tables of one schema, prices and measures them.

Names are imported on first use, so that loading a table never pays for charts or notebooks.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "llmops_lib.errors": ("LlmopsError",),
    "llmops_lib.periods": ("Period",),
    "llmops_lib.frames": ("collected", "in_period", "with_day"),
    "llmops_lib.budgets.breaker": ("Breaker",),
    "llmops_lib.budgets.declared": ("BreakerPolicy", "Budget"),
    "llmops_lib.budgets.files": ("load_budgets",),
    "llmops_lib.budgets.litellm": ("litellm_budgets",),
    "llmops_lib.sources.detect": ("detect_format",),
    "llmops_lib.sources.load": ("load_traces", "read_quarantine"),
    "llmops_lib.sources.results.load": ("load_scores",),
    "llmops_lib.sources.bills.load": ("load_bill",),
    "llmops_lib.sources.fetch.langfuse": ("fetch_langfuse",),
    "llmops_lib.sources.fetch.manifest": ("FetchOutcome",),
    "llmops_lib.sources.fetch.phoenix": ("fetch_phoenix",),
    "llmops_lib.sources.fetch.settings": ("FetchSettings",),
    "llmops_lib.store": ("IngestReport", "completeness", "ingest", "open_source", "scan_traces"),
    "llmops_lib.evals.judged": ("Judges",),
    "llmops_lib.evals.plan": ("EvalPlan", "plan_eval"),
    "llmops_lib.evals.run": ("EvalRun", "run_eval", "write_run"),
    "llmops_lib.refusals": ("is_refusal",),
    "llmops_lib.endpoints.baseline.server": ("BaselineServer",),
    "llmops_lib.chat": ("BASELINE_MODEL", "ChatRequest"),
    "llmops_lib.endpoints.client": ("EndpointClient",),
    "llmops_lib.endpoints.settings": ("Endpoint", "EndpointSettings"),
    "llmops_lib.store.search": ("find_traces", "search_traces"),
    "llmops_lib.pricing": ("load_prices", "price_both_conventions", "price_calls", "price_list_version"),
    "llmops_lib.gating.told": ("gate_junit", "gate_markdown"),
    "llmops_lib.measures.gate": ("GateResult", "gate"),
    "llmops_lib.measures.cost": ("spend_by", "top_spenders"),
    "llmops_lib.measures.usage": ("top_tokens_per_call", "usage_by"),
    "llmops_lib.measures.latency": ("latency_percentiles", "time_to_first_token"),
    "llmops_lib.measures.errors": ("error_rates", "errors_by_class"),
    "llmops_lib.measures.throughput": ("throughput",),
    "llmops_lib.measures.change": ("change_between",),
    "llmops_lib.measures.conventions": ("token_conventions",),
    "llmops_lib.measures.explain": ("explain_change",),
    "llmops_lib.measures.concentration": ("spend_concentration",),
    "llmops_lib.measures.rankings": ("example_calls", "spender_rankings"),
    "llmops_lib.measures.savings.caching": (
        "caching_savings",
        "calls_as_if_cached",
        "calls_as_if_written",
        "with_text_lengths",
    ),
    "llmops_lib.measures.caching": (
        "CachingPolicy",
        "caching_strata",
        "caching_tradeoff",
        "simulate_caching",
    ),
    "llmops_lib.measures.savings.context": ("shorter_contexts",),
    "llmops_lib.measures.savings.models": ("calls_on_other_models", "cheaper_models"),
    "llmops_lib.measures.savings.retries": ("avoidable_retries",),
    "llmops_lib.measures.savings.suggestions": ("saving_suggestions",),
    "llmops_lib.registry.prompts": ("Prompt", "load_prompt"),
    "llmops_lib.registry.diffs": ("prompt_diff",),
    "llmops_lib.registry.tools": ("Tool", "tool_of", "write_tools"),
    "llmops_lib.registry.versions": ("load_tools", "prompt_versions", "tool_versions"),
    "llmops_lib.evals.suites": ("Suite", "load_suite"),
    "llmops_lib.evals.locking": ("lock_suite", "suite_changes"),
    "llmops_lib.measures.lineage": ("prompt_lineage",),
    "llmops_lib.measures.tool_schemas": ("checked_tool_calls", "tool_schema_validity"),
    "llmops_lib.measures.retries": ("retry_costs", "with_retries"),
    "llmops_lib.measures.budgets": ("budget_status",),
    "llmops_lib.measures.budget_backtest": ("budget_backtest",),
    "llmops_lib.measures.breaker": ("breaker_decisions", "simulate_breaker"),
    "llmops_lib.measures.spike_coverage": ("spike_coverage",),
    "llmops_lib.measures.spikes": ("spend_spikes",),
    "llmops_lib.measures.blast_radius": ("blast_radius", "incident_examples"),
    "llmops_lib.measures.incident_changes": ("changes_before", "incident_timeline"),
    "llmops_lib.measures.incident_causes": ("explain_incident", "incident_breakdown"),
    "llmops_lib.measures.incidents": ("change_points", "find_incident", "find_incidents"),
    "llmops_lib.playbooks": ("load_playbooks", "matching_playbooks"),
    "llmops_lib.measures.reconcile": ("reconcile",),
    "llmops_lib.measures.caps": ("CapPolicy", "capped_by_day", "simulate_caps", "spend_strata"),
    "llmops_lib.measures.difficulty": ("with_difficulty",),
    "llmops_lib.measures.judgements": ("with_judgements", "with_trace_feedback"),
    "llmops_lib.measures.off_policy": ("off_policy_value",),
    "llmops_lib.measures.routing": ("routing_by_stratum", "routing_tradeoff", "simulate_routing"),
    "llmops_lib.measures.routing_curve": ("routing_curve", "routing_summary"),
    "llmops_lib.measures.routing_strata": ("routing_strata",),
    "llmops_lib.stats.strata": ("RoutingPolicy",),
    "llmops_lib.widgets.budgets": ("breaker_panel", "budget_panel"),
    "llmops_lib.widgets.caching": ("caching_panel",),
    "llmops_lib.widgets.routing": ("routing_panel",),
    "llmops_lib.measures.span_tree": ("span_tree",),
    "llmops_lib.safety": ("with_excerpts",),
    "llmops_lib.widgets.span_tree": ("span_tree_panel",),
    "llmops_lib.alerts.check": ("AlertOutcome", "check_alerts"),
    "llmops_lib.alerts.rules": ("load_alert_rules",),
    "llmops_lib.demo": ("write_demo",),
    "llmops_lib.reports": ("run_report",),
}

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - one list of names, kept where their homes are


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        msg = f"llmops_lib has no {name!r}; it has {', '.join(__all__)}"
        raise AttributeError(msg)
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
