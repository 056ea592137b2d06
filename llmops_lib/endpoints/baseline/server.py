"""The answerer as a server on this machine that speaks the chat completions API."""

import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

from llmops_lib.chat import BASELINE_MODEL
from llmops_lib.endpoints.baseline.answering import answer, count_tokens, cut_tokens
from llmops_lib.errors import EndpointError
from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.refusals import Refused

HOST = "127.0.0.1"
"""The only address it listens on."""

_BODY_LIMIT = 8 << 20
_SILENCE_SECONDS = 60


class BaselineServer(ThreadingHTTPServer):
    """A server on loopback; `serve_forever` runs it, `shutdown` ends it.

    Args:
        port: Port; 0 takes a free one.

    Raises:
        EndpointError: If the port cannot be had.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int = 0) -> None:
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            msg = f"port {port} cannot be had on {HOST} ({error}); give another one, or 0 for a free one"
            raise EndpointError(msg) from error

    @property
    def url(self) -> str:
        """Base address, as a client takes it."""
        return f"http://{HOST}:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_SECONDS

    def do_GET(self) -> None:
        if not self._is_from_here():
            return
        if self.path == "/v1/models":
            model = {"id": BASELINE_MODEL, "object": "model", "owned_by": "llmops-workbench"}
            self._send(HTTPStatus.OK, {"object": "list", "data": [model]})
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there are /v1/models and /v1/chat/completions only")

    def do_POST(self) -> None:
        body = self._body()
        if body is None or not self._is_from_here():
            return
        if self.path != "/v1/chat/completions":
            self._refuse(HTTPStatus.NOT_FOUND, "there are /v1/models and /v1/chat/completions only")
            return
        try:
            request = _checked(parse_json(body))
        except (Refused, EndpointError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
            return
        self._send(HTTPStatus.OK, _completion(request, answer(request)))

    def log_message(self, *_: object) -> None:
        """Nothing: requests hold prompts."""

    def _body(self) -> bytes | None:
        size = self.headers.get("content-length", "")
        if size.isascii() and size.isdigit() and int(size) <= _BODY_LIMIT:
            return self.rfile.read(int(size))
        self.close_connection = True
        self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected a length up to {_BODY_LIMIT:,} bytes")
        return None

    def _is_from_here(self) -> bool:
        # A web page may send requests to this port under a name of its own.
        host = self.headers.get("host", "").rpartition(":")[0]
        is_page = self.headers.get("origin") is not None
        if host in (HOST, "localhost") and not is_page:
            return True
        self._refuse(HTTPStatus.FORBIDDEN, "requests from web pages are not answered")
        return False

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._send(status, {"error": {"message": message, "type": "invalid_request_error"}})

    def _send(self, status: HTTPStatus, value: Mapping[str, Any]) -> None:
        body = orjson.dumps(value)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _checked(request: Any) -> Mapping[str, Any]:
    messages = request.get("messages") if isinstance(request, Mapping) else None
    if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
        msg = "expected an object with a list of messages"
        raise EndpointError(msg)
    if request.get("stream"):
        msg = "this server does not stream; leave stream out"
        raise EndpointError(msg)
    checked: Mapping[str, Any] = request
    return checked


def _completion(request: Mapping[str, Any], text: str) -> dict[str, Any]:
    contents = [message.get("content") for message in request["messages"]]
    read = count_tokens([content if isinstance(content, str) else "" for content in contents])
    limit = request.get("max_completion_tokens", request.get("max_tokens"))
    whole, text = text, cut_tokens(text, limit) if isinstance(limit, int) else text
    is_cut = text != whole
    written = count_tokens([text])
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": BASELINE_MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "length" if is_cut else "stop",
            }
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }
