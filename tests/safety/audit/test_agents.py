import json

import polars as pl
import pytest

from llmops_lib import AuditLog, load_traces, record_agent_actions, verify_audit
from llmops_lib.demo import sample_export
from llmops_lib.safety.audit.reading import latest_entries


@pytest.fixture(scope="module")
def spans():
    """The spans of the synthetic export."""
    return load_traces(sample_export())


def test_every_tool_call_is_recorded_once_with_its_agent(spans, tmp_path):
    """Ingesting the same export twice must not make an agent act twice."""
    log = AuditLog(tmp_path)
    count = record_agent_actions(spans, log)
    assert count > 100
    assert record_agent_actions(spans, log) == 0
    [entry] = latest_entries(tmp_path, limit=1)
    assert entry.action == "agent_tool_call"
    assert entry.actor == entry.details["service"]
    assert verify_audit(tmp_path).entry_count == count


def test_arguments_are_recorded_as_hash_and_classes_only(spans, tmp_path):
    """The log outlives the traces, and must not hold what they hold."""
    one = spans.filter(spans["operation"] == "execute_tool").head(1)
    text = json.dumps({"to": "ann@example.com"})
    record_agent_actions(one.with_columns(input=pl.lit(text)), AuditLog(tmp_path))
    [entry] = latest_entries(tmp_path, limit=1)
    assert entry.details["classes"] == ["EMAIL"]
    assert len(entry.details["arguments_sha256"]) == 64
    assert "ann@" not in next(tmp_path.glob("audit-*")).read_text()
