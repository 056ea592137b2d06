"""What a gate says, for a pull request, for a CI server and for people who browse."""

from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from llmops_lib.gating.metrics import p_text
from llmops_lib.gating.results import GateResult, worst_verdict

_HEADLINES = {
    "pass": "Eval gate: pass",
    "block": "Eval gate: blocked",
    "inconclusive": "Eval gate: inconclusive, let through with a warning",
    "invalid": "Eval gate: the runs cannot be compared",
}
_SHOWN_ITEMS = 10
_FEW_EXAMPLES = 100
_ANCHOR = "anchor, the last release"


def gate_markdown(result: GateResult, *, anchor: GateResult | None = None) -> str:
    """A comment for a pull request; text of cases and graders is shown as code, never as markup.

    Args:
        result: What the gate says against the baseline.
        anchor: What it says against the last release.
    """
    if anchor is None:
        return "\n".join([f"### {_HEADLINES[result.verdict]}", "", *_section(result)]).rstrip() + "\n"
    lines = [f"### {_HEADLINES[worst_verdict((result, anchor))]}", ""]
    for name, one in (("baseline", result), (_ANCHOR, anchor)):
        lines += [f"#### Against the {name}: {one.verdict}", "", *_section(one), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(result: GateResult) -> list[str]:
    lines = [*(f"- {_code(reason)}" for reason in result.reasons), ""]
    if result.looked_at_trials is not None:
        lines += [
            f"Looked at {result.looked_at_trials} trials of the candidate, at alpha {result.alpha:g}.",
            "",
        ]
    if not result.metrics.is_empty():
        lines += _table(
            ("metric", "verdict", "baseline", "candidate", "change", "lower limit", "p", "would see"),
            (_cells(row) for row in result.metrics.iter_rows(named=True)),
        )
        lines += [
            "",
            (
                "p: chance of so large a drop without a change, over all metrics together. "
                "Would see: smallest drop that this gate sees with 80% chance."
            ),
            *_smallness(result),
            "",
        ]
    if not result.items.is_empty():
        lines += [f"Examples that did worse, the {min(result.items.height, _SHOWN_ITEMS)} clearest:", ""]
        lines += _table(
            ("example", "metric", "baseline", "candidate"),
            (
                (_code(row["example_id"]), _code(row["metric"]), *_two(row))
                for row in result.items.head(_SHOWN_ITEMS).iter_rows(named=True)
            ),
        )
    return lines


def _smallness(result: GateResult) -> list[str]:
    examples = result.metrics["item_count"].max()
    if not isinstance(examples, int) or examples >= _FEW_EXAMPLES:
        return []
    return [f"{examples} examples are few; `llmops gate plan` says how many it takes to see the margin."]


def gate_junit(result: GateResult, *, anchor: GateResult | None = None) -> str:
    """JUnit XML: one test for the gate, one per metric, one per example that must pass and failed.

    Args:
        result: What the gate says against the baseline.
        anchor: What it says against the last release; its tests are of the class `llmops.gate.anchor`.
    """
    suite = ET.Element("testsuite", name="llmops gate")
    _add_cases(suite, result, "llmops.gate")
    if anchor is not None:
        _add_cases(suite, anchor, "llmops.gate.anchor")
    counts = {"tests": "testcase", "failures": ".//failure", "errors": ".//error", "skipped": ".//skipped"}
    for name, path in counts.items():
        suite.set(name, str(len(suite.findall(path))))
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _add_cases(suite: ET.Element, result: GateResult, classname: str) -> None:
    own = _case(suite, classname, "gate")
    if result.verdict in ("invalid", "block"):
        kind = "error" if result.verdict == "invalid" else "failure"
        ET.SubElement(own, kind, message=_plain("; ".join(result.reasons)))
    for row in result.metrics.iter_rows(named=True):
        case = _case(suite, classname, f"metric {row['metric']}")
        if row["decision"] == "block":
            told = (
                f"{row['baseline_mean']:.3f} to {row['candidate_mean']:.3f}, p = {p_text(row['p_adjusted'])}"
            )
            ET.SubElement(case, "failure", message=told)
        elif row["decision"] == "inconclusive":
            ET.SubElement(case, "skipped", message="inconclusive: more trials are needed")
    for row in result.failures.iter_rows(named=True):
        case = _case(suite, classname, f"must pass: {row['example_id']} {row['metric']}")
        if row["is_blocking"]:
            ET.SubElement(case, "failure", message=_plain(row["explanation"] or "failed"))
        else:
            ET.SubElement(case, "skipped", message="failed no more often than in the baseline")


def _case(suite: ET.Element, classname: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=classname, name=_plain(name))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    numbers = (row["diff"], row["lower_limit"])
    shown = tuple("unknown" if number is None else f"{number:+.3f}" for number in numbers)
    seen = "unknown" if row["smallest_drop_seen"] is None else f"{row['smallest_drop_seen']:.3f}"
    return (_code(row["metric"]), row["decision"], *_two(row), *shown, p_text(row["p_adjusted"]), seen)


def _two(row: dict[str, Any]) -> tuple[str, str]:
    return f"{row['baseline_mean']:.3f}", f"{row['candidate_mean']:.3f}"


def _code(text: str) -> str:
    # A backtick would end the code, a pipe the cell, a line break the row.
    kept = _plain(text).replace("`", "'").replace("|", "\u2223").replace("\n", " ")
    return f"`{kept}`"


def _plain(text: str) -> str:
    """Text without what XML and Markdown cannot hold."""
    return "".join(letter if letter.isprintable() or letter == " " else " " for letter in text)[:500]
