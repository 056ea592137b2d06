"""Two answers to the same call side by side, with what only one of them holds marked."""

from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.calls.text_diffs import word_diff
from llmops_lib.views.formats import duration, share, usd
from llmops_lib.views.html import Html, figured_list

_NOTHING = "(no answer)"


def answer_diffs(changes: pl.DataFrame, *, caption: str, empty: str) -> Html:
    """Answers in the order given, old and new side by side.

    Args:
        changes: Rows of `rerun_changes`, their texts masked: `example_id`, `feature`, `changed_share`,
            `flips`, `source_trace_id`, `old_output`, `new_output`, and cost and latency of both.
        caption: What these calls have in common.
        empty: What is said where there are none.

    Returns:
        An ordered list.
    """
    return figured_list(changes, _item, caption=caption, empty=empty)


def _item(row: dict[str, Any]) -> Markup:
    figures = [
        row["feature"],
        f"{share(row['changed_share'])} of the words",
        *([row["flips"]] if row["flips"] else []),
        f"{duration(row['old_latency_ms'])} → {duration(row['new_latency_ms'])}",
    ]
    if row["old_cost_usd"] is not None or row["new_cost_usd"] is not None:
        figures.append(f"{usd(row['old_cost_usd'])} → {usd(row['new_cost_usd'])}")
    sides = _sides(row["old_output"], row["new_output"])
    return Markup(
        '<li><p class="figures"><strong>{}</strong> · {}</p><p class="ids">trace <code>{}</code></p>'
        '<div class="scroll"><table class="data sides"><thead><tr><th>In force</th><th>New</th></tr></thead>'
        '<tbody><tr><td class="excerpt">{}</td><td class="excerpt">{}</td></tr></tbody></table></div></li>'
    ).format(
        row["example_id"],
        Markup(" · ").join(Markup("{}").format(one) for one in figures if one is not None),
        row["source_trace_id"],
        *sides,
    )


def _sides(old: str | None, new: str | None) -> tuple[Markup, Markup]:
    if old is None or new is None:
        texts = (_NOTHING if one is None else one for one in (old, new))
        before, after = (Markup("{}").format(text) for text in texts)
        return before, after
    pieces = word_diff(old, new)
    before = Markup("").join(_piece(kind, text, "del") for kind, text in pieces if kind != "added")
    after = Markup("").join(_piece(kind, text, "ins") for kind, text in pieces if kind != "removed")
    return before, after


def _piece(kind: str, text: str, tag: str) -> Markup:
    if kind == "same":
        return Markup("{}").format(text)
    # The tag is one of two literals of this module.
    return Markup(f"<{tag}>{{}}</{tag}>").format(text)  # noqa: S704
