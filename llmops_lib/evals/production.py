"""Sampled calls of production put before a model as judge, as scores that keep their weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl

from llmops_lib.chat import has_baseline
from llmops_lib.errors import SuiteError
from llmops_lib.evals.graders.answers import Verdict
from llmops_lib.evals.judge import judge, judge_requests
from llmops_lib.evals.judged import Judges
from llmops_lib.evals.run import RUN_FORMAT, EvalRun
from llmops_lib.pricing.chat_costs import Prices, worst_costs_usd
from llmops_lib.registry.names import checked_run_id
from llmops_lib.registry.prompts import Prompt, load_prompt
from llmops_lib.safety import last_asked, last_message
from llmops_lib.sampling.scores import CARRIED
from llmops_lib.schema import SCORES, conform, validate

ANSWER_JUDGE = "judge_answer"
"""Name of the prompt, and so of the scorer, that judges an answer without a good one to compare with."""

_MOST_CHARACTERS = 20_000
_SAME = (
    "model",
    "provider",
    "prompt_name",
    "prompt_version",
    "prompt_hash",
    "started_at",
    "latency_ms",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "input",
    "output",
    "trace_id",
)


@dataclass(frozen=True)
class JudgingPlan:
    """What a judge will be asked about a sample.

    Attributes:
        sample: The sampled calls.
        prompt: The judge's.
        model: The model that judges.
        items: By the name of a call, what is asked of it; calls without an answer are not asked about.
    """

    sample: pl.DataFrame
    prompt: Prompt
    model: str
    items: Mapping[str, Mapping[str, Any]]

    def most_usd(self, provider: str | None, prices: Prices = None) -> float | None:
        """What judging costs at most; None where the price of a call is unknown.

        Args:
            provider: `gen_ai.provider.name` of the endpoint.
            prices: The user's own list, as `price_calls` takes it.
        """
        asked = judge_requests(self.prompt, list(self.items.values()), model=self.model, key=b"plan")
        known = worst_costs_usd([request for _, request in asked], provider, prices)
        return None if any(one is None for one in known) else sum(one for one in known if one is not None)


def plan_judging(sample: pl.DataFrame, *, model: str | None = None, folder: str | None = None) -> JudgingPlan:
    """What a judge will be asked about a sample; nothing is asked yet.

    Args:
        sample: Sampled calls, as `load_sample` gives them.
        model: Model that judges; that of the prompt without.
        folder: Folder of the judge's prompt; that of the library when None.
    """
    prompt = load_prompt(ANSWER_JUDGE, folder=folder)
    items = {}
    # Each call has JSON of its own shape.
    for call in sample.iter_rows(named=True):
        if not call["is_error"] and (answer := last_message(call["output"])):
            items[_name(call)] = {
                "task": last_message(call.get("system_instructions"))[:_MOST_CHARACTERS],
                "conversation": _conversation(call["input"]),
                "candidate": answer[:_MOST_CHARACTERS],
            }
    return JudgingPlan(sample, prompt, model or prompt.model, items)


def judge_sample(
    plan: JudgingPlan,
    judges: Judges,
    *,
    run_id: str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> EvalRun:
    """Judges the calls of a plan: one score per sampled call, with its chance in the metadata.

    A call that failed has score 0 (`failed_call`), asked of nobody; one whose answer the export does not
    hold, or that the judge gave no valid reply about, has none.

    Args:
        plan: What is asked.
        judges: Makes the calls; with a cache, what was judged before is not judged again in a larger sample.
        run_id: Name of the run; made of model and time without.
        clock: Gives the time.

    Returns:
        The run; its `cost_usd` is what judging cost now, known wrong answers included.

    Raises:
        SuiteError: If `run_id` cannot name a folder; nothing has been asked then.
    """
    name = checked_run_id(run_id or f"production-{ANSWER_JUDGE}-{clock():%Y%m%dT%H%M%S}", SuiteError)
    items = list(plan.items.values())
    found = judge(judges.ask, plan.prompt, items, model=plan.model, key=judges.key, ids=list(plan.items))
    verdicts = dict(zip(plan.items, found.verdicts, strict=True))
    results = [*found.results, *found.canary_results]
    judged_by = {
        "judge_model": plan.model,
        "judge_prompt_hash": plan.prompt.prompt_hash,
        # The bundled answerer is no language model, and what it says is no judgement.
        "is_simulated": has_baseline(results),
    }
    rows = [
        _row(call, verdicts.get(_name(call)), name, judged_by) for call in plan.sample.iter_rows(named=True)
    ]
    costs = [result.cost_usd for result in results if not result.is_cached and result.attempt_count]
    return EvalRun(
        run_id=name,
        scores=validate(conform(pl.DataFrame(rows, infer_schema_length=None), SCORES), SCORES),
        call_count=len(results),
        cached_count=sum(result.is_cached for result in results),
        failed_count=sum(result.answer is None for result in results),
        cost_usd=None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost),
    )


def _name(call: Mapping[str, Any]) -> str:
    return f"{call['trace_id']}/{call['span_id']}"


def _conversation(text: str | None) -> str:
    """What a user asked last, and what the answer was given beside it, such as the result of a tool."""
    asked, last = last_asked(text), last_message(text)
    return (asked if asked == last else f"{asked}\n\n{last}")[:_MOST_CHARACTERS]


def _row(
    call: Mapping[str, Any], verdict: Verdict | None, run_id: str, judged_by: Mapping[str, Any]
) -> dict[str, Any]:
    said = verdict or _unasked(call)
    facts = {name: call[name] for name in CARRIED if call.get(name) is not None}
    return {
        **{name: call.get(name) for name in _SAME},
        "run_id": run_id,
        "example_id": _name(call),
        "trial": 1,
        "scorer": ANSWER_JUDGE,
        "score": said.score,
        "passed": said.passed,
        "label": said.label,
        "explanation": said.explanation or None,
        "error": said.explanation if said.score is None else None,
        "metadata": orjson.dumps({**facts, **judged_by}).decode(),
        "source_format": RUN_FORMAT,
        "source_file": run_id,
    }


def _unasked(call: Mapping[str, Any]) -> Verdict:
    if call["is_error"]:
        return Verdict(0.0, passed=False, label="failed_call", explanation="the call failed")
    return Verdict(None, None, "no_answer", "the export holds no answer of the call")
