"""Everything that is watched in a table of spans, counted once, and what each stream is granted."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from llmops_lib.frames import by_columns
from llmops_lib.signals.arrivals import Arrival, arrival_keys, arrivals, only_new
from llmops_lib.signals.counting import flagged_calls
from llmops_lib.signals.counts import Signals
from llmops_lib.signals.findings import dated_findings
from llmops_lib.signals.gather import gathered
from llmops_lib.signals.streams import Hours, Stream, streams

OF_SPEND, OF_ARRIVALS = 0.375, 0.125
"""Parts of the false alarms that spend and what came up are granted; the rest is for shares."""


class Watched(NamedTuple):
    """What is watched.

    Attributes:
        signals: Counts by `hour_at`, the watched columns and those of arrivals.
        hours: The hours.
        of_spend: Streams of spend.
        of_shares: Streams of shares.
        arrivals: Values that came up.
    """

    signals: Signals
    hours: Hours
    of_spend: list[Stream]
    of_shares: list[Stream]
    arrivals: list[Arrival]


def watched_streams(spans: Any, scores: Any, findings: Any, by: str | Sequence[str]) -> Watched | None:
    """What is watched; None where there is no call. Arguments as for `change_points`."""
    watched = by_columns(by)
    came = arrivals(spans)
    columns = list(dict.fromkeys([*watched, *arrival_keys(came, spans)]))
    signals = gathered(
        only_new(flagged_calls(spans, columns), came),
        ["hour_at", *columns],
        scores=scores,
        findings=dated_findings(findings, spans),
    )
    hours = Hours.of(signals.calls)
    if hours is None:
        return None
    every = list(streams(signals, watched))
    of_spend = [stream for stream in every if stream.signal.metric == "spend"]
    of_shares = [stream for stream in every if stream.signal.metric != "spend"]
    return Watched(signals, hours, of_spend, of_shares, came)


def rate_of_one(seen: Watched, rate: float, *, is_spend: bool) -> float:
    """False alarms per week granted to one stream of spend, or of shares, of those of all together."""
    part = OF_SPEND if is_spend else 1 - OF_SPEND - OF_ARRIVALS
    return rate * part / max(len(seen.of_spend if is_spend else seen.of_shares), 1)
