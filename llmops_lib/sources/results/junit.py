"""JUnit XML, the report that most test tools write, promptfoo's `.junit.xml` among them.

What is odd about it, and what we do about it:

- It has verdicts and no scores: `failure` did not pass, `error` could not be run, `skipped` was not run.
- The file names no run; a hash of its content does.
- Times of suites often lack a zone and are then local to a machine that nobody knows: those are null.
- A document type can define entities that swell without end; a report needs none, so it is refused.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

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
        path: XML in UTF-8, also as gzip or zstd.

    Raises:
        SourceError: If the file cannot be read at all or is no JUnit report.
    """
    collector = ScoreCollector(FORMAT, str(path))
    root = _root(path)
    run_id = content_run_id(path)
    suites = [root] if root.tag == "testsuite" else []
    for position, (suite, case) in enumerate(_cases([*suites, *root.iter("testsuite")]), start=1):
        collector.accept({"run_id": run_id, **_row(suite, case)}, line=position, raw=str(case.attrib))
    return collector.finish()


def _root(path: Path) -> ET.Element:
    with open_decompressed(path) as stream:
        raw = stream.read(DOCUMENT_LIMIT + 1)
    try:
        text = raw.decode("utf-8-sig")
        if len(raw) > DOCUMENT_LIMIT or "<!DOCTYPE" in text or "<!ENTITY" in text:
            msg = f"{path}: is too long or defines entities, which no report needs; write the report again"
            raise SourceError(msg)
        root = ET.fromstring(raw)  # noqa: S314 - no document type, so no entities
    except (UnicodeDecodeError, ET.ParseError) as error:
        msg = f"{path}: is no readable XML in UTF-8 ({error}); look whether the report was cut off"
        raise SourceError(msg) from error
    if root.tag not in _ROOTS:
        msg = f"{path}: found XML of {root.tag[:40]!a}, expected a JUnit report of testsuites"
        raise SourceError(msg)
    return root


def _cases(suites: list[ET.Element]) -> Iterator[tuple[ET.Element, ET.Element]]:
    seen: set[int] = set()
    for suite in suites:
        if id(suite) not in seen:
            seen.add(id(suite))
            yield from ((suite, case) for case in suite.findall("testcase"))


def _row(suite: ET.Element, case: ET.Element) -> dict[str, Any]:
    failed, raised, skipped = (case.find(name) for name in ("failure", "error", "skipped"))
    is_open = raised is not None or skipped is not None
    name, group = case.get("name"), case.get("classname")
    seconds = case.get("time")
    rest: dict[str, Any] = {
        tag: found for tag in ("system-out", "system-err") if (found := case.findtext(tag))
    }
    if properties := {one.get("name", ""): one.get("value") for one in case.iterfind("properties/property")}:
        rest["properties"] = properties
    return {
        "suite": suite.get("name"),
        "example_id": f"{group}::{name}" if group and name else name,
        "scorer": SCORER,
        "passed": None if is_open else failed is None,
        "label": "skipped" if skipped is not None else None,
        "explanation": _said(failed if failed is not None else skipped),
        "error": (_said(raised) or "error") if raised is not None else None,
        "latency_ms": _milliseconds(seconds),
        "started_at": _started_at(suite.get("timestamp")),
        "metadata": rest or None,
    }


def _said(element: ET.Element | None) -> str | None:
    if element is None:
        return None
    return (element.text or "").strip() or element.get("message") or None


def _milliseconds(seconds: str | None) -> float | str | None:
    try:
        return None if seconds is None else float(seconds.replace(",", "")) * 1_000
    except ValueError:
        # Left as it is, for the check of its column to refuse.
        return seconds


def _started_at(timestamp: str | None) -> datetime | None:
    try:
        return parse_time(timestamp)
    except Refused:
        return None
