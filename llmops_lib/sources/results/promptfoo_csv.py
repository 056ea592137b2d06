"""promptfoo's CSV: a row per test, and side by side a block of columns per provider and prompt.

Blocks repeat the names of their columns (`Status`, `Score`, ...), so cells are read by position. Up to
2025 a block was one cell that began with the verdict: `[FAIL] (0.00)`, the reason, `---`, the answer, and
later the reason again; the web interface gave the reason and the latency columns of their own. Releases
before 0.100 say FAIL of what could not be run too, and so do the scores.
In the first of them a heading was no `[provider] prompt` but the whole prompt as JSON, metrics included.

A test that a provider was not asked leaves its block empty. Red-team columns stand behind the last block
and speak of the first.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_lib.sources.compressed import open_decompressed
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.lines import LINE_LIMIT
from llmops_lib.sources.records import csv_header
from llmops_lib.sources.results.promptfoo_names import model_columns, prompt_columns, run_name
from llmops_lib.sources.results.promptfoo_rows import WHOLE_TEST
from llmops_lib.sources.results.score_rows import ScoreCollector

_HEADING = re.compile(r"\[([^\]]+)\] (.*)", re.DOTALL)
# Quotes are doubled where a header full of code was split at something else than its commas.
_JSON_HEADING = re.compile(r'\{"+raw"+:')
# The parentheses hold the score, in later releases with the named scores behind it: `(0.89, tone: 1.00)`.
_VERDICT = re.compile(r"\[(PASS|FAIL|ERROR)\](?: \((-?[\d.]+)(, [^\n]*?: -?[\d.]+)?\)(?=\s|$))?\s*")
_NAMED = re.compile(r", (.+?): (-?[\d.]+)(?=, |$)")
_REASON = re.compile(r"\n\n(?:Pass|Fail) Reason: ")
_METRIC = "Metric: "
_LATENCY = "Latency (ms)"
_RED_TEAM = frozenset(
    ("Messages", "RedteamHistory", "RedteamTreeHistory", "pluginId", "strategyId", "sessionId", "sessionIds")
)
_KEPT = {"Comment": "comment", "Reasoning": "reasoning"}
_PASSED = {"PASS": True, "FAIL": False}


@dataclass(frozen=True)
class _Block:
    """The columns of one provider and prompt: positions from `start` to before `end`."""

    start: int
    end: int
    run_id: str
    columns: dict[str, Any]


def is_output_column(name: str) -> bool:
    """Whether a column holds what a provider answered to a prompt.

    Args:
        name: Its name in the header, which detection may have cut off or split.
    """
    return bool(_HEADING.match(name) or _JSON_HEADING.search(name))


def read_csv_results(path: Path, collector: ScoreCollector, evaluation_id: str) -> None:
    """Gives every row of a CSV file to the collector as one record.

    Args:
        path: A plain, gzip or zstd file.
        collector: Takes the rows.
        evaluation_id: Name of the evaluation, which the file does not state.

    Raises:
        SourceError: If the file cannot be read or decompressed.
    """
    csv.field_size_limit(LINE_LIMIT)
    with open_decompressed(path) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
        rows = csv.reader(text)
        header = csv_header(path, rows)
        blocks = list(_blocks(header, evaluation_id))
        for number, cells in enumerate(_rows(rows), start=1):
            raw = "\t".join(cells)
            if len(cells) != len(header):
                reason = f"schema: {len(cells)} cells under a header of {len(header)}"
                collector.refuse(reason, line=number, raw=raw)
            elif not _is_unicode(raw):
                collector.refuse("encoding", line=number, raw=raw)
            else:
                collector.accept(list(_scores(header, cells, blocks, number)), line=number, raw=raw)


def _rows(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error:
            # A cell over the limit: no cells, which the header then refuses.
            yield []
            continue
        if cells:
            yield cells


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _blocks(header: list[str], evaluation_id: str) -> Iterator[_Block]:
    starts = [position for position, name in enumerate(header) if is_output_column(name)]
    names: list[str] = []
    # A damaged header may have no block at all.
    ends = [*starts[1:], len(header)][: len(starts)]
    for start, end in zip(starts, ends, strict=True):
        provider, label, prompt_id = _heading(header[start])
        name = f"{evaluation_id}/{run_name(provider, label)}"
        names.append(name)
        run_id = f"{name} ({names.count(name)})" if names.count(name) > 1 else name
        columns = {**model_columns(provider), **prompt_columns(label, prompt_id), "run_id": run_id}
        yield _Block(start, end, run_id, columns)


def _heading(name: str) -> tuple[str | None, str | None, str | None]:
    """The provider, the label and the id of the prompt of an output column, as far as it names them."""
    if found := _HEADING.match(name):
        return found[1], found[2], None
    prompt = json_value(name)
    # Damaged, it still tells its column apart from the others.
    known = prompt if isinstance(prompt, dict) else {"label": name}
    label = known.get("label") or known.get("display")
    provider, label, prompt_id = (
        value if isinstance(value, str) else None for value in (known.get("provider"), label, known.get("id"))
    )
    return provider, label, prompt_id


def _scores(
    header: list[str], cells: list[str], blocks: list[_Block], number: int
) -> Iterator[dict[str, Any]]:
    first = blocks[0].start if blocks else len(header)
    variables = {name: cell for name, cell in zip(header[:first], cells[:first], strict=True) if cell}
    last = blocks[-1].start if blocks else len(header)
    behind = {name: cell for name, cell in zip(header[last:], cells[last:], strict=True) if cell}
    red_team = {name: cell for name, cell in behind.items() if name in _RED_TEAM}
    for block in blocks:
        names = header[block.start + 1 : block.end]
        values = dict(zip(names, cells[block.start + 1 : block.end], strict=True))
        values = {name: cell for name, cell in values.items() if name not in _RED_TEAM}
        if not any((cells[block.start], *values.values())):
            continue
        kept = {of_metadata: values[name] for name, of_metadata in _KEPT.items() if values.get(name)}
        metadata = {"vars": variables, **kept, **(red_team if block.start == first else {})}
        common = {**block.columns, "example_id": str(number - 1), "trial": 1}
        yield from _block_scores(cells[block.start], values, common, metadata)


def _block_scores(
    cell: str, values: dict[str, str], common: dict[str, Any], metadata: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    verdict, score, reason, output = _verdict(cell, values)
    is_error = verdict == "ERROR"
    common = {**common, "output": output or None}
    yield {
        **common,
        "scorer": WHOLE_TEST,
        "score": None if is_error else score,
        "passed": _PASSED.get(verdict or ""),
        "explanation": None if is_error else reason,
        "error": (reason or output or "error") if is_error else None,
        "latency_ms": values.get(_LATENCY),
        "metadata": metadata,
    }
    named = _named(values) or _named_in_cell(cell)
    yield from ({**common, "scorer": name, "score": value} for name, value in named.items())


def _verdict(cell: str, values: dict[str, str]) -> tuple[str | None, str | None, str | None, str]:
    if "Status" in values:
        return values["Status"] or None, values.get("Score"), values.get("Grader Reason"), cell
    stated = values.get("Grader Reason") or None
    found = _VERDICT.match(cell)
    if found is None:
        return None, None, stated, cell
    rest = cell[found.end() :]
    reason, line, output = rest.partition("\n---\n")
    if not line:
        reason, output = "", rest
    # The answer may speak of reasons too; that of the verdict comes last.
    if endings := list(_REASON.finditer(output)):
        reason, output = reason or output[endings[-1].end() :], output[: endings[-1].start()]
    return found[1], found[2], reason or stated, output


def _named_in_cell(cell: str) -> dict[str, str]:
    found = _VERDICT.match(cell)
    return dict(_NAMED.findall(found[3])) if found and found[3] else {}


def _named(values: dict[str, str]) -> dict[str, Any]:
    # The named scores are exact; the columns of the metrics repeat them with two decimals.
    rounded = {name.removeprefix(_METRIC): cell for name, cell in values.items() if name.startswith(_METRIC)}
    exact = json_value(values.get("Named Scores"))
    exact = exact if isinstance(exact, dict) else {}
    return {name: exact.get(name, cell) for name, cell in {**rounded, **exact}.items() if name and cell != ""}
