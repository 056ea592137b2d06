"""A comparison as Markdown, for a pull request: what it says first, then figures, then texts that changed."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from llmops_lib.calls.text_diffs import word_diff

_SHOWN = 10
_MARKS = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}


def rerun_verdict(effects: pl.DataFrame) -> str:
    """The whole comparison in one sentence.

    Args:
        effects: As `rerun_effects` gives them.

    Example:
        >>> rerun_verdict(pl.DataFrame({"metric": ["cost_usd", "ok"], "verdict": ["better", "worse"]}))
        'Worse: ok. Better: cost_usd.'
    """
    told = []
    for word in ("worse", "better", "different", "inconclusive", "equivalent"):
        names = effects.filter(verdict=word)["metric"].to_list()
        told += [f"{word.capitalize()}: {', '.join(names)}."] if names else []
    return " ".join(told) or "Nothing was compared."


def rerun_markdown(facts: Mapping[str, Any], effects: pl.DataFrame, changes: pl.DataFrame) -> str:
    """The comparison of a rerun as Markdown.

    Args:
        facts: Of the rerun.
        effects: As `rerun_effects` gives them.
        changes: As `rerun_changes` gives them, their texts masked.
    """
    lines = [f"## Rerun of {_code(facts['prompt_name'])}: {rerun_verdict(effects)}", ""]
    if facts["is_simulated"]:
        lines += ["**Simulated**: the bundled extractive answerer answered, which is no language model.", ""]
    made = f"{facts['rerun_count']} of {facts['drawn_count']} drawn calls were made again with both versions"
    kept = f"{facts['skipped_count']} could not be; both versions send {facts['same_request_count']} alike"
    lines += [
        f"{made}, {kept}.",
        "",
        "| metric | verdict | calls | old | new | change | 95% interval | p (Holm) |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(row) for row in effects.iter_rows(named=True)),
        "",
        f"### {changes.height} answers changed" + (f", the {_SHOWN} most" if changes.height > _SHOWN else ""),
        "",
    ]
    for row in changes.head(_SHOWN).iter_rows(named=True):
        flips = f": {_code(row['flips'])}" if row["flips"] else ""
        lines += [f"{_code(row['example_id'])}{flips}", "", "```text"]
        lines += [f"> {inline_diff(row['old_output'] or '', row['new_output'] or '')}", "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def inline_diff(old: str, new: str) -> str:
    """Two texts in one line, with what was taken out as `[-...-]` and what was put in as `{+...+}`.

    Example:
        >>> inline_diff("within 14 days", "within 30 days")
        'within [-14-]{+30+} days'
    """
    return "".join(_MARKS[kind].format(text) for kind, text in word_diff(old, new))


def change_text(row: Mapping[str, Any], name: str) -> str:
    """The change of a metric, or a limit of it, as written: points of a score, or percent.

    Args:
        row: A row of `rerun_effects`.
        name: `diff`, `lower` or `upper`.
    """
    value = row[name]
    if value is None:
        return "unknown"
    return f"{value * 100:+.1f}%" if row["is_ratio"] else f"{value:+.3f}"


def _row(row: Mapping[str, Any]) -> str:
    means = ("unknown" if row[side] is None else f"{row[side]:.4g}" for side in ("old_mean", "new_mean"))
    limits = f"{change_text(row, 'lower')} to {change_text(row, 'upper')}"
    p = "" if row["p_adjusted"] is None else f"{row['p_adjusted']:.3g}"
    cells: Iterable[str] = (
        _code(row["metric"]),
        row["verdict"],
        str(row["pair_count"]),
        *means,
        change_text(row, "diff"),
        limits,
        p,
    )
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    # A backtick would end the code, a pipe the cell, a line break the row.
    plain = "".join(letter if letter.isprintable() else " " for letter in text)[:200]
    return f"`{plain.replace('`', chr(39)).replace('|', chr(0x2223))}`"
