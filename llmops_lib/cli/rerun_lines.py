"""A rerun in words: what it would take, and what it found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_lib.cli.screen import say, say_json
from llmops_lib.cli.tables import say_rows

_SHOWN = 3
_WIDEST = 600


@dataclass(frozen=True)
class Said:
    """What was said of a plan.

    Attributes:
        over: Why it must not run; empty where it may.
    """

    over: str


def say_plan(plan: Any, prices: Path | None, *, max_usd: float, is_quiet: bool, as_json: bool) -> Said:
    """Says how many calls a rerun makes, what they cost at most, and what leaves this machine.

    Args:
        plan: The plan.
        prices: The user's own price file.
        max_usd: Most that it may cost; 0: no limit.
        is_quiet: Whether nothing is to be said.
        as_json: Whether it is said as JSON.
    """
    from llmops_lib import Endpoint  # noqa: PLC0415 - keeps `llmops --help` fast

    endpoint = Endpoint.from_environment()
    most = plan.most_usd(endpoint.provider, prices)
    requests = plan.requests
    facts = {
        "calls": len(requests),
        "most_usd": most,
        "found_count": plan.drawn.found_count,
        "drawn_count": plan.drawn.calls.height,
        "skipped_count": plan.skipped.height,
        "host": endpoint.address.host,
        "skipped": reasons(plan.skipped),
    }
    cost = "at most an unknown sum: no price or no token limit" if most is None else f"at most ${most:,.4f}"
    if as_json and not is_quiet:
        say_json(facts)
    elif not is_quiet:
        models = ", ".join(sorted({request.model for request in requests}))
        drawn = f"{plan.drawn.calls.height:,} of {plan.drawn.found_count:,} calls drawn"
        say(f"{drawn}, {len(plan.pairs):,} to be made again: {len(requests):,} calls of {models}, {cost}")
        say(f"their recorded texts go to {endpoint.address.host} as the policy says (`llmops policy show`)")
        for row in reasons(plan.skipped):
            say(f"  left out, {row['call_count']:,}: {row['reason']}")
    over = f"{cost}; the limit is ${max_usd:g}; draw fewer (--sample) or raise it"
    is_over = bool(max_usd) and (most is None or most > max_usd)
    return Said(over if is_over else "")


def reasons(skipped: Any) -> list[dict[str, Any]]:
    """Why calls were left out, the most frequent reason first."""
    counted = (
        skipped.group_by("reason").len("call_count").sort("call_count", "reason", descending=[True, False])
    )
    rows: list[dict[str, Any]] = counted.to_dicts()
    return rows


def say_comparison(done: Any, folder: Path, *, as_json: bool) -> dict[str, Any]:
    """Says what a rerun found and writes it as Markdown beside its files.

    Args:
        done: The rerun.
        folder: Its folder.
        as_json: Whether nothing is to be said, since it follows as JSON.

    Returns:
        The same as plain JSON.
    """
    from llmops_lib import rerun_changes, rerun_effects, rerun_markdown, rerun_verdict  # noqa: PLC0415
    from llmops_lib.safety import with_masked_texts  # noqa: PLC0415 - as above

    effects = rerun_effects(done.old, done.new)
    changes = with_masked_texts(rerun_changes(done.old, done.new), "old_output", "new_output")
    (folder / "comparison.md").write_text(rerun_markdown(done.facts, effects, changes), encoding="utf-8")
    if not as_json:
        _say_effects(done.facts, effects, rerun_verdict(effects))
        _say_changes(changes)
        say(f"{folder}: compared; a report of it: llmops report rerun-review {folder}")
    return {
        **done.facts,
        "folder": str(folder),
        "verdict": rerun_verdict(effects),
        "effects": effects.to_dicts(),
        "changed_count": changes.height,
        "skipped": reasons(done.skipped),
    }


def _say_effects(facts: Any, effects: Any, verdict: str) -> None:
    from llmops_lib.reruns.told import change_text  # noqa: PLC0415 - as above

    if facts["is_simulated"]:
        say("simulated: the bundled extractive answerer answered, which is no language model")
    cost = "unknown" if facts["cost_usd"] is None else f"${facts['cost_usd']:,.4f}"
    say(
        f"{facts['call_count']:,} calls, {facts['cached_count']:,} of them kept from before, "
        f"{facts['failed_count']:,} without an answer; this run cost {cost}"
    )
    say(verdict)
    rows = [
        {
            "metric": row["metric"],
            "verdict": row["verdict"],
            "calls": row["pair_count"],
            "change": change_text(row, "diff"),
            "from": change_text(row, "lower"),
            "to": change_text(row, "upper"),
        }
        for row in effects.iter_rows(named=True)
    ]
    say_rows(rows, ("metric", "verdict", "calls", "change", "from", "to"))


def _say_changes(changes: Any) -> None:
    from llmops_lib.reruns.told import inline_diff  # noqa: PLC0415 - as above

    more = f", the {_SHOWN} most" if changes.height > _SHOWN else ""
    say(f"{changes.height:,} answers changed{more}{':' if changes.height else ''}")
    for row in changes.head(_SHOWN).iter_rows(named=True):
        flips = f" ({row['flips']})" if row["flips"] else ""
        diff = inline_diff(row["old_output"] or "", row["new_output"] or "")
        say(f"  {row['example_id']}{flips}: {diff[:_WIDEST]}")
