"""Real servers on loopback that speak enough of two APIs, and misbehave when told to."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from llmops_lib.sources.fetch.settings import FetchSettings

START, END = datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC)
SECRET = "sk-lf-0123456789-SECRET"  # noqa: S105 - what must never be found anywhere
BUSY_S = 60
"""Longer than an answer on loopback takes on the busiest machine; nothing waits for it unless it hangs."""
SILENCE_S = 2
"""After so long a client gives up on a server that falls silent; an answer takes a few milliseconds."""

Fault = Callable[[BaseHTTPRequestHandler], None]
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Asked:
    """One request that reached a server."""

    method: str
    path: str
    query: dict[str, str]
    authorization: str | None
    body: bytes


@dataclass
class Server:
    """A server on loopback: `answer` gives its replies, `faults` come before them, one per request."""

    answer: Callable[[Asked], Reply | Fault]
    faults: list[Fault | Reply | None] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Answers one request."""
        parts = urlsplit(handler.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        asked = Asked(handler.command, parts.path, query, handler.headers.get("authorization"), body)
        self.asked.append(asked)
        fault = self.faults.pop(0) if self.faults else None
        told = fault or self.answer(asked)
        if callable(told):
            told(handler)
        else:
            send(handler, *told)


def send(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    """A whole reply."""
    handler.send_response(status)
    for name, value in ({"content-length": str(len(body))} | headers).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def truncate(handler: BaseHTTPRequestHandler) -> None:
    """Half of the body that was announced, then the connection is closed."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [')
    handler.close_connection = True


def drop(handler: BaseHTTPRequestHandler) -> None:
    """The connection is closed without a word."""
    handler.close_connection = True
    handler.connection.close()


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Silence, until the client has given up."""
    handler.connection.settimeout(BUSY_S)
    with contextlib.suppress(OSError):
        handler.connection.recv(1)
    handler.close_connection = True


def patience(faults: Iterable[object] = ()) -> dict[str, float]:
    """Waits no longer than a test should, and no shorter than a busy machine may need to answer."""
    timeout_s = SILENCE_S if hang in faults else BUSY_S
    return {"first_wait_seconds": 0.01, "longest_wait_seconds": 2.5, "timeout_seconds": timeout_s}


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON reply; underscores in names of headers stand for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return status, {"content-type": "application/json"} | named, json.dumps(value).encode()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Asked], Reply]], Server]]:
    """Starts servers on loopback and stops them after the test."""
    started = []

    def start(answer: Callable[[Asked], Reply]) -> Server:
        server = Server(answer)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.take(self)

            do_POST = do_GET  # noqa: N815 - the name that the standard library calls

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_: object) -> None:
                pass

        http = Quiet(("127.0.0.1", 0), Handler)
        server.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        started.append((http, thread))
        return server

    yield start
    for http, thread in started:
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys as a user sets them, and no server but the one that a test names."""
    for name in ("LANGFUSE_BASE_URL", "LANGFUSE_HOST", "PHOENIX_ENDPOINT", "PHOENIX_COLLECTOR_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PHOENIX_BASE_URL", "PHOENIX_HOST", "PHOENIX_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-lf-1")
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", SECRET)
    monkeypatch.setenv("PHOENIX_API_KEY", SECRET)


def quick(server: Server, **settings: Any) -> FetchSettings:
    """Settings for a server with the faults that it has now."""
    return FetchSettings(server=server.url, **(patience(server.faults) | settings))


def observation(number: int, **columns: Any) -> dict[str, Any]:
    """An observation as the API gives it."""
    return {
        "id": f"obs-{number}",
        "traceId": f"trace-{number // 3}",
        "projectId": "project-1",
        "parentObservationId": None,
        "type": "GENERATION",
        "startTime": f"2026-11-10T10:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        "endTime": f"2026-11-10T10:{number // 60 % 60:02d}:{number % 60:02d}.500Z",
        "name": "chat",
        "model": "gpt-4o",
        "usageDetails": {"input": 100 + number, "output": 7, "total": 107 + number},
        **columns,
    }


def langfuse(rows: list[dict[str, Any]], *, counted: int | None = None) -> Callable[[Asked], Reply]:
    """A Langfuse with the current API over these rows; `counted` is what its metrics say."""

    def answer(asked: Asked) -> Reply:
        if asked.path == "/api/public/v2/metrics":
            count = len(rows) if counted is None else counted
            return reply({"data": [{"count_count": str(count)}]})
        if asked.path != "/api/public/v2/observations":
            return reply({"message": "no such route"}, 404)
        first, size = int(asked.query.get("cursor", 0)), int(asked.query["limit"])
        given = [_shortened(row, asked.query.get("expandMetadata", "")) for row in rows[first : first + size]]
        meta = {"cursor": str(first + size)} if first + size < len(rows) else {}
        return reply({"data": given, "meta": meta})

    return answer


def _shortened(row: dict[str, Any], expanded: str) -> dict[str, Any]:
    metadata = {
        key: value if key in expanded.split(",") else value[:200]
        for key, value in row.get("metadata", {}).items()
    }
    return row | {"metadata": metadata}


def older_langfuse(
    rows: list[dict[str, Any]], traces: list[dict[str, Any]], *, counted: int | None = None
) -> Callable[[Asked], Reply]:
    """A Langfuse that only has pages, as servers without the events table do."""

    def answer(asked: Asked) -> Reply:
        found = {"/api/public/observations": rows, "/api/public/traces": traces}.get(asked.path)
        if found is None:
            return reply({"message": "not implemented"}, 501)
        number, size = int(asked.query["page"]), min(int(asked.query["limit"]), 100)
        total = counted if counted is not None and found is rows else len(found)
        meta = {"page": number, "limit": size, "totalItems": total, "totalPages": -(-total // size)}
        return reply({"data": found[(number - 1) * size : number * size], "meta": meta})

    return answer


def span(number: int) -> dict[str, Any]:
    """A span as Phoenix gives it."""
    return {
        "id": f"row-{number}",
        "name": "chat",
        "context": {"trace_id": f"{number // 3 + 1:032x}", "span_id": f"{number + 1:016x}"},
        "span_kind": "LLM",
        "parent_id": None,
        "start_time": f"2026-11-10T10:{number // 60 % 60:02d}:{number % 60:02d}+00:00",
        "end_time": f"2026-11-10T10:{number // 60 % 60:02d}:{number % 60:02d}.5+00:00",
        "status_code": "OK",
        "status_message": "",
        "attributes": {"llm.model_name": "gpt-4o", "llm.token_count.prompt": 100 + number},
        "events": [],
    }


def phoenix(rows: list[dict[str, Any]], *, counted: int | None = None) -> Callable[[Asked], Reply]:
    """A Phoenix with one project; `counted` is what it says to be in it, -1 that it cannot say."""

    def answer(asked: Asked) -> Reply:
        if asked.path == "/v1/projects/default":
            return reply({"data": {"id": "UHJvamVjdDox", "name": "default"}})
        if asked.path == "/graphql" and counted != -1:
            return reply({"data": {"node": {"recordCount": len(rows) if counted is None else counted}}})
        if asked.path != "/v1/projects/UHJvamVjdDox/spans":
            return reply({"detail": "not found"}, 404)
        first, size = int(asked.query.get("cursor", 0)), int(asked.query["limit"])
        following = str(first + size) if first + size < len(rows) else None
        return reply({"data": rows[first : first + size], "next_cursor": following})

    return answer
