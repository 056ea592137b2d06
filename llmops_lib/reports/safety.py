"""What the safety review reads: traffic and red-team runs, what is declared, and the audit log."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.demo import sample_agents
from llmops_lib.errors import ParameterError
from llmops_lib.evals.runs import open_run, run_facts
from llmops_lib.registry.folders import bundled_folder
from llmops_lib.registry.versions import tool_versions
from llmops_lib.reruns.sample_evals import sample_redteam_runs
from llmops_lib.safety.audit import verify_audit
from llmops_lib.safety.audit.log import audit_key
from llmops_lib.safety.filters import FilterPolicy
from llmops_lib.safety.policy import PACKAGED, Policy, load_policy
from llmops_lib.safety.tool_risks import PACKAGED_RISKS, ToolRisks, load_tool_risks
from llmops_lib.schema import SCORES
from llmops_lib.store import open_source
from llmops_lib.store.scan import TraceSource


@dataclass(frozen=True, eq=False)
class DeclaredSafety:
    """What traffic is held to.

    Attributes:
        policy: What may be sent where.
        risks: What tools can do.
        tools: TOOL_VERSIONS that tool calls are held to; None: they are held to none.
    """

    policy: Policy
    risks: ToolRisks
    tools: pl.DataFrame | None

    @property
    def filters(self) -> FilterPolicy:
        """What texts are searched for: that of the policy, personal data and keys with proof."""
        return self.policy.filters.model_copy(update={"personal": "report", "secrets": True})


@dataclass(frozen=True, eq=False)
class SafetyInputs:
    """What there is to review.

    Attributes:
        traces: Traffic.
        attacks: SCORES of the last red-team run; empty without one.
        attacks_before: Those of the run before.
        files: Red-team runs that were read, as `Facts` takes them; a simulated one is not among them.
    """

    traces: TraceSource
    attacks: pl.DataFrame
    attacks_before: pl.DataFrame
    files: tuple[dict[str, Any], ...]

    @property
    def is_simulated(self) -> bool:
        """Whether the bundled answerer stood in for a model in the red-team run."""
        told = self.attacks["metadata"].cast(pl.String).str.contains('"is_simulated":true', literal=True)
        return bool(told.any())

    def facts(self) -> dict[str, Any]:
        """What a report states of its input."""
        return self.traces.facts() | {"files": [*self.traces.facts()["files"], *self.files]}


def open_safety(
    source: str = "",
    *,
    redteam: str = "",
    redteam_before: str = "",
    timezone: str = "",
    columns: str = "",
) -> SafetyInputs:
    """The inputs of a safety review; without a source a synthetic export and a simulated red-team run.

    Args:
        source: Trace export or span store.
        redteam: Scores of a red-team run; empty: none, never a simulated one beside real traffic.
        redteam_before: Scores of the run before.
        timezone: Zone of times in the export that name none.
        columns: Column mapping of a plain table.

    Raises:
        ParameterError: If a run before is given without the last one.
        LlmopsError: If a file cannot be read.
    """
    if redteam_before and not redteam:
        msg = "redteam_before is given without redteam; expected scores of the last red-team run too"
        raise ParameterError(msg)
    given = [open_run(path) for path in (redteam, redteam_before) if path]
    runs = given or ([open_run(path) for path in sample_redteam_runs()[::-1]] if not source else [])
    scores = [run.scores for run in runs] + [SCORES.empty()] * 2
    return SafetyInputs(
        open_source(source or sample_agents(), timezone=timezone or None, columns=columns or None),
        scores[0],
        scores[1],
        tuple(file for run in given for file in run_facts(run)["files"]),
    )


def declared_safety(*, policy: str, risks: str, prompts: str, is_sample: bool) -> DeclaredSafety:
    """What is declared; a sample is held to what the library brings, whatever lies in the working directory.

    Args:
        policy: Policy file; empty: as `load_policy` without.
        risks: Declared risks of tools; empty: as `load_tool_risks` without.
        prompts: Folder of prompts whose tools calls are held to; empty: none.
        is_sample: Whether the traffic is the synthetic export.

    Raises:
        LlmopsError: If a file cannot be read or says what cannot be.
    """
    tools = tool_versions(folder=prompts) if prompts else None
    return DeclaredSafety(
        load_policy(policy or (PACKAGED if is_sample else None)),
        load_tool_risks(risks or (PACKAGED_RISKS if is_sample else None)),
        _bundled_tools() if is_sample and tools is None else tools,
    )


def audit_note(folder: str) -> str:
    """What is to be said of an audit log; nothing where none is named.

    Args:
        folder: Folder of the log; its key is that of the environment, `LLMOPS_AUDIT_KEY`.

    Raises:
        AuditError: If there is no log, or its hashes cannot be checked without their key.
    """
    if not folder:
        return ""
    found = verify_audit(Path(folder), key=audit_key())
    entries = f"{found.entry_count:,} entries"
    if found.is_intact:
        return f"The audit log of {entries} is as it was written."
    first = found.problems[0]
    return (
        f"The audit log of {entries} is not as it was written: {len(found.problems):,} problems, "
        f"first in {first.file}, line {first.line}: {first.what}."
    )


def _bundled_tools() -> pl.DataFrame:
    # Made-up traffic has no history: it is held to the tools as they are, whatever commits say.
    versions = tool_versions(folder=bundled_folder("prompts"))
    last = versions.unique("tool_name", keep="last", maintain_order=True)
    return last.with_columns(in_force_at=pl.lit(None, last.schema["in_force_at"]))
