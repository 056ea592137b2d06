"""One check of alerts: what breaks the rules, which of it is news, and who is told."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import polars as pl

from llmops_lib.alerts.breaches import HISTORY, Breach, breaches
from llmops_lib.alerts.delivery import Send, senders
from llmops_lib.alerts.episodes import Episode, found_episodes, merged, remembered
from llmops_lib.alerts.memory import held, memory_path, recalled, remember
from llmops_lib.alerts.quality import quality_breaches
from llmops_lib.alerts.rules import AlertRules, Dimension, Rule, duration_of, load_alert_rules
from llmops_lib.errors import AlertError
from llmops_lib.pricing import price_calls
from llmops_lib.store import TraceSource, open_source

_MEASURED = (
    "is_model_call",
    "started_at",
    "latency_ms",
    "is_error",
    "cost_usd",
    "input_tokens",
    "output_tokens",
)
_LOOKING_BACK = ("spend_spike", "new_model")
"""Kinds of rules that know what is usual from the weeks before."""


@dataclass(frozen=True)
class AlertOutcome:
    """What a check of alerts found and did.

    Attributes:
        as_of: Start of the last call: what was looked at ends there. None where there are no calls.
        since: From when on breaches were looked for.
        episodes: Episodes that are new, still open, or not yet told to everyone, by start.
        new: Ids of those that no earlier check had found.
        sent: Destinations and ids of the episodes that they were told of in this check.
        failed: Destinations that could not be reached, and the ids they will be told of at the next check.
        refused_count: Rows of the source that could not be read, so that no rule saw them.
        rows_read: Rows of the source, with those.
    """

    as_of: datetime | None
    since: datetime | None
    episodes: tuple[Episode, ...]
    new: frozenset[str]
    sent: tuple[tuple[str, str], ...]
    failed: tuple[tuple[str, str], ...]
    refused_count: int
    rows_read: int


def check_alerts(  # noqa: PLR0913 - where from, by which rules, remembered where, and how to read it
    source: str | Path,
    rules: str | Path,
    *,
    lookback: timedelta | str = "24h",
    state: str | Path | None = None,
    dry_run: bool = False,
    prices: str | Path | pl.DataFrame | None = None,
    timezone: str | None = None,
    columns: str | Path | None = None,
) -> AlertOutcome:
    """Checks the latest calls against alert rules and tells of each episode once.

    Time is that of the data: the check looks back from the last call, so an export of yesterday is judged
    as yesterday would have been. A breach that follows another of its rule and group within `ends_after`
    belongs to the same episode. Who could not be reached is told at the next check.

    Args:
        source: Directory of a store; or exports, as `load_traces` takes them.
        rules: File of alert rules, see `load_alert_rules`.
        lookback: How far back from the last call breaches are looked for, as a duration or in words such as
            `6h`; at least the time between two checks, or what falls between them is missed.
        state: File that remembers the episodes; beside the source when None.
        dry_run: Nothing is sent and nothing is remembered.
        prices: As `price_calls` takes them.
        timezone: As `load_traces` takes it; of no use for a store.
        columns: As `load_traces` takes them; of no use for a store.

    Returns:
        What was found and who was told.

    Raises:
        AlertError: If the rules, an address or the record of earlier alerts cannot be used.
        SourceError: As `load_traces` does.
        StoreError: If the store cannot be read.
    """
    declared = load_alert_rules(rules)
    back = _length(lookback)
    send = {} if dry_run else senders(declared, Path(rules).parent)
    place = Path(state) if state is not None else memory_path(str(source))
    opened = open_source(source, timezone=timezone, columns=columns)
    calls, as_of = _latest_calls(opened.spans, declared, back, prices)
    since = as_of - back if as_of is not None else None
    found = [
        episode
        for rule in declared.rules
        if since is not None
        for episode in found_episodes(rule, _breaches(rule, calls, since, Path(rules).parent))
    ]
    if dry_run:
        return _outcome(*merged(recalled(place), found), opened, as_of=as_of, since=since)
    with held(place):
        episodes, new = merged(recalled(place), found)
        episodes = remembered(episodes, as_of) if as_of is not None else episodes
        # Written before anything is sent, so that a check that is killed forgets nothing.
        remember(place, episodes)
        told = _Telling(episodes, place, {rule.name: rule.note for rule in declared.rules})
        for name, sender in send.items():
            told.tell(name, sender)
    outcome = _outcome(told.episodes, new, opened, as_of=as_of, since=since)
    return replace(outcome, sent=tuple(told.sent), failed=tuple(told.failed))


def _breaches(rule: Rule, calls: pl.DataFrame, since: datetime, folder: Path) -> list[Breach]:
    if rule.kind != "quality":
        return breaches(rule, calls, since)
    return quality_breaches(rule, folder)


class _Telling:
    """Tells destinations of the episodes that they have not heard of, and remembers each message sent."""

    def __init__(self, episodes: list[Episode], place: Path, notes: dict[str, str]) -> None:
        self.episodes, self._place, self._notes = episodes, place, notes
        self.sent: list[tuple[str, str]] = []
        self.failed: list[tuple[str, str]] = []

    def tell(self, destination: str, send: Send) -> None:
        """One message for each rule that has news for the destination."""
        waiting = [episode for episode in self.episodes if destination in episode.pending]
        for rule in dict.fromkeys(episode.rule for episode in waiting):
            news = [episode for episode in waiting if episode.rule == rule]
            ids = {episode.id for episode in news}
            if not send(news, self._notes.get(rule, "")):
                self.failed += [(destination, episode.id) for episode in news]
                continue
            self.sent += [(destination, episode.id) for episode in news]
            self.episodes = [
                episode.told(destination) if episode.id in ids else episode for episode in self.episodes
            ]
            remember(self._place, self.episodes)


def _outcome(
    episodes: list[Episode],
    new: set[str],
    source: TraceSource,
    *,
    as_of: datetime | None,
    since: datetime | None,
) -> AlertOutcome:
    shown = tuple(
        episode
        for episode in episodes
        if episode.id in new or episode.pending or (as_of is not None and episode.is_open(as_of))
    )
    return AlertOutcome(as_of, since, shown, frozenset(new), (), (), source.refused_count, source.rows_read)


def _length(lookback: timedelta | str) -> timedelta:
    try:
        length = duration_of(lookback) if isinstance(lookback, str) else lookback
    except ValueError as error:
        msg = f"lookback: {error}"
        raise AlertError(msg) from error
    if length <= timedelta(0):
        msg = f"lookback is {length}; expected a stretch of time such as 24h"
        raise AlertError(msg)
    return length


def _latest_calls(
    spans: pl.LazyFrame,
    rules: AlertRules,
    lookback: timedelta,
    prices: str | Path | pl.DataFrame | None,
) -> tuple[pl.DataFrame, datetime | None]:
    """Priced model calls as far back as the rules need them, and the start of the last one."""
    calls = spans.filter(pl.col("is_model_call"))
    as_of = calls.select(pl.col("started_at").max()).collect(engine="streaming").item()
    # A window that the look-back cuts is measured whole.
    back = max(HISTORY if rule.kind in _LOOKING_BACK else duration_of(rule.window) for rule in rules.rules)
    if as_of is not None:
        calls = calls.filter(pl.col("started_at") >= as_of - lookback - back)
    priced: pl.LazyFrame = price_calls(calls, prices=prices)
    return priced.select(*_MEASURED, *get_args(Dimension)).collect(), as_of
