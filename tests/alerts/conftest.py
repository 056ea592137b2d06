"""Calls that break rules, and servers on this machine that hear of it."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl
import pytest

START = datetime(2026, 11, 9, 10, tzinfo=UTC)


@pytest.fixture
def export(tmp_path):
    """Writes calls a minute apart, each failed or not, and gives the path of the export."""

    def write(failed, *, start=START, name="calls.jsonl", **columns):
        rows = {
            "started_at": [(start + timedelta(minutes=place)).isoformat() for place in range(len(failed))],
            "model": ["gpt-4o"] * len(failed),
            "provider": ["openai"] * len(failed),
            "tenant": ["acme"] * len(failed),
            "input_tokens": [1000] * len(failed),
            "output_tokens": [100] * len(failed),
            "latency_ms": [800.0] * len(failed),
            "is_error": list(failed),
            **columns,
        }
        path = tmp_path / name
        pl.DataFrame(rows).write_ndjson(path)
        return path

    return write


@pytest.fixture
def rules(tmp_path):
    """Writes rules about failing calls of a tenant, which go to one destination."""

    def write(destination="{file: told.jsonl}", **changed):
        fields = {
            "name": "failing calls",
            "kind": "failed",
            "by": "tenant",
            "window": "1h",
            "above_share": 0.5,
            "min_calls": 5,
            "ends_after": "3h",
            "to": "one",
            **changed,
        }
        stated = {name: value for name, value in fields.items() if value is not None}
        path = tmp_path / "alerts.yaml"
        path.write_text(f"destinations:\n  one: {destination}\nrules:\n  - {json.dumps(stated)}\n")
        return path

    return write


class _Heard(BaseHTTPRequestHandler):
    def do_POST(self):
        """Keeps what is sent and answers as told."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_args):
        """Says nothing."""


@pytest.fixture
def webhook():
    """An HTTP server on loopback: what it heard, and the status that it answers with."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Heard)
    server.heard, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
