"""How busy real services are and how long their prompts and answers get: summary figures, no data.

Sources of the figures:

- RAGPulse week (MIT): 7,106 requests in 3,990 sessions of a university's question-answering service,
  `flashserve/RAGPulse`, `data/0_trace.jsonl`. Gives the weekly rhythm, session lengths, and tokens
  of retrieval-augmented answers.
- Azure LLM inference trace 2023 (CC-BY), `Azure/AzurePublicDataset`, described in Patel et al.,
  Splitwise, ISCA 2024: 19,366 conversation and 8,819 code calls of one hour. Gives tokens of
  chat-like and of completion-like calls.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEVELS = (0.0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1.0)
"""Levels of the quantiles below."""


@dataclass(frozen=True)
class TokenQuantiles:
    """Quantiles of tokens per call at `LEVELS`.

    Attributes:
        input_tokens: Tokens sent.
        output_tokens: Tokens generated.
    """

    input_tokens: tuple[int, ...]
    output_tokens: tuple[int, ...]


CONVERSATION = TokenQuantiles(
    input_tokens=(2, 29, 181, 207, 396, 1020, 1189, 2734, 4083, 4142, 14050),
    output_tokens=(7, 16, 41, 54, 85, 129, 395, 424, 451, 601, 1000),
)
"""Azure LLM inference trace 2023, conversation calls."""

CODE = TokenQuantiles(
    input_tokens=(3, 17, 75, 147, 578, 1469, 2744, 5188, 7303, 7436, 7437),
    output_tokens=(6, 6, 6, 7, 9, 13, 24, 55, 90, 251, 1899),
)
"""Azure LLM inference trace 2023, code calls."""

RETRIEVAL = TokenQuantiles(
    input_tokens=(1052, 1052, 1055, 1110, 2754, 3140, 3437, 3958, 4425, 5438, 7712),
    output_tokens=(7, 36, 66, 83, 131, 234, 385, 563, 670, 891, 2183),
)
"""RAGPulse week."""

SESSION_LENGTHS = (0.588, 0.241, 0.094, 0.038, 0.016, 0.007, 0.005, 0.004, 0.003, 0.002, 0.002)
"""RAGPulse week: shares of sessions of 1, 2, 3 ... requests; the rest, 0.0%, were longer."""

SESSION_PAUSE_SECONDS = (40.0, 300.0)
"""RAGPulse week: median and 90% point of the pauses between requests of a session."""

HOUR_WEIGHTS = (
    (32, 21, 12, 6, 5, 6, 13, 25, 48, 67, 82, 79, 74, 73, 82, 91, 92, 84, 81, 81, 83, 76, 70, 61),
    (48, 30, 13, 5, 3, 5, 10, 21, 40, 58, 71, 71, 73, 77, 90, 89, 82, 68, 64, 67, 75, 81, 81, 72),
    (52, 30, 14, 6, 4, 6, 16, 32, 51, 74, 104, 138, 168, 179, 165, 144, 130, 137, 139, 136, 126, 124, 124, 106),  # noqa: E501 - a day a line
    (80, 45, 24, 9, 6, 6, 15, 30, 52, 67, 70, 65, 64, 73, 85, 92, 90, 91, 93, 97, 92, 84, 71, 59),
    (48, 35, 25, 13, 7, 7, 15, 34, 54, 81, 91, 101, 99, 105, 107, 106, 93, 80, 71, 70, 68, 67, 69, 69),
    (62, 40, 21, 8, 5, 6, 12, 20, 36, 51, 63, 64, 59, 54, 54, 57, 61, 64, 68, 64, 59, 51, 48, 42),
    (36, 25, 17, 12, 10, 13, 16, 23, 32, 48, 62, 68, 61, 54, 55, 63, 74, 79, 78, 73, 67, 59, 51, 42),
)  # fmt: skip
"""RAGPulse week: requests in ten thousand per hour, Monday first, smoothed over five hours.

The hours are local there and are taken as UTC here.
"""


def hour_shares(weekday: int) -> Floats:
    """Shares of a week's requests that fall in each hour of a day.

    Args:
        weekday: 0 for Monday.

    Returns:
        24 shares; those of all seven days add up to 1.
    """
    weights = np.array(HOUR_WEIGHTS, dtype=np.float64)
    shares: Floats = weights[weekday] / weights.sum()
    return shares


def draw_tokens(rng: np.random.Generator, quantiles: tuple[int, ...], count: int) -> Ints:
    """Token counts whose quantiles are those given; between them the logarithm runs straight.

    Args:
        rng: Source of randomness.
        quantiles: Values at `LEVELS`, all above zero.
        count: Number of draws.
    """
    logs = np.interp(rng.random(count), LEVELS, np.log(quantiles))
    tokens: Ints = np.rint(np.exp(logs)).astype(np.int64)
    return tokens
