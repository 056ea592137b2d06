"""The calls of a rerun, known before the first of them is paid for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from llmops_lib.chat import ChatRequest
from llmops_lib.errors import PromptError, PromptInputError
from llmops_lib.pricing.chat_costs import Prices, worst_costs_usd
from llmops_lib.registry.prompts import Message, Prompt
from llmops_lib.reruns.drawing import DrawnCalls
from llmops_lib.reruns.recovery import recover

RERUN_FEATURE = "rerun"
"""`feature` of the calls that reruns make, which keeps them apart from production in reports."""

SKIPPED_SCHEMA = pl.Schema(
    {
        "trace_id": pl.String,
        "span_id": pl.String,
        "feature": pl.String,
        "stratum": pl.String,
        "weight": pl.Float64,
        "reason": pl.String,
    }
)


@dataclass(frozen=True)
class PlannedPair:
    """One recorded call, to be made again with both versions.

    Attributes:
        id: Its name in the rerun.
        call: The row of the recorded call, without its texts.
        inputs: Inputs of the prompt.
        old: The call of the version in force.
        new: The call of the other version.
    """

    id: str
    call: Mapping[str, Any]
    inputs: Mapping[str, Any]
    old: ChatRequest
    new: ChatRequest

    @property
    def is_same(self) -> bool:
        """Whether both versions send the same; then one call stands for both."""
        return self.old.body() == self.new.body()


@dataclass(frozen=True)
class RerunPlan:
    """All calls of a rerun.

    Attributes:
        old: The version in force.
        new: The version to compare with.
        pairs: Calls to make again.
        skipped: Drawn calls that cannot be made again: `trace_id`, `span_id`, `feature`, `stratum`,
            `weight`, `reason`.
        drawn: What the calls were drawn from.
    """

    old: Prompt
    new: Prompt
    pairs: tuple[PlannedPair, ...]
    skipped: pl.DataFrame
    drawn: DrawnCalls

    @property
    def requests(self) -> list[ChatRequest]:
        """What is sent, old and new side by side, the one and the other first in turn."""
        listed: list[ChatRequest] = []
        for number, pair in enumerate(self.pairs):
            both = [pair.old] if pair.is_same else [pair.old, pair.new]
            listed += both if number % 2 == 0 else both[::-1]
        return listed

    def most_usd(self, provider: str | None, prices: Prices = None) -> float | None:
        """What the calls cost at most; None where the price of one is unknown.

        Args:
            provider: `gen_ai.provider.name` of the endpoint.
            prices: The user's own list, as `price_calls` takes it.
        """
        known = worst_costs_usd(self.requests, provider, prices)
        return None if any(one is None for one in known) else sum(one for one in known if one is not None)


def plan_rerun(
    drawn: DrawnCalls,
    old: Prompt,
    new: Prompt,
    *,
    model: str | None = None,
    given: Mapping[str, Any] | None = None,
) -> RerunPlan:
    """The calls of a rerun; every prompt is rendered now, so that what cannot be made again is known first.

    Args:
        drawn: Calls of production.
        old: The version in force, which made their messages.
        new: The version to compare with.
        model: Model of all calls; that of each version without.
        given: Values of inputs that only the new version has.

    Raises:
        PromptError: If both versions are the same, or none of the calls can be made again; the message says
            why.
    """
    if old.prompt_hash == new.prompt_hash and old.messages == new.messages:
        msg = f"prompt {new.name}: both versions are {new.prompt_hash[:12]}; there is nothing to compare"
        raise PromptError(msg)
    pairs: list[PlannedPair] = []
    skipped: list[dict[str, Any]] = []
    asked: Counter[str] = Counter()
    # One call at a time: each has a text of its own to be read.
    for call in drawn.calls.iter_rows(named=True):
        try:
            found = recover(call, old, new, given=given)
        except PromptError as error:
            reason = str(error).removeprefix(f"prompt {new.name}: ")
            skipped.append({name: call.get(name) for name in SKIPPED_SCHEMA} | {"reason": reason})
            continue
        requests = [
            _asked_again(_request(*side, model), asked) for side in ((old, found.old), (new, found.new))
        ]
        facts = {name: value for name, value in call.items() if name not in _TEXTS}
        facts["how"] = found.how
        pairs.append(PlannedPair(f"call-{len(pairs) + 1:04}", facts, found.inputs, *requests))
    if not pairs:
        msg = f"none of the {drawn.calls.height} calls can be made again: {skipped[0]['reason']}"
        raise PromptInputError(msg)
    return RerunPlan(old, new, tuple(pairs), pl.DataFrame(skipped, schema=SKIPPED_SCHEMA), drawn)


_TEXTS = ("system_instructions", "input", "output", "attributes")


def _asked_again(request: ChatRequest, asked: Counter[str]) -> ChatRequest:
    """The request, told apart from equal ones of other calls: each of them gets an answer of its own."""
    key = request.content_hash("")
    asked[key] += 1
    return replace(request, trial=asked[key] - 1)


def _request(prompt: Prompt, messages: list[Message], model: str | None) -> ChatRequest:
    version = {"gen_ai.prompt.version": prompt.version} if prompt.version else {}
    return ChatRequest(
        model or prompt.model,
        messages,
        prompt.parameters,
        tools=[{"type": "function", "function": tool.definition} for tool in prompt.tools],
        scope={"feature": RERUN_FEATURE},
        carried={
            "feature": RERUN_FEATURE,
            "gen_ai.prompt.name": prompt.name,
            **version,
            "prompt.hash": prompt.prompt_hash,
        },
        purpose="rerun",
    )
