"""Runs a numbered report notebook to a checked HTML page and its manifest."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmops_lib.errors import LlmopsError, NoIncidentError, ReportError
from llmops_lib.facts import FACTS_MIME
from llmops_lib.reports.catalog import find_notebook
from llmops_lib.reports.execution import Execution, execute
from llmops_lib.reports.gate import check_page
from llmops_lib.reports.index import MANIFEST, PAGE, write_index
from llmops_lib.reports.manifest import build_manifest
from llmops_lib.reports.outputs import displayed, notebook_facts, title_of
from llmops_lib.reports.page import report_page
from llmops_lib.reports.parameters import Parameter, check_parameters, read_parameters
from llmops_lib.reports.publish import FAILED, folder_name, publish, replace_file, run_folder
from llmops_lib.reports.secrets import scrubbed
from llmops_lib.reports.steps import Progress
from llmops_lib.safety.audit import AuditLog

NOTEBOOK = "report.ipynb"


@dataclass(frozen=True)
class RunReport:
    """A report that was made and published.

    Attributes:
        html: Path of its page.
        notebook: Path of the executed notebook.
        manifest_file: Path of its manifest.
        manifest: What the manifest holds.
    """

    html: Path
    notebook: Path
    manifest_file: Path
    manifest: dict[str, Any]


def run_report(
    name: str, *, output: str | Path = "reports", on_progress: Progress | None = None, **parameters: Any
) -> RunReport:
    """A published report: its notebook executed, drawn as one HTML page, checked, and put in its place.

    The page, the notebook and the manifest appear together in `<output>/<name>/<period>/`, or not at
    all: a run that fails leaves the report that was there and keeps its notebook under
    `<output>/<name>/failed/`. The same input gives the same page byte for byte.

    Args:
        name: A key of `REPORTS`, such as `weekly`.
        output: Folder of all reports; its `index.html` lists them.
        on_progress: Called after each executed cell with cells done, cells in all, and their heading; while
            an export is read, with what is read of it in place of the heading.
        parameters: Values for the `parameters` cell of the notebook; `report_parameters(name)` lists them.

    Returns:
        Where the report is, and its manifest.

    Raises:
        ParameterError: If a parameter is unknown, ill-typed, or looks like a key.
        ReportError: If the notebook fails, the page does not pass its check, or nothing can be written.
        LlmopsError: Any library error that the notebook raised, such as EmptyPeriodError.
    """
    return run_notebook(find_notebook(name), parameters, name=name, output=output, on_progress=on_progress)


def run_notebook(
    notebook: Path,
    parameters: Mapping[str, Any],
    *,
    name: str,
    output: str | Path = "reports",
    on_progress: Progress | None = None,
) -> RunReport:
    """A published report from any notebook that displays its Facts; see `run_report`.

    Args:
        notebook: Path of the notebook.
        parameters: Values for its `parameters` cell.
        name: Name of the report, which becomes its folder.
        output: Folder of all reports.
        on_progress: Called after each executed cell with cells done, cells in all, and their heading; while
            an export is read, with what is read of it in place of the heading.
    """
    started_at, started_s = datetime.now(UTC), time.monotonic()
    declared = read_parameters(notebook)
    passed = check_parameters(declared, parameters)
    values = {parameter.name: parameters.get(parameter.name, parameter.default) for parameter in declared}
    place = Path(output) / folder_name(name)
    with run_folder(place) as folder:
        execution = execute(notebook, passed, on_progress=on_progress)
        try:
            manifest, html = _finished(execution, name, notebook, values)
        except NoIncidentError:
            # An answer and no failure: there is nothing in the notebook to look into.
            raise
        except LlmopsError as error:
            error.add_note(_keep_failed(execution.notebook, place, values))
            raise
        head = _recorded(manifest, Path(output))
        manifest["run"] = {
            "started_at": started_at.isoformat(timespec="seconds"),
            "duration_s": round(time.monotonic() - started_s, 3),
            "audit_head": head,
        }
        period = place / folder_name(manifest["period"])
        texts = {PAGE: html, NOTEBOOK: _notebook_text(execution.notebook), MANIFEST: _json_text(manifest)}
        publish(folder, period, texts)
    write_index(Path(output))
    return RunReport(period / PAGE, period / NOTEBOOK, period / MANIFEST, manifest)


def _recorded(manifest: Mapping[str, Any], output: Path) -> str:
    """Records that a report is about to be published; number and hash of the entry, which anchor the log."""
    details = {name: manifest[name] for name in ("report", "period", "is_raw", "html_sha256")}
    actions = [("report_written", details, None)]
    if manifest["is_raw"]:
        actions.insert(0, ("unmasked", {"what": "report", **details}, None))
    entry = AuditLog.of_environment(output).append_all(actions)[-1]
    return f"{entry.seq}:{entry.hash}"


def report_parameters(name: str) -> tuple[Parameter, ...]:
    """The parameters that a report takes, in the order of its notebook.

    Args:
        name: A key of `REPORTS`.

    Raises:
        ReportError: If there is no such report.
    """
    return read_parameters(find_notebook(name))


def _finished(
    execution: Execution, name: str, notebook: Path, values: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    if execution.error:
        raise execution.error
    facts = notebook_facts(execution.notebook)
    folder_name(facts["period"])
    if scrubbed(execution.notebook) != execution.notebook:
        msg = "the notebook displayed text that looks like a key or password; mask it before it is shown"
        raise ReportError(msg)
    title = title_of(execution.notebook) or name
    manifest = build_manifest(name, title=title, notebook=notebook, parameters=values, facts=facts)
    html = report_page(execution.notebook, manifest=manifest)
    check_page(html)
    manifest["html_sha256"] = hashlib.sha256(html.encode()).hexdigest()
    return manifest, html


def _keep_failed(notebook: dict[str, Any], place: Path, values: Mapping[str, Any]) -> str:
    shown = [facts.get("period") for facts in displayed(notebook, FACTS_MIME)]
    given = [value for name in ("week", "month", "period") if (value := values.get(name))]
    kept = place / FAILED / f"{_first_safe([*shown, *given])}.ipynb"
    try:
        replace_file(kept, _notebook_text(scrubbed(notebook)))
    except ReportError as error:
        return f"the failed notebook could not be kept: {error}"
    return f"the notebook as it stopped: {kept}"


def _first_safe(periods: list[Any]) -> str:
    for period in periods:
        try:
            return folder_name(str(period))
        except ReportError:
            continue
    return "unknown"


def _notebook_text(notebook: dict[str, Any]) -> str:
    import nbformat  # noqa: PLC0415 - slow to import

    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"  # type: ignore[no-untyped-call, no-any-return]


def _json_text(manifest: dict[str, Any]) -> str:
    return json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
