"""The same spans in a Phoenix and in an MLflow, for `pulling.py`: a few written by each tool, then copied.

Both take spans in at some hundred a second at most, so a small base is written through each tool's own way
in, and its rows are copied inside the SQLite database with new ids. What is measured later, reading, does
not notice. The scripts run in the environments of the tools.
"""

import base64
import contextlib
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

BASE_TRACES = 40
SPANS_PER_TRACE = 5
PROJECT = "pulling"

SEND_TO_PHOENIX = """
import sys, urllib.request
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
request = ExportTraceServiceRequest()
resource = request.resource_spans.add()
resource.resource.attributes.add(key="openinference.project.name").value.string_value = sys.argv[2]
scope = resource.scope_spans.add()
for number in range(int(sys.argv[3])):
    trace, part = divmod(number, 5)
    span = scope.spans.add(name="chat" if part else "answer")
    span.trace_id = (trace + 1).to_bytes(16, "big")
    span.span_id = (number + 1).to_bytes(8, "big")
    if part:
        span.parent_span_id = (trace * 5 + 1).to_bytes(8, "big")
    span.start_time_unix_nano = (1_794_182_400 + number) * 10**9
    span.end_time_unix_nano = span.start_time_unix_nano + 5 * 10**8
    texts = {"openinference.span.kind": "LLM" if part else "CHAIN", "input.value": "hello " * 90,
             "output.value": "fine " * 90} | ({"llm.model_name": "gpt-4o"} if part else {})
    for name, text in texts.items():
        span.attributes.add(key=name).value.string_value = text
    for name in ("prompt", "completion") if part else ():
        span.attributes.add(key=f"llm.token_count.{name}").value.int_value = 10 + number
headers = {"Content-Type": "application/x-protobuf"}
request = urllib.request.Request(sys.argv[1] + "/v1/traces", request.SerializeToString(), headers)
urllib.request.urlopen(request)
"""

WRITE_TO_MLFLOW = """
import os, sys
os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment(sys.argv[2])
texts = {"inputs": {"question": "hello " * 90}}
for trace in range(int(sys.argv[3]) // 5):
    root = mlflow.start_span_no_context("answer", span_type="CHAIN", **texts)
    for part in range(4):
        usage = {"input_tokens": 10 + part, "output_tokens": 10, "total_tokens": 20 + part}
        attributes = {"mlflow.llm.model": "gpt-4o", "mlflow.chat.tokenUsage": usage}
        span = mlflow.start_span_no_context(
            "chat", parent_span=root, span_type="LLM", attributes=attributes, **texts)
        span.set_outputs("fine " * 90)
        span.end()
    root.set_outputs("fine " * 90)
    root.end()
"""


@contextlib.contextmanager
def phoenix(python: str, folder: Path) -> Iterator[str]:
    """The address of a Phoenix that keeps its spans in a folder; it is stopped afterwards."""
    ports = [_free_port() for _ in range(2)]
    settings = {
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(ports[0]),
        "PHOENIX_GRPC_PORT": str(ports[1]),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    url = f"http://127.0.0.1:{ports[0]}"
    with (folder / "server.log").open("ab") as log:
        command = [python, "-m", "phoenix.server.main", "serve"]
        process = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT)
        try:
            while not _is_up(url):
                if process.poll() is not None:
                    msg = f"Phoenix ended with code {process.returncode}: see {folder / 'server.log'}"
                    raise RuntimeError(msg)
                time.sleep(0.5)
            yield url
        finally:
            process.terminate()
            process.wait()


def fill_phoenix(python: str, folder: Path, spans: int) -> None:
    """Puts that many spans into the project `PROJECT` of a Phoenix that is not running."""
    base = BASE_TRACES * SPANS_PER_TRACE
    with phoenix(python, folder) as url:
        subprocess.run([python, "-c", SEND_TO_PHOENIX, url, PROJECT, str(base)], check=True)
        while _phoenix_count(url) < base:
            time.sleep(0.5)
    with contextlib.closing(sqlite3.connect(folder / "phoenix.db")) as database:
        for copy in range(1, spans // base):
            database.execute(
                "INSERT INTO traces (id, project_rowid, trace_id, start_time, end_time) SELECT id + :at,"
                " project_rowid, printf('%08x', :copy) || substr(trace_id, 9), start_time, end_time"
                " FROM traces WHERE id < 1000000",
                {"copy": copy, "at": copy * 1_000_000},
            )
            columns = _columns(database, "spans") - {"id", "trace_rowid", "span_id", "parent_id"}
            kept = ", ".join(sorted(columns))
            database.execute(
                f"INSERT INTO spans (id, trace_rowid, span_id, parent_id, {kept}) SELECT id + :at,"  # noqa: S608 - names of its own columns
                " trace_rowid + :at, printf('%08x', :copy) || substr(span_id, 9),"
                f" printf('%08x', :copy) || substr(parent_id, 9), {kept} FROM spans WHERE id < 1000000",
                {"copy": copy, "at": copy * 1_000_000},
            )
        database.commit()


def _phoenix_count(url: str) -> int:
    query = {"query": "{projects{edges{node{name recordCount}}}}"}
    edges = httpx.post(f"{url}/graphql", json=query, timeout=60).json()["data"]["projects"]["edges"]
    return sum(edge["node"]["recordCount"] for edge in edges if edge["node"]["name"] == PROJECT)


def fill_mlflow(python: str, folder: Path, spans: int) -> str:
    """Puts that many spans into the experiment `PROJECT` of an MLflow database, and gives its address."""
    base = BASE_TRACES * SPANS_PER_TRACE
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    subprocess.run([python, "-c", WRITE_TO_MLFLOW, uri, PROJECT, str(base)], check=True, cwd=folder)
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database:
        traces = [name for (name,) in database.execute("SELECT request_id FROM trace_info")]
        for copy in range(1, spans // base):
            for old in traces:
                _copy_mlflow_trace(database, old, f"tr-{copy:08x}{old[11:]}")
        database.commit()
    return uri


def _copy_mlflow_trace(database: sqlite3.Connection, old: str, new: str) -> None:
    for table, key in (
        ("trace_info", "request_id"),
        ("trace_tags", "request_id"),
        ("trace_request_metadata", "request_id"),
    ):
        kept = ", ".join(f'"{name}"' for name in sorted(_columns(database, table) - {key}))
        database.execute(
            f"INSERT INTO {table} ({key}, {kept}) SELECT ?, {kept} FROM {table} WHERE {key} = ?",  # noqa: S608 - as above
            (new, old),
        )
    kept = ", ".join(sorted(_columns(database, "spans") - {"trace_id", "content", "duration_ns"}))
    binary = [base64.b64encode(bytes.fromhex(name[3:])).decode() for name in (old, new)]
    database.execute(
        f"INSERT INTO spans (trace_id, content, {kept}) SELECT ?,"  # noqa: S608 - as above
        f" replace(replace(content, ?, ?), ?, ?), {kept} FROM spans WHERE trace_id = ?",
        (new, *binary, old, new, old),
    )


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in database.execute(f"PRAGMA table_info({table})")}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False
