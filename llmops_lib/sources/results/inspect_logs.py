"""Inspect logs, `.json` and `.eval`.

- Where inspect_ai is installed (the extra `inspect`) it reads the samples, but for those that it cannot read.
- It brings 80 packages and is never needed: what a score is made of has stood in the same places since
  2024, and both forms of the log are plain JSON inside. Both ways give the same scores.
- Samples are taken one at a time: from a JSON log the text of each is found first and parsed alone, so a bad
  one costs only itself; from an archive one member after the other.
- A crashed run leaves an archive without `header.json`: its `_journal/` says what was run, and summarises
  samples that were scored but not written.
- A log without samples tells only averages. It is recognised and goes to the quarantine as a whole: an
  average among single examples would be counted as one of them.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError
from llmops_lib.sources.lines import DOCUMENT_LIMIT, open_decompressed
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.inspect_archive import SAMPLES, EvalArchive, Member
from llmops_lib.sources.results.inspect_library import archive_samples, json_samples
from llmops_lib.sources.results.inspect_samples import LogFacts, log_facts, sample_scores
from llmops_lib.sources.results.nan_json import parse_nan_json
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows
from llmops_lib.sources.sample import Sample

FORMAT = "inspect"
LOOKED_FOR = (
    "Inspect: a JSON log with version, eval.task and plan, or an .eval archive with header.json or _journal/"
)

_HEADER = "header.json"
_START = "_journal/start.json"
_SUMMARIES = "_journal/summaries/"
_ZIP_MAGIC = b"PK\x03\x04"
_BLANK = " \t\r\n"
_HEAD = ("version", "status", "eval", "results", "stats", "error")
# Only the places of values are looked for here, so numbers stay text: a long one would be refused.
_decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def matches(sample: Sample) -> bool:
    """Whether a file is a log of Inspect."""
    if sample.kind == "zip":
        return _HEADER in sample.columns or _START in sample.columns
    return isinstance(sample.first, dict) and _is_head(sample.first)


def read_inspect(path: Path) -> ScoreRows:
    """One score per sample, epoch and scorer.

    Args:
        path: A log, `.json` or `.eval`.

    Returns:
        Scores; samples that cannot be read are in the quarantine.

    Raises:
        SourceError: If the log cannot be read at all.
    """
    collector = ScoreCollector(FORMAT, str(path))
    with open_decompressed(path) as stream:
        is_archive = stream.read(4) == _ZIP_MAGIC
    head = _read_archive(path, collector) if is_archive else _read_json(path, collector)
    rows = collector.finish()
    if rows.rows_read:
        return rows
    total = _object(head.get("results")).get("total_samples")
    reason = f"missing_field: samples; the log holds none, its results tell of {str(total)[:20]}"
    reason += "; an evaluation writes them unless --no-log-samples is given"
    collector.refuse(reason, line=None, raw=json.dumps(head.get("results")))
    return collector.finish()


def _is_head(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("eval"), dict) and "task" in value["eval"] and "status" in value


def _read_json(path: Path, collector: ScoreCollector) -> dict[str, Any]:
    text = _text(path)
    parts: dict[str, tuple[int, int]] = {}
    samples: list[tuple[int, int]] = []
    try:
        _find_parts(text, parts, samples)
    except (ValueError, RecursionError, IndexError) as error:
        what = type(error).__name__
        msg = f"{path}: is not one whole JSON value ({what}); expected an Inspect log. Copy it again."
        raise SourceError(msg) from error
    head = {name: _head_part(text[slice(*parts[name])]) for name in _HEAD if name in parts}
    if not _is_head(head):
        keys = [key[:40] for key in parts][:12]
        msg = f"{path}: is no Inspect log; found the keys {keys}, expected status and eval.task"
        raise SourceError(msg)
    log = log_facts(head)
    own = (text[slice(*place)].encode() for place in samples)
    library = json_samples(path, text)
    for position, raw in enumerate(library if len(library) == len(samples) else own, start=1):
        _take(raw, position, log, collector)
    return head


def _head_part(text: str) -> Any:
    try:
        return parse_nan_json(text.encode())
    except Refused:
        # Averages of infinity are no JSON, and the samples are good without them.
        return None


def _text(path: Path) -> str:
    with open_decompressed(path) as stream:
        raw = stream.read(DOCUMENT_LIMIT + 1)
    if len(raw) > DOCUMENT_LIMIT:
        size = f"over {DOCUMENT_LIMIT >> 20} MB of JSON"
        msg = f"{path}: is {size}; convert it with `inspect log convert --to eval` and load the result"
        raise SourceError(msg)
    try:
        return raw.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        msg = f"{path}: byte {error.start} is not UTF-8; expected a JSON log of Inspect. Copy it again."
        raise SourceError(msg) from error


def _find_parts(text: str, parts: dict[str, tuple[int, int]], samples: list[tuple[int, int]]) -> None:
    """Where each value of the log stands, and where each sample."""
    position = _after(text, _skip(text, 0), "{")
    while text[position] != "}":
        name, position = _decoder.raw_decode(text, position)
        start = _after(text, _skip(text, position), ":")
        if name in parts:
            msg = "a key is repeated"
            raise ValueError(msg)
        if name == "samples" and text[start] == "[":
            position = _find_samples(text, start, samples)
        else:
            _, position = _decoder.raw_decode(text, start)
        parts[name] = (start, position)
        position = _next(text, position, "}")


def _find_samples(text: str, position: int, samples: list[tuple[int, int]]) -> int:
    position = _after(text, position, "[")
    while text[position] != "]":
        _, end = _decoder.raw_decode(text, position)
        samples.append((position, end))
        position = _next(text, end, "]")
    return position + 1


def _next(text: str, position: int, closing: str) -> int:
    position = _skip(text, position)
    return position if text[position] == closing else _after(text, position, ",")


def _after(text: str, position: int, expected: str) -> int:
    if text[position] != expected:
        msg = f"found {text[position]!r} at character {position}, expected {expected!r}"
        raise ValueError(msg)
    return _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    while text[position] in _BLANK:
        position += 1
    return position


def _read_archive(path: Path, collector: ScoreCollector) -> dict[str, Any]:
    with EvalArchive(path) as archive:
        head = _archive_head(path, archive)
        log = log_facts(head)
        library = archive_samples(path, archive)
        seen = set()
        for member in archive.under(SAMPLES):
            sample = _member(archive, member, collector, library.get(member.name))
            if sample is not None:
                seen.add(_identity(sample))
                _take_value(sample, member.position, log, collector)
        for position, summary in _summaries(archive, collector):
            if _identity(summary) not in seen:
                seen.add(_identity(summary))
                _take_value(summary, position, log, collector)
    return head


def _archive_head(path: Path, archive: EvalArchive) -> dict[str, Any]:
    for name in (_HEADER, _START):
        try:
            head = parse_nan_json(archive.read(name))
        except (Refused, KeyError):
            continue
        if isinstance(head, dict) and isinstance(head.get("eval"), dict):
            return {"status": "started", **head}
    msg = f"{path}: {_HEADER} and {_START} are missing or damaged; expected one that says what was run"
    raise SourceError(msg)


def _summaries(archive: EvalArchive, collector: ScoreCollector) -> Iterator[tuple[int, Any]]:
    for member in archive.under(_SUMMARIES):
        listed = _member(archive, member, collector)
        for summary in listed if isinstance(listed, list) else []:
            yield member.position, summary


def _member(
    archive: EvalArchive, member: Member, collector: ScoreCollector, known: bytes | None = None
) -> Any:
    raw = b""
    try:
        raw = archive.read(member.name) if known is None else known
        return parse_nan_json(raw)
    except Refused as refused:
        collector.refuse(str(refused), line=member.position, raw=raw)
        return None


def _identity(sample: Any) -> tuple[str, str]:
    return (str(sample.get("id")), str(sample.get("epoch"))) if isinstance(sample, dict) else ("", "")


def _take(raw: bytes, position: int, log: LogFacts, collector: ScoreCollector) -> None:
    try:
        sample = parse_nan_json(raw)
    except Refused as refused:
        collector.refuse(str(refused), line=position, raw=raw)
        return
    _take_value(sample, position, log, collector)


def _take_value(sample: Any, position: int, log: LogFacts, collector: ScoreCollector) -> None:
    def raw() -> bytes:
        return json.dumps(sample).encode()

    try:
        rows = sample_scores(sample, log)
    except Refused as refused:
        collector.refuse(str(refused), line=position, raw=raw)
        return
    collector.accept(rows, line=position, raw=raw)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
