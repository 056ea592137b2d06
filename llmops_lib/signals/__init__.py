"""What may go wrong, counted: spend, slow calls, failures, refusals, tool failures, quality and findings.

What finds an incident and what explains it count alike, so the counting lives here and measures share it.
"""

from llmops_lib.signals.counting import CAUSES, WATCHED, flagged_calls
from llmops_lib.signals.counts import METRICS, Signal, Signals, signal_named
from llmops_lib.signals.gather import gathered

__all__ = [
    "CAUSES",
    "METRICS",
    "WATCHED",
    "Signal",
    "Signals",
    "flagged_calls",
    "gathered",
    "signal_named",
]
