"""Clients of loopback servers, with no more patience than a test should have."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from llmops_lib.chat import ChatRequest
from llmops_lib.endpoints.addresses import checked_address
from llmops_lib.endpoints.client import EndpointClient
from llmops_lib.endpoints.settings import Endpoint, EndpointSettings
from tests.sources.fetch.conftest import (
    drop,
    hang,
    patience,
    reply,
    serve,  # noqa: F401 - the fixture is used by name
    truncate,
)

KEY = "sk-CANARY-0123456789"


def completion(text="Paris.", *, finish_reason="stop", usage=(12, 3), model="gpt-4o-mini-2024-07-18"):
    """A chat completion as a server gives it."""
    counts = None if usage is None else {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "model": model, "choices": [choice], "usage": counts}


def echo(asked):
    """Answers with the last message of the request."""
    return reply(completion(json.loads(asked.body)["messages"][-1]["content"]))


def request(text="What is the capital of France?", **fields):
    """A request with one user message."""
    return ChatRequest("gpt-4o-mini", [{"role": "user", "content": text}], **fields)


def scripted(status, headers, body):
    """One step of a script of faults: a reply, or a way to break the connection."""
    broken = {"truncate": truncate, "reset": drop, "hang": hang}
    if status in broken:
        return broken[status]
    odd = {
        "finish_reason=length": completion(finish_reason="length"),
        "content=null": completion(None),
        "usage=null": completion(usage=None),
        "ok": completion(),
    }
    wait = headers.get("retry-after", "")
    if wait.startswith("@+"):
        until = datetime.now(UTC) + timedelta(seconds=int(wait.strip("@+s")))
        headers = {"retry-after": format_datetime(until, usegmt=True)}
    if body in odd:
        return reply(odd[body])
    return status, {"content-type": "application/json"} | headers, body.encode()


@pytest.fixture
def client_of():
    """Makes clients of servers, closed after the test."""
    made = []

    def make(server, **settings):
        address = checked_address(server.url, allows_local=True)
        faults = getattr(server, "faults", ())
        client = EndpointClient(Endpoint(address, KEY), EndpointSettings(**(patience(faults) | settings)))
        made.append(client)
        return client

    yield make
    for client in made:
        client.__exit__(None, None, None)


@pytest.fixture
def spans_file(tmp_path) -> Path:
    """Where the spans of calls go."""
    return tmp_path / "calls" / "spans.jsonl"
