"""Drops of judged quality as breaches of a rule, so that a drop that lasts pages once."""

from itertools import groupby
from pathlib import Path
from typing import Any

from llmops_lib.alerts.breaches import Breach
from llmops_lib.alerts.rules import Rule
from llmops_lib.measures.quality_alarms import quality_alarms
from llmops_lib.sources.results.load import load_scores
from llmops_lib.views.formats import count, moment, share


def quality_breaches(rule: Rule, folder: Path) -> list[Breach]:
    """All drops of a rule that go on at its last judged call, or ended within its quiet time, by group.

    Judging comes after the calls, so the last judged call is what counts as now. Alarms of a stream that
    follow each other within 7 days are one drop, and one breach.

    Args:
        rule: A rule of kind `quality`.
        folder: Folder that its scores are relative to.

    Raises:
        SourceError: If the scores cannot be read.
        SchemaError: If they are no scores of one judge over a sample.
    """
    found = quality_alarms(
        load_scores(folder / rule.scores),
        by=rule.by,
        reference_quality=rule.reference_quality,
        tolerance=rule.tolerance,
        days=rule.days_between_false_alarms,
        detector=rule.detector,
    )
    last_at = {_group(rule, row): row["last_judged_at"] for row in found.streams.iter_rows(named=True)}
    alarms = sorted(
        found.alarms.to_dicts(),
        key=lambda row: ([name or "" for name in _group(rule, row)], row["detected_at"]),
    )
    drops: list[list[dict[str, Any]]] = []
    for group, rows in groupby(alarms, key=lambda row: _group(rule, row)):
        own: list[list[dict[str, Any]]] = []
        for row in rows:
            if row["is_news"] or not own:
                own.append([])
            own[-1].append(row)
        drops += [drop for drop in own if drop[-1]["detected_at"] + rule.quiet >= last_at[group]]
    return [_breach(rule, drop) for drop in drops]


def _group(rule: Rule, row: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(row[name] for name in rule.by)


def _breach(rule: Rule, drop: list[dict[str, Any]]) -> Breach:
    first = drop[0]
    since = moment(first["started_at"])[:16]
    said = (
        f"the judge fails {share(first['failure_share'])} of {count(first['call_count'])} judged calls where "
        f"{share(first['reference_failure_share'])} is usual, since about {since} UTC; "
        f"false alarms on average {rule.days_between_false_alarms:g} days apart or more"
    )
    return Breach(
        _group(rule, first), first["started_at"], drop[-1]["detected_at"], first["failure_share"], said
    )
