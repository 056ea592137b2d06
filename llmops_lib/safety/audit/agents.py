"""Records what agents did: the tool calls of spans, each once, without the text of their arguments."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from filelock import FileLock

from llmops_lib.calls.tool_calls import tool_calls
from llmops_lib.safety.audit.entries import clean
from llmops_lib.safety.audit.files import log_files
from llmops_lib.safety.audit.log import Action, AuditLog
from llmops_lib.safety.sensitive import find_sensitive

AGENT_ACTION = "agent_tool_call"
"""Action of an entry that tells of a tool call."""

_WHOSE = ("service", "feature", "tenant")
_KEY = ("trace_id", "span_id", "tool_call_id", "tool_name")


def record_agent_actions(spans: Any, log: AuditLog) -> int:
    """Records every tool call of the spans that the log does not hold yet, and returns how many those were.

    An entry names the agent (`service`, else `feature`), trace, span, tool, time, the hash and length of the
    arguments and the classes of data in them, never the arguments themselves.

    Args:
        spans: SPANS, on any engine; uses `trace_id`, `span_id`, `started_at`, `operation`, `is_model_call`,
            `tool_calls`, `tool_name`, `tool_call_id`, `input`, `attributes`, `service`, `feature`, `tenant`.
        log: Where to.

    Raises:
        MissingColumnError: If a column is missing.
        AuditError: If they cannot be recorded.
    """
    calls = tool_calls(spans, _WHOSE)
    log.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(log.folder / ".agents.lock"):
        known = {_key(details) for details in _recorded(log.folder)}
        # Arguments are JSON of any shape: a loop over the calls of agents, which are few beside spans.
        wanted = [_action(call) for call in calls.iter_rows(named=True)]
        new = [action for action in wanted if _key(action[1]) not in known]
        log.append_all(new)
    return len(new)


def _action(call: dict[str, Any]) -> Action:
    arguments = call["arguments"] or ""
    details = {
        **{name: call[name] for name in (*_KEY, *_WHOSE)},
        "started_at": call["started_at"].isoformat() if call["started_at"] else None,
        "arguments_sha256": hashlib.sha256(arguments.encode()).hexdigest() if arguments else None,
        "arguments_length": len(arguments),
        "classes": sorted({place.kind for place in find_sensitive(arguments)}),
    }
    return AGENT_ACTION, clean(details), call["service"] or call["feature"] or "unknown agent"


def _key(details: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(details.get(name) for name in _KEY)


def _recorded(folder: Path) -> Iterator[dict[str, Any]]:
    marker = f'"action":"{AGENT_ACTION}"'.encode()
    for path in log_files(folder):
        with path.open("rb") as stream:
            yield from (orjson.loads(line)["details"] for line in stream if line.startswith(b"{" + marker))
