"""JUnit XML, the report that most test tools write, promptfoo's `.junit.xml` among them.

What is odd about it, and what we do about it:

- It has verdicts and no scores: `failure` did not pass, `error` could not be run, `skipped` was not run.
  GoogleTest and CTest write what was not run as an attribute of the case alone.
- The file names no run; a hash of its content does.
- Seconds may have commas: before a point they part thousands, else decimals. Where both may be, as in
  `1,234`, the latency is null.
- Times of suites often lack a zone and are then local to a machine that nobody knows: those are null.
- A document type can define entities that swell without end; a report needs none, so it is refused. What
  a test printed may well hold one, of a web page say, and is text.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from llmops_lib.errors import SourceError
from llmops_lib.sources.lines import DOCUMENT_LIMIT, open_decompressed
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows, content_run_id
from llmops_lib.sources.sample import Sample
from llmops_lib.sources.times import parse_time

FORMAT = "junit"
LOOKED_FOR = "junit: XML whose root is testsuites or testsuite"
"""What tells this format, for the error that no format was found."""

SCORER = "test"
"""Scorer of every row: the test itself."""

_ROOTS = ("testsuites", "testsuite")
_PLACE = frozenset(("name", "classname", "class", "time"))
_NOT_RUN = frozenset(("notrun", "disabled", "ignored", "skipped", "suppressed"))
_EITHER_COMMA = re.compile(r"[1-9]\d{0,2},\d{3}")
"""Seconds whose comma may part thousands, as Maven writes it, or decimals, as some locales do."""
_MAIL_TIME = re.compile(
    r"[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|[+-]\d{4})", re.ASCII
)
"""As JavaScript's `toUTCString` writes it: Mon, 02 Nov 2026 09:00:00 GMT."""
_VERDICTS = ("failure", "error", "skipped")


class _DocumentTypeError(Exception):
    pass


def matches(sample: Sample) -> bool:
    """Whether a file is a JUnit report; the first line of XML is taken for a header.

    Args:
        sample: The beginning of the file.
    """
    first = sample.columns[0].lstrip() if sample.kind == "csv" and sample.columns else ""
    return first.startswith(("<?xml", *(f"<{root}" for root in _ROOTS)))


def read_junit(path: Path) -> ScoreRows:
    """The verdicts of a report; each of its test cases is a record.

    Args:
        path: XML, also as gzip or zstd.

    Raises:
        SourceError: If the file cannot be read at all or is no JUnit report.
    """
    collector = ScoreCollector(FORMAT, str(path))
    root = _root(path)
    run_id = content_run_id(path)
    for position, (suite, case) in enumerate(_cases([root, *root.iter("testsuite")]), start=1):
        collector.accept({"run_id": run_id, **_row(suite, case)}, line=position, raw=str(case.attrib))
    rows = collector.finish()
    if rows.rows_read:
        return rows
    collector.refuse("missing_field: testcase; the report has none", line=None, raw=str(root.attrib))
    return collector.finish()


def _root(path: Path) -> ET.Element:
    with open_decompressed(path) as stream:
        raw = stream.read(DOCUMENT_LIMIT + 1)
    if len(raw) > DOCUMENT_LIMIT:
        msg = f"{path}: is over {DOCUMENT_LIMIT >> 20} MB of XML; expected a JUnit report. Split it."
        raise SourceError(msg)
    try:
        root = _parsed(raw)
    except _DocumentTypeError:
        msg = f"{path}: names a document type, which a JUnit report never does; expected XML of testsuites"
        raise SourceError(msg) from None
    except (expat.ExpatError, LookupError, ValueError) as error:
        msg = f"{path}: is no readable XML ({error}); look whether the report was cut off"
        raise SourceError(msg) from error
    if root.tag not in _ROOTS:
        msg = f"{path}: found XML of {root.tag[:40]!a}, expected a JUnit report of testsuites"
        raise SourceError(msg)
    return root


def _parsed(raw: bytes) -> ET.Element:
    tree = ET.TreeBuilder()
    # Text that was decoded before still says what it was encoded in.
    parser = expat.ParserCreate("utf-8" if _is_utf8(raw) else None)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.data
    parser.Parse(raw, True)
    return tree.close()


def _refuse_document_type(*_: object) -> NoReturn:
    raise _DocumentTypeError


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _cases(suites: list[ET.Element]) -> Iterator[tuple[ET.Element, ET.Element]]:
    seen: set[int] = set()
    for suite in suites:
        if id(suite) not in seen:
            seen.add(id(suite))
            yield from ((suite, case) for case in suite.findall("testcase"))


def _row(suite: ET.Element, case: ET.Element) -> dict[str, Any]:
    failed, raised, skipped = (case.findall(tag) for tag in _VERDICTS)
    states = {str(case.get(name)).lower() for name in ("status", "result")}
    is_skipped = bool(skipped) or not _NOT_RUN.isdisjoint(states)
    name, group = case.get("name"), case.get("classname") or case.get("class")
    return {
        "suite": suite.get("name"),
        "example_id": f"{group}::{name}" if group and name else name,
        "scorer": SCORER,
        "passed": None if raised or is_skipped else not failed,
        "label": "skipped" if is_skipped else None,
        "explanation": _said(failed or skipped),
        "error": (_said(raised) or "error") if raised else None,
        "latency_ms": _milliseconds(case.get("time")),
        "started_at": _started_at(case.get("timestamp") or suite.get("timestamp")),
        "metadata": _rest(case) or None,
    }


def _rest(case: ET.Element) -> dict[str, Any]:
    rest: dict[str, Any] = {name: value for name, value in case.attrib.items() if name not in _PLACE}
    rest |= {tag: found for tag in ("system-out", "system-err") if (found := case.findtext(tag))}
    if properties := {one.get("name", ""): one.get("value") for one in case.iterfind("properties/property")}:
        rest["properties"] = properties
    # Where there is a text too, it alone is what was said.
    verdicts = ((tag, dict(found.attrib)) for tag in _VERDICTS for found in case.iterfind(tag) if found.text)
    return rest | {tag: attributes for tag, attributes in verdicts if attributes}


def _said(elements: list[ET.Element]) -> str | None:
    found = ((element.text or "").strip() or element.get("message") for element in elements)
    return "\n\n".join(text for text in found if text) or None


def _milliseconds(seconds: str | None) -> float | str | None:
    if seconds is None or _EITHER_COMMA.fullmatch(seconds):
        return None
    has_groups = "." in seconds
    try:
        return float(seconds.replace(",", "" if has_groups else ".")) * 1_000
    except ValueError:
        # Left as it is, for the check of its column to refuse.
        return seconds


def _started_at(timestamp: str | None) -> datetime | None:
    try:
        return parse_time(timestamp)
    except Refused:
        return _mail_time(timestamp) if timestamp and _MAIL_TIME.fullmatch(timestamp) else None


def _mail_time(timestamp: str) -> datetime | None:
    try:
        return parse_time(parsedate_to_datetime(timestamp).isoformat())
    except (ValueError, Refused):
        return None
