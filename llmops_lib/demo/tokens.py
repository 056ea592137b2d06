"""Tokens of model calls: drawn per feature from the calibration, growing over the turns of an agent."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from llmops_lib.demo.calibration import Ints, draw_tokens
from llmops_lib.demo.planted import Flags
from llmops_lib.demo.traces import Traces
from llmops_lib.demo.world import (
    CHANGED_ANSWER_FACTOR,
    CHANGED_FEATURE,
    CHANGED_PROMPT_TOKENS,
    FEATURE_INDEX,
    FEATURES,
    MODEL_INDEX,
    MODELS,
)

_AGENT = FEATURE_INDEX["agent_refunds"]
_CHANGED = FEATURE_INDEX[CHANGED_FEATURE]
_EMBEDDINGS = FEATURE_INDEX["embed_index"]
_CLAUDE = MODEL_INDEX["claude-sonnet-4-5"]
_GEMINI = MODEL_INDEX["gemini-2.5-flash"]

_TURN_TOKENS = 260
"""Median tokens that one turn of an agent adds to its next prompt."""
_RUNAWAY_FACTOR = 8
"""How many times more a looping agent adds."""
_SYSTEM_TOKENS = 1_040
"""Tokens of the system prompt of the retrieval-augmented feature, which caches can keep."""
_CACHE_BLOCK = 128
_LEAST_CACHED = 1_024
_CACHED_SHARE = 0.6
_REASONED_SHARE = 0.4


@dataclass(frozen=True)
class Usage:
    """Tokens per step as parallel arrays; cached tokens are part of the input, reasoning of the output.

    Attributes:
        input_tokens: Tokens sent.
        output_tokens: Tokens generated.
        cache_read_tokens: Part of the input read from the provider's cache.
        cache_write_tokens: Part of the input written to it.
        reasoning_tokens: Part of the output spent on reasoning.
    """

    input_tokens: Ints
    output_tokens: Ints
    cache_read_tokens: Ints
    cache_write_tokens: Ints
    reasoning_tokens: Ints

    def rows(self, rows: npt.NDArray[np.int64] | Flags) -> "Usage":
        """The usage of some rows, by number or by flag."""
        return Usage(
            self.input_tokens[rows],
            self.output_tokens[rows],
            self.cache_read_tokens[rows],
            self.cache_write_tokens[rows],
            self.reasoning_tokens[rows],
        )


def draw_usage(rng: np.random.Generator, traces: Traces, trace: Ints, turn: Ints, model: Ints) -> Usage:
    """Tokens of each step as if it were a successful model call.

    Args:
        rng: Source of randomness.
        traces: Traces of one day.
        trace: Row of the trace of each step.
        turn: Number of the model call in its trace, from 0.
        model: Index into `MODELS`.
    """
    feature = traces.feature[trace]
    is_changed = (feature == _CHANGED) & traces.is_changed[trace]
    input_tokens, output_tokens = _plain_tokens(rng, feature)
    input_tokens = input_tokens + np.where(is_changed, CHANGED_PROMPT_TOKENS, 0)
    output_tokens = np.where(is_changed, output_tokens * CHANGED_ANSWER_FACTOR, output_tokens).astype(
        np.int64
    )
    system = _SYSTEM_TOKENS + np.where(is_changed, CHANGED_PROMPT_TOKENS, 0)
    is_agent = feature == _AGENT
    growth = _growth(rng, traces)[trace]
    first = input_tokens[_first_of_group(trace)]
    input_tokens = np.where(is_agent, first + growth * turn, input_tokens)
    # A looping agent puts the time at the top of its prompt, so that no cache helps.
    is_reusing = is_agent & (turn > 0) & ~traces.is_runaway[trace]
    reusable = np.where(is_reusing, first + growth * (turn - 1), np.where(feature == _CHANGED, system, 0))
    read = _cache_reads(rng, reusable, model)
    written = np.where((model == _CLAUDE) & is_agent, input_tokens - read, 0)
    has_reasoned = (model == _GEMINI) & (rng.random(len(trace)) < _REASONED_SHARE)
    reasoning = np.where(has_reasoned, output_tokens * rng.uniform(0.5, 3, len(trace)), 0).astype(np.int64)
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens + reasoning,
        cache_read_tokens=read,
        cache_write_tokens=np.where(written >= _LEAST_CACHED, written, 0),
        reasoning_tokens=reasoning,
    )


def _plain_tokens(rng: np.random.Generator, feature: Ints) -> tuple[Ints, Ints]:
    input_tokens = np.zeros(len(feature), dtype=np.int64)
    output_tokens = np.zeros(len(feature), dtype=np.int64)
    for index, described in enumerate(FEATURES):
        rows = np.flatnonzero(feature == index)
        input_tokens[rows] = draw_tokens(rng, described.tokens.input_tokens, len(rows))
        output_tokens[rows] = draw_tokens(rng, described.tokens.output_tokens, len(rows))
    output_tokens[feature == _EMBEDDINGS] = 0
    return input_tokens, output_tokens


def _growth(rng: np.random.Generator, traces: Traces) -> Ints:
    """Tokens that each turn adds, per trace."""
    growth = rng.lognormal(np.log(_TURN_TOKENS), 0.25, len(traces.feature))
    return np.where(traces.is_runaway, growth * _RUNAWAY_FACTOR, growth).astype(np.int64)


def _cache_reads(rng: np.random.Generator, reusable: Ints, model: Ints) -> Ints:
    is_known = np.array([model.is_cache_known for model in MODELS])[model]
    blocks = reusable // _CACHE_BLOCK * _CACHE_BLOCK
    is_read = is_known & (blocks >= _LEAST_CACHED) & (rng.random(len(model)) < _CACHED_SHARE)
    return np.where(is_read, blocks, 0)


def _first_of_group(group: Ints) -> Ints:
    """For each row the first row of its group; groups are numbered in order and lie together."""
    return np.searchsorted(group, group)
