"""The calls that a run of a suite makes, known before the first of them is paid for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmops_lib.chat import ChatRequest
from llmops_lib.errors import SuiteError
from llmops_lib.evals.cases import Case
from llmops_lib.evals.suites import Suite
from llmops_lib.pricing.chat_costs import Prices, worst_costs_usd
from llmops_lib.registry.prompts import Prompt

EVAL_FEATURE = "eval"
"""`feature` of the calls that evals make, which keeps them apart from production in reports."""


@dataclass(frozen=True)
class PlannedCall:
    """One trial of one case.

    Attributes:
        case: The case.
        trial: Counted from 1.
        request: The call.
    """

    case: Case
    trial: int
    request: ChatRequest


@dataclass(frozen=True)
class EvalPlan:
    """All trials of all cases, by case.

    Attributes:
        suite: The suite.
        prompt: The prompt under test.
        model: The model under test.
        trials: Trials of each case.
        calls: What is asked.
    """

    suite: Suite
    prompt: Prompt
    model: str
    trials: int
    calls: tuple[PlannedCall, ...]

    def most_usd(self, provider: str | None, prices: Prices = None) -> float | None:
        """What the calls cost at most, calls of judges aside; None where the price of one is unknown.

        Args:
            provider: `gen_ai.provider.name` of the endpoint.
            prices: The user's own list, as `price_calls` takes it.
        """
        known = worst_costs_usd([call.request for call in self.calls], provider, prices)
        return None if any(one is None for one in known) else sum(one for one in known if one is not None)


def plan_eval(  # noqa: PLR0913 - what is run, on what, how often, and what for
    suite: Suite,
    prompt: Prompt,
    *,
    model: str | None = None,
    trials: int = 1,
    only: Sequence[str] = (),
    purpose: str = "eval",
) -> EvalPlan:
    """The calls of a run; every prompt is rendered now, so that one without a variable fails before any call.

    Args:
        suite: The suite.
        prompt: The prompt under test; need not be the one that the suite names.
        model: The model under test; that of the prompt without.
        trials: Trials of each case.
        only: Ids of cases or tags; everything without.
        purpose: What the calls are for, as policies name it: `eval` or `redteam`.

    Raises:
        SuiteError: If `trials` is below 1 or `only` matches nothing.
        PromptInputError: If the inputs of a case do not fit the prompt.
        TemplateError: If a template cannot be rendered with them.
    """
    if trials < 1:
        msg = f"found {trials} trials, expected at least 1"
        raise SuiteError(msg)
    cases = [case for case in suite.cases if not only or {case.id, *case.tags} & set(only)]
    if not cases:
        msg = f"suite {suite.name}: no case has one of the ids or tags {list(only)}"
        raise SuiteError(msg)
    calls = []
    for case in cases:
        messages = prompt.render(**case.inputs)
        for trial in range(1, trials + 1):
            request = ChatRequest(
                model or prompt.model,
                messages,
                prompt.parameters,
                tools=[{"type": "function", "function": tool.definition} for tool in prompt.tools],
                trial=trial,
                scope={"feature": EVAL_FEATURE},
                carried=_carried(suite, prompt, case),
                purpose=purpose,
            )
            calls.append(PlannedCall(case, trial, request))
    return EvalPlan(suite, prompt, model or prompt.model, trials, tuple(calls))


def _carried(suite: Suite, prompt: Prompt, case: Case) -> Mapping[str, str]:
    version = {"gen_ai.prompt.version": prompt.version} if prompt.version else {}
    return {
        "feature": EVAL_FEATURE,
        "gen_ai.prompt.name": prompt.name,
        **version,
        "prompt.hash": prompt.prompt_hash,
        "llmops.eval.suite": suite.name,
        "llmops.eval.case": case.id,
    }
