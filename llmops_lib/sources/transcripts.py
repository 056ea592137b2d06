"""Runs of agents kept as lists of messages, without times: to be read as trees, and not to be measured.

Benchmarks of agents (tau-bench) and fine-tuning data are written so: a line per run, with `messages` in the
form of the chat completions API. Nothing says when a message was written, so a run is no trace of SPANS; what
is read here has the columns of a tree, and every time, token and cost unknown.
"""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from llmops_lib.errors import SourceError
from llmops_lib.sources.records import iter_records
from llmops_lib.sources.rows import RowCollector

FORMAT = "transcript"

_SCHEMA = pl.Schema(
    {
        "trace_id": pl.String(),
        "span_id": pl.String(),
        "parent_span_id": pl.String(),
        "started_at": pl.Datetime("us", "UTC"),
        "name": pl.String(),
        "operation": pl.String(),
        "is_model_call": pl.Boolean(),
        "tool_name": pl.String(),
        "is_error": pl.Boolean(),
        "input": pl.String(),
        "output": pl.String(),
        "attributes": pl.String(),
    }
)
_ROOT = "0000"
_IDENTITIES = ("trace_id", "id", "run_id", "conversation_id", "session_id")


def read_transcripts(path: str | Path) -> pl.DataFrame:
    """Runs of agents that were kept as lists of messages, one row per message of the agent and per tool call.

    A run is named by its own id, by `task_id` and `trial`, or by its line; messages follow each other by
    number, since no time is known.

    Args:
        path: JSON or JSON Lines of objects with a list `messages`; also as gzip or zstd.

    Returns:
        Columns of SPANS that a tree shows: `trace_id`, `span_id` (numbered in reading order),
        `parent_span_id`, `started_at` (null), `name`, `operation` (`invoke_agent`, `chat`, `execute_tool`),
        `is_model_call`, `tool_name`, `is_error` (null: nothing says it), `input`, `output`, `attributes`
        (what else the run says, at its root).

    Raises:
        SourceError: If a line is no such run; the message says which.
    """
    refused = RowCollector(FORMAT, str(path))
    rows: list[dict[str, Any]] = []
    for record in iter_records(Path(path), refused):
        run = record.value
        messages = run.get("messages") if isinstance(run, Mapping) else None
        if not isinstance(messages, list) or not all(isinstance(one, Mapping) for one in messages):
            msg = f"{path}:{record.line}: is no run of an agent; expected an object with a list of messages"
            raise SourceError(msg)
        rows += _run_rows(run, messages, str(record.line))
    unread = refused.finish().refused_pieces.height
    if unread:
        msg = f"{path}: {unread} lines are no JSON; expected one run of an agent per line"
        raise SourceError(msg)
    return pl.DataFrame(rows, schema=_SCHEMA)


def _run_rows(
    run: Mapping[str, Any], messages: list[Mapping[str, Any]], line: str
) -> Iterator[dict[str, Any]]:
    shared = {"trace_id": _identity(run, line), "is_model_call": False}
    others = {name: value for name, value in run.items() if name != "messages"}
    system = _text([one for one in messages if one.get("role") in ("system", "developer")])
    root = {"span_id": _ROOT, "name": "agent run", "operation": "invoke_agent", "input": system}
    yield {**shared, **root, "attributes": orjson.dumps(others).decode()}
    heard: list[Mapping[str, Any]] = []
    for number, message in enumerate(messages, start=1):
        if message.get("role") != "assistant":
            heard += [message] if message.get("role") == "user" else []
            continue
        span_id, calls = f"{number:04}", message.get("tool_calls")
        said = {"span_id": span_id, "parent_span_id": _ROOT, "name": "chat", "operation": "chat"}
        answer = _text([message]) if message.get("content") else None
        yield {**shared, **said, "is_model_call": True, "input": _text(heard), "output": answer}
        heard = []
        asked = [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
        for place, (call, result) in enumerate(_with_results(asked, messages[number:]), start=1):
            below = {"span_id": f"{span_id}.{place:02}", "parent_span_id": span_id}
            yield {**shared, **below, **_tool_row(call, result)}


def _with_results(
    calls: list[Mapping[str, Any]], after: list[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    """Each call with its result: the one that names it, else the one at its place after the message."""
    results = list(takewhile(lambda one: one.get("role") in ("tool", "function"), after))
    named = {one["tool_call_id"]: one for one in results if isinstance(one.get("tool_call_id"), str)}
    unnamed = iter([one for one in results if not isinstance(one.get("tool_call_id"), str)])
    for call in calls:
        yield call, named.get(str(call.get("id"))) or next(unnamed, None)


def _tool_row(call: Mapping[str, Any], result: Mapping[str, Any] | None) -> dict[str, Any]:
    stated = call.get("function")
    function = stated if isinstance(stated, Mapping) else call
    name = function.get("name") if isinstance(function.get("name"), str) else None
    arguments = function.get("arguments")
    return {
        "name": name,
        "tool_name": name,
        "operation": "execute_tool",
        "input": arguments if isinstance(arguments, str | None) else orjson.dumps(arguments).decode(),
        "output": None if result is None else _text([result]),
    }


def _identity(run: Mapping[str, Any], line: str) -> str:
    named = next((run[name] for name in _IDENTITIES if isinstance(run.get(name), str | int)), None)
    if named is not None:
        return str(named)
    task, trial = run.get("task_id"), run.get("trial")
    return f"line {line}" if task is None else f"{task}" + ("" if trial is None else f"/{trial}")


def _text(messages: list[Mapping[str, Any]]) -> str | None:
    return orjson.dumps(messages).decode() if messages else None
