"""Which playbooks an incident looks like, and how well."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from llmops_lib.playbooks.declared import Playbook, Sign
from llmops_lib.playbooks.files import load_playbooks
from llmops_lib.signals.windows import incident_of

_FIRST_CAUSES = 3
_MATCHES = {
    "playbook": pl.String(),
    "title": pl.String(),
    "match_share": pl.Float64(),
    "held": pl.List(pl.String()),
    "missing": pl.List(pl.String()),
    "mitigation": pl.List(pl.String()),
    "rollback": pl.String(),
}


class _Facts(NamedTuple):
    metrics: set[str]
    details: list[str]
    causes: set[str]
    new: set[str]
    changes: set[str]
    times: float


def matching_playbooks(
    incident: Any,
    causes: pl.DataFrame,
    changes: pl.DataFrame | None = None,
    *,
    playbooks: Sequence[Playbook] | None = None,
) -> pl.DataFrame:
    """The playbooks whose signature an incident meets, the best match first.

    A playbook is out of the question where a sign that it requires does not hold. The match is the weight of
    the signs that hold over that of all its signs: how much it looks like this, not how likely it is.

    Args:
        incident: One row of `find_incidents`.
        causes: What `explain_incident` returns; the first three count.
        changes: What `changes_before` returns.
        playbooks: What `load_playbooks` returns; those of the library without it.

    Returns:
        One row per playbook that is in question: `playbook`, `title`, `match_share` (0 to 1), `held` and
        `missing` (lists of what the signs say), `mitigation` (list, the first thing first), `rollback`.

    Raises:
        IncidentError: If the incident is no single row.

    Example:
        >>> from datetime import UTC, datetime
        >>> incident = {"metric": "spend", "onset_at": datetime(2026, 11, 12, tzinfo=UTC), "usual": 1.0,
        ...             "during": 9.0, "metrics": ["spend"]}
        >>> causes = pl.DataFrame({"columns": [["tenant"]], "values": [["acme"]], "is_new": [False]})
        >>> matching_playbooks(incident, causes).select("playbook", "match_share").row(0)
        ('cost_runaway', 1.0)
    """
    facts = _facts(incident_of(incident).row, causes, changes)
    rows = []
    for playbook in playbooks if playbooks is not None else load_playbooks():
        held = {sign.says: _holds(sign, facts) for sign in playbook.signature}
        if any(sign.required and not held[sign.says] for sign in playbook.signature):
            continue
        weight = sum(sign.weight for sign in playbook.signature)
        met = sum(sign.weight for sign in playbook.signature if held[sign.says])
        rows.append(
            {
                "playbook": playbook.name,
                "title": playbook.title,
                "match_share": met / weight,
                "held": [says for says, holds in held.items() if holds],
                "missing": [says for says, holds in held.items() if not holds],
                "mitigation": list(playbook.mitigation),
                "rollback": playbook.rollback,
            }
        )
    table = pl.DataFrame(rows, schema=pl.Schema(_MATCHES))
    return table.sort("match_share", "playbook", descending=[True, False])


def _facts(row: Mapping[str, Any], causes: pl.DataFrame, changes: pl.DataFrame | None) -> _Facts:
    names = [str(name).partition(": ") for name in row.get("metrics") or [row["metric"]]]
    first = causes.head(_FIRST_CAUSES).to_dicts()
    new = {column for cause in first if cause["is_new"] for column in cause["columns"]}
    kinds = set()
    if changes is not None:
        kinds = set(changes["kind"])
        seen = changes.filter(kind="first seen")["what"]
        new |= {what.partition("=")[0] for what in seen}
    usual, during = row.get("usual") or 0.0, row.get("during") or 0.0
    return _Facts(
        {metric for metric, _, _ in names},
        [detail.lower() for _, _, detail in names if detail],
        {column for cause in first for column in cause["columns"]},
        new,
        kinds,
        during / usual if usual else float("inf"),
    )


def _holds(sign: Sign, facts: _Facts) -> bool:
    met = [
        not sign.metrics or bool(set(sign.metrics) & facts.metrics),
        not sign.details or any(part.lower() in detail for part in sign.details for detail in facts.details),
        not sign.causes or bool(set(sign.causes) & facts.causes),
        not sign.new or bool(set(sign.new) & facts.new),
        not sign.changes or bool(set(sign.changes) & facts.changes),
        sign.least_times is None or facts.times >= sign.least_times,
        not set(sign.without) & facts.metrics,
    ]
    return all(met)
