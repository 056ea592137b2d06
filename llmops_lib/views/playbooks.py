"""Playbooks that an incident matches, and the actions that follow from the best of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import share
from llmops_lib.views.html import Html
from llmops_lib.views.tables import data_table


class Steps(Protocol):
    """What is shown of a playbook."""

    name: str
    mitigation: list[str]
    rollback: str
    follow_ups: list[str]
    body: str


def playbooks_list(matches: pl.DataFrame, playbooks: Sequence[Steps], *, most: int = 3) -> Html:
    """The playbooks that match best, with the signs that hold and those that do not.

    Args:
        matches: What `matching_playbooks` returns.
        playbooks: What `load_playbooks` returns.
        most: How many to show.

    Returns:
        An ordered list; every text in it is escaped.
    """
    if matches.is_empty():
        return Html(Markup('<p class="note">No playbook has a signature that this incident meets.</p>'))
    steps = {playbook.name: playbook for playbook in playbooks}
    items = Markup("").join(
        _item(row, steps[row["playbook"]]) for row in matches.head(most).iter_rows(named=True)
    )
    return Html(Markup('<figure class="calls"><ol>{}</ol></figure>').format(items))


def _item(match: Mapping[str, Any], steps: Steps) -> Markup:
    missing = "; ".join(match["missing"]) or "nothing"
    return Markup(
        '<li><p class="figures"><strong>{}</strong> · {} of {} signs, {} by weight</p>'
        '<p class="ids">holds: {} · missing: {}</p>'
        "<p>{}</p><p>Roll back: <code>{}</code></p></li>"
    ).format(
        match["title"],
        len(match["held"]),
        len(match["held"]) + len(match["missing"]),
        share(match["match_share"]),
        "; ".join(match["held"]),
        missing,
        steps.body,
        steps.rollback,
    )


def actions_table(matches: pl.DataFrame, playbooks: Sequence[Steps]) -> Html:
    """What to do, from the playbook that matches best; whose it is and until when is for people to fill in.

    Args:
        matches: What `matching_playbooks` returns.
        playbooks: What `load_playbooks` returns.

    Returns:
        A table with empty columns for an owner and a date.
    """
    best = matches["playbook"].item(0) if matches.height else None
    rows = [
        {"kind": kind, "action": action, "owner": "", "due": ""}
        for playbook in playbooks
        if playbook.name == best
        for kind, actions in (
            ("stop the harm", playbook.mitigation),
            ("roll back", [playbook.rollback]),
            ("follow up", playbook.follow_ups),
        )
        for action in actions
    ]
    labels = {"kind": "When", "action": "Action", "owner": "Owner", "due": "Due"}
    return data_table(pl.DataFrame(rows), caption="Actions", labels=labels, empty="No playbook matches.")
