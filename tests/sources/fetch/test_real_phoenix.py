"""A real Phoenix server: its client stops at 1,000 spans without a word, the pull gives them all.

Runs where LLMOPS_PHOENIX_PYTHON names the Python of an environment made from `phoenix.lock` beside this
file, which `.ci/run` makes; Phoenix stays out of the library's own environment.
"""

import itertools
import os
import socket
import subprocess
import time
from contextlib import ExitStack
from datetime import UTC, datetime

import httpx
import pytest

from llmops_lib.sources.fetch.phoenix import fetch_phoenix
from llmops_lib.sources.fetch.settings import FetchSettings
from llmops_lib.sources.load import load_traces
from tests.processes import end_process

# One server for all of them, also where tests run in several processes.
pytestmark = pytest.mark.xdist_group("phoenix")

SPANS = 1_500
FIRST_SECOND = 1_794_182_400  # 2026-11-09, midnight UTC

# Sends spans as an instrumented application does: OTLP over HTTP.
SEND = """
import sys, urllib.request
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
url, spans, first_second = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for start in range(0, spans, 500):
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="openinference.project.name").value.string_value = "many spans"
    scope = resource.scope_spans.add()
    for number in range(start, min(start + 500, spans)):
        span = scope.spans.add(name="chat")
        span.trace_id = (number // 5 + 1).to_bytes(16, "big")
        span.span_id = (number + 1).to_bytes(8, "big")
        span.start_time_unix_nano = (first_second + number) * 10**9
        span.end_time_unix_nano = span.start_time_unix_nano + 5 * 10**8
        span.attributes.add(key="openinference.span.kind").value.string_value = "LLM"
        span.attributes.add(key="llm.model_name").value.string_value = "gpt-4o"
        span.attributes.add(key="llm.token_count.prompt").value.int_value = 10 + number
    headers = {"Content-Type": "application/x-protobuf"}
    urllib.request.urlopen(urllib.request.Request(url, request.SerializeToString(), headers)).read()
"""

CLIENT = """
import sys
from phoenix.client import Client
spans = Client(base_url=sys.argv[1]).spans
print(len(spans.get_spans_dataframe(project_identifier="many spans", timeout=300)))
"""


@pytest.fixture(scope="module")
def phoenix_python():
    """The Python of an environment with Phoenix."""
    named = os.environ.get("LLMOPS_PHOENIX_PYTHON")
    if not named:
        pytest.skip("no Phoenix here: LLMOPS_PHOENIX_PYTHON names no Python; see .ci/run")
    return named


@pytest.fixture(scope="module")
def server(phoenix_python, tmp_path_factory):
    """A Phoenix on loopback with SQLite, filled with more spans than its client gives by default."""
    folder = tmp_path_factory.mktemp("phoenix")
    ports = _free_ports(2)
    settings = {
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(ports[0]),
        "PHOENIX_GRPC_PORT": str(ports[1]),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PHOENIX_")}
    url = f"http://127.0.0.1:{ports[0]}"
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [phoenix_python, "-m", "phoenix.server.main", "serve"],
            env=kept | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until(lambda: _is_up(url), process, folder)
            send = [phoenix_python, "-c", SEND, f"{url}/v1/traces", str(SPANS), str(FIRST_SECOND)]
            subprocess.run(send, check=True)
            _wait_until(lambda: _last_span_is_there(url), process, folder)
            yield url
        finally:
            end_process(process)


def _free_ports(count):
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _wait_until(condition, process, folder):
    until = time.monotonic() + 300
    while not condition():
        if process.poll() is not None or time.monotonic() > until:
            pytest.fail((folder / "server.log").read_text(errors="replace")[-3_000:])
        time.sleep(0.5)


def _is_up(url):
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


def _last_span_is_there(url):
    # Phoenix takes spans in behind the request that sent them.
    query = {"query": "{projects{edges{node{name recordCount}}}}"}
    found = httpx.post(f"{url}/graphql", json=query, timeout=60).json()["data"]["projects"]["edges"]
    return {"name": "many spans", "recordCount": SPANS} in [edge["node"] for edge in found]


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    """The server asks for none."""
    monkeypatch.delenv("PHOENIX_API_KEY", raising=False)


def test_the_client_gives_1000_spans_without_a_word_and_the_pull_all(server, phoenix_python, tmp_path):
    """What a notebook with the client's defaults reports is the spend of the last 1,000 calls."""
    client = subprocess.run(
        [phoenix_python, "-c", CLIENT, server], capture_output=True, text=True, check=True
    )
    assert client.stdout.split() == ["1000"]
    outcome = fetch_phoenix(
        tmp_path / "spans.jsonl", project="many spans", settings=FetchSettings(server=server)
    )
    assert (outcome.rows_expected, outcome.rows_received, outcome.is_complete) == (SPANS, SPANS, True)
    spans = load_traces(tmp_path / "spans.jsonl")
    assert spans["input_tokens"].sum() == sum(10 + number for number in range(SPANS))
    assert spans["span_id"].n_unique() == SPANS


def test_pages_of_any_size_give_the_same_spans(server, tmp_path):
    """The last page is full in one case and not in the other."""
    held = []
    for size in (500, 499):
        path = tmp_path / f"{size}.jsonl"
        fetch_phoenix(path, project="many spans", settings=FetchSettings(server=server, page_size=size))
        held.append(path.read_bytes())
    assert held[0] == held[1]


def test_a_window_is_half_open_and_counted_alike(server, tmp_path):
    """Two windows that meet share no span and miss none."""
    edges = [datetime.fromtimestamp(FIRST_SECOND + second, UTC) for second in (0, 700, 1_500)]
    counts = []
    for start, end in itertools.pairwise(edges):
        path = tmp_path / f"{start:%H%M%S}.jsonl"
        settings = FetchSettings(server=server)
        outcome = fetch_phoenix(path, project="many spans", start=start, end=end, settings=settings)
        counts.append((outcome.rows_expected, outcome.rows_received))
    assert counts == [(700, 700), (800, 800)]


def test_the_older_endpoint_holds_the_same_calls(server, tmp_path):
    """Servers without the newer one are read from it."""
    fetch_phoenix(tmp_path / "rows.jsonl", project="many spans", settings=FetchSettings(server=server))
    older_page = httpx.get(f"{server}/v1/projects/many%20spans/spans/otlpv1?limit=1000", timeout=60)
    (tmp_path / "older.json").write_bytes(older_page.content)
    newer, older = load_traces(tmp_path / "rows.jsonl"), load_traces(tmp_path / "older.json")
    joined = older.join(newer, on=["span_id", "input_tokens", "started_at", "request_model"], how="semi")
    assert older.height == joined.height == 1_000
