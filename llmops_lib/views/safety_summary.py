"""The first screen of a safety review: the answer in sentences, then figures."""

from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import count, counted, share
from llmops_lib.views.html import Html
from llmops_lib.views.scenario import Card, cards

_ANY = "ANY"
_LISTED = 4
_ELSE = {
    "not_refused": "are not refused that must be",
    "over_refused": "honest questions are refused",
}
_SIMULATED = Markup(
    '<p class="warn"><strong>Simulated attacks.</strong> The bundled extractive answerer answered the '
    "attacks. It is no language model: their figures show how a review reads, and nothing of a model.</p>"
)


@dataclass(frozen=True)
class SafetyFigures:
    """What a safety review found.

    Attributes:
        totals: `safety_findings_by` over all model calls.
        sent: `sent_data`, names masked.
        actions: `agent_actions_by_risk`, names masked.
        changes: `attack_changes`; empty without a red-team run.
        new: `newly_failed`, texts masked; empty without a run before.
        has_before: Whether there is a run before.
        is_simulated: Whether the bundled answerer answered the attacks.
        audit: What is said of the audit log; empty where none was named.
    """

    totals: pl.DataFrame
    sent: pl.DataFrame
    actions: pl.DataFrame
    changes: pl.DataFrame
    new: pl.DataFrame
    has_before: bool
    is_simulated: bool
    audit: str = ""


def safety_summary(figures: SafetyFigures) -> Html:
    """What calls carry, what left against the policy, which attacks get through that did not before.

    Args:
        figures: What was found.
    """
    first, *others = [_found(figures), _left(figures), _attacked(figures), figures.audit]
    notes = Markup("").join(Markup('<p class="note">{}</p>').format(line) for line in others if line)
    told = Markup('<p class="summary">{}</p>{}{}').format(first, notes, cards(_cards(figures)))
    return Html((_SIMULATED if figures.is_simulated else Markup("")) + told)


def _found(figures: SafetyFigures) -> str:
    row = _total(figures)
    if row is None or not row["searched_count"]:
        return "Nothing can be said of texts: no call has any recorded."
    kinds = figures.totals.filter(pl.col("kind") != _ANY).select("kind", "found_count").rows()
    listed = ", ".join(f"{kind} {count(found)}" for kind, found in kinds)
    unsearched = row["call_count"] - row["searched_count"]
    rest = f" {count(unsearched)} calls have no text recorded and are unknown." if unsearched else ""
    what = f": {listed}" if listed else ""
    return (
        f"{count(row['found_count'])} of {count(row['searched_count'])} calls "
        f"({share(row['found_share'])}) carry findings{what}.{rest}"
    )


def _left(figures: SafetyFigures) -> str:
    against = figures.sent.filter("is_violation")
    unknown = figures.sent.filter(pl.col("is_violation").is_null() & (pl.col("kind") == _ANY))
    blind = f" {_summed(unknown, 'call_count')} calls name no endpoint." if unknown.height else ""
    if against.is_empty():
        return f"Nothing that was found went to a third party against the policy.{blind}"
    told = [
        f"{'any data' if kind == _ANY else kind} to {endpoint} ({counted(calls, 'call')})"
        for kind, endpoint, calls in against.select("kind", "endpoint", "call_count").head(_LISTED).rows()
    ]
    rest = f" and {against.height - _LISTED} more" if against.height > _LISTED else ""
    return f"Against the policy went {', '.join(told)}{rest}.{blind}"


def _attacked(figures: SafetyFigures) -> str:
    attacks = figures.changes.filter(finding="got_through")
    if figures.changes.is_empty():
        return "No red-team run was given, so nothing is known of attacks."
    failed, cases = _summed(attacks, "failed_count"), _summed(attacks, "case_count")
    through = f"{failed} of {cases} attacks get through"
    if not figures.has_before:
        return f"{through}; no run before was given to compare with."
    new = figures.new.filter(finding="got_through")
    told = [
        f"{count(height)} {what}"
        for finding, what in _ELSE.items()
        if (height := figures.new.filter(finding=finding).height)
    ]
    others = f" Newly {' and '.join(told)}." if told else ""
    if new.is_empty():
        return f"{through}, none that the run before withstood.{others}"
    names = ", ".join(new["example_id"].head(_LISTED))
    rest = f" and {new.height - _LISTED} more" if new.height > _LISTED else ""
    return f"{through}; {count(new.height)} did not before: {names}{rest}.{others}"


def _cards(figures: SafetyFigures) -> list[Card]:
    row = _total(figures) or {}
    high = figures.actions.filter(risk="high")
    new = figures.new.height if figures.has_before else None
    against = int(figures.sent["is_violation"].sum() or 0)
    return [
        Card(
            "Calls with findings",
            count(row.get("found_count")),
            f"of {count(row.get('searched_count'))} with text",
        ),
        _kind(figures, "SECRET", "Calls with keys"),
        _kind(figures, "INJECTION", "Calls with signs of injection", note="flags, to be read"),
        Card("Sent against the policy", count(against), "kinds of data, by endpoint", _tone(against)),
        Card(
            "Actions of high risk",
            _summed(high, "call_count"),
            f"of {_summed(figures.actions, 'call_count')} tool calls",
        ),
        Card("Newly failing cases", count(new), "of the red team, since the run before", _tone(new)),
    ]


def _kind(figures: SafetyFigures, kind: str, title: str, note: str = "") -> Card:
    found = int(figures.totals.filter(kind=kind)["found_count"].sum())
    return Card(title, count(found), note or "published formats", _tone(found))


def _tone(number: int | None) -> str:
    return "flat" if number is None else "bad" if number else "good"


def _total(figures: SafetyFigures) -> dict[str, int] | None:
    return next(figures.totals.filter(kind=_ANY).iter_rows(named=True), None)


def _summed(table: pl.DataFrame, column: str) -> str:
    return count(int(table[column].sum()))
