"""What the gate says, to a person, a script, a CI server and a pull request."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from llmops_lib.cli.screen import say, say_json, writing

Anchor = Annotated[
    Path | None, typer.Option(help="Scores of the last release, to be held against as well by the same rule.")
]
JUnit = Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML for a CI server.")]
Markdown = Annotated[Path | None, typer.Option(help="Write Markdown for a pull request.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 4 where it is inconclusive.")]

_EXIT = {"pass": 0, "inconclusive": 0, "block": 1, "invalid": 3}


def answer(
    results: Mapping[str, Any],
    *,
    junit: Path | None,
    markdown: Path | None,
    as_json: bool,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Tells what the gate says.

    Args:
        results: GateResults by what the candidate was held against: `baseline`, and `anchor` if there is one.
        junit: File for a CI server.
        markdown: File for a pull request.
        as_json: Whether a script reads it.
        facts: What else a script is told.
    """
    from llmops_lib import gate_junit, gate_markdown, worst_verdict  # noqa: PLC0415 - keeps `--help` fast

    own, anchor = results["baseline"], results.get("anchor")
    verdict = worst_verdict(results.values())
    if junit is not None:
        _write(junit, gate_junit(own, anchor=anchor))
    if markdown is not None:
        _write(markdown, gate_markdown(own, anchor=anchor))
    if as_json:
        whole = {"verdict": verdict, **(facts or {}), **_parts(own)}
        if anchor is not None:
            whole |= {
                "baseline_verdict": own.verdict,
                "anchor": {"verdict": anchor.verdict, **_parts(anchor)},
            }
        say_json(whole)
        return
    if anchor is not None:
        say(f"{verdict}: against the baseline {own.verdict}, against the anchor {anchor.verdict}")
    for name, result in results.items():
        _say(result, "" if anchor is None else f"{name}: ")


def leave(results: Mapping[str, Any], *, is_strict: bool) -> None:
    """Ends the command with the exit code of the worst verdict.

    Args:
        results: As `answer` takes them.
        is_strict: Whether `inconclusive` is no success.
    """
    from llmops_lib import worst_verdict  # noqa: PLC0415 - as above

    verdict = worst_verdict(results.values())
    code = 4 if is_strict and verdict == "inconclusive" else _EXIT[verdict]
    if code:
        raise typer.Exit(code)


def _parts(result: Any) -> dict[str, Any]:
    tables = {name: getattr(result, name).to_dicts() for name in ("metrics", "failures", "items")}
    looks = {name: getattr(result, name) for name in ("alpha", "looked_at_trials", "next_trials")}
    return {"reasons": list(result.reasons), **looks, **tables}


def _write(path: Path, text: str) -> None:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _say(result: Any, before: str) -> None:
    looked = "" if result.looked_at_trials is None else f" ({result.looked_at_trials} trials)"
    say(f"{before}{result.verdict}{looked}: {result.reasons[0]}")
    for reason in result.reasons[1:]:
        say(f"  {reason}")
    for row in result.metrics.iter_rows(named=True):
        say(
            f"  {row['metric']:<20} {row['decision']:<13} {row['baseline_mean']:.3f} -> "
            f"{row['candidate_mean']:.3f}  p {row['p_adjusted']:.2g}"
        )
    for row in result.items.head(5).iter_rows(named=True):
        say(
            f"  worse: {row['example_id']} {row['metric']} {row['baseline_mean']:.2f} -> "
            f"{row['candidate_mean']:.2f}"
        )
