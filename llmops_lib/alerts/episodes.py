"""Episodes: breaches of a rule by a group that follow each other; each is told of once."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from llmops_lib.alerts.breaches import Breach
from llmops_lib.alerts.rules import Rule
from llmops_lib.alerts.words import group_label

_REMEMBERED = timedelta(days=90)


@dataclass(frozen=True)
class Episode:
    """One episode, as it is remembered from run to run. What it says is masked.

    Attributes:
        id: Short name of the episode, the same in every message about it.
        rule: Rule that is broken.
        severity: Its severity when the episode began.
        group_hash: Hash of the values that the group is of, so that they need not be kept.
        label: The group, masked.
        started_at: First moment, UTC.
        last_at: Last moment so far, UTC.
        quiet_seconds: Time without a breach after which it is over.
        said: What is told.
        pending: Destinations that have not heard of it.
        delivered: Destinations that have.
    """

    id: str
    rule: str
    severity: str
    group_hash: str
    label: str
    started_at: datetime
    last_at: datetime
    quiet_seconds: float
    said: str
    pending: tuple[str, ...]
    delivered: tuple[str, ...] = ()

    def is_open(self, now: datetime) -> bool:
        """Whether a breach now would belong to it."""
        return now < self.last_at + timedelta(seconds=self.quiet_seconds)

    def told(self, destination: str) -> "Episode":
        """The episode once a destination has heard of it."""
        pending = tuple(name for name in self.pending if name != destination)
        return replace(self, pending=pending, delivered=(*self.delivered, destination))


def found_episodes(rule: Rule, found: Sequence[Breach]) -> list[Episode]:
    """Episodes of one rule, from its breaches by group and start."""
    parts: list[list[Breach]] = []
    ends: list[datetime] = []
    for breach in found:
        if parts and parts[-1][0].group == breach.group and breach.started_at < ends[-1] + rule.quiet:
            parts[-1].append(breach)
            ends[-1] = max(ends[-1], breach.ended_at)
        else:
            parts.append([breach])
            ends.append(breach.ended_at)
    return [_episode(rule, part, end) for part, end in zip(parts, ends, strict=True)]


def _episode(rule: Rule, part: Sequence[Breach], end: datetime) -> Episode:
    first, worst = part[0], max(part, key=lambda breach: breach.weight)
    more = f" (the worst of {len(part)})" if len(part) > 1 else ""
    # JSON keeps null apart from the text "null", and a comma inside a value from one between two.
    group_hash = _hash(json.dumps([rule.groups, first.group]))
    return Episode(
        id=_hash(json.dumps([rule.name, group_hash, first.started_at.isoformat()]))[:10],
        rule=rule.name,
        severity=rule.severity,
        group_hash=group_hash,
        label=group_label(rule.groups, first.group),
        started_at=first.started_at,
        last_at=end,
        quiet_seconds=rule.quiet.total_seconds(),
        said=worst.said + more,
        pending=rule.to,
    )


def merged(known: Iterable[Episode], found: Iterable[Episode]) -> tuple[list[Episode], set[str]]:
    """What is remembered from now on, and the ids of the episodes that are new.

    An episode that is found again, goes on or resumes within its quiet time is the known one; nobody hears
    of it again. What comes late may join two known episodes into one.

    Args:
        known: Episodes of earlier runs.
        found: Episodes of this run.
    """
    episodes, new = list(known), set()
    for episode in found:
        same = [other for other in episodes if _are_one(other, episode)]
        episodes = [other for other in episodes if other not in same]
        if not same:
            new.add(episode.id)
            episodes.append(episode)
            continue
        first = min(same, key=lambda other: other.started_at)
        delivered = tuple(dict.fromkeys(name for other in same for name in other.delivered))
        pending = dict.fromkeys(name for other in same for name in other.pending if name not in delivered)
        episodes.append(
            replace(
                first,
                started_at=min(first.started_at, episode.started_at),
                last_at=max(episode.last_at, *(other.last_at for other in same)),
                quiet_seconds=episode.quiet_seconds,
                pending=tuple(pending),
                delivered=delivered,
            )
        )
    return sorted(episodes, key=lambda episode: (episode.started_at, episode.id)), new


def remembered(episodes: Iterable[Episode], now: datetime) -> list[Episode]:
    """Those that may still matter: open, untold, or over for less than 90 days."""
    return [episode for episode in episodes if episode.pending or episode.last_at + _REMEMBERED > now]


def _are_one(known: Episode, found: Episode) -> bool:
    quiet = timedelta(seconds=max(known.quiet_seconds, found.quiet_seconds))
    is_same = (known.rule, known.group_hash) == (found.rule, found.group_hash)
    return is_same and known.started_at < found.last_at + quiet and found.started_at < known.last_at + quiet


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
