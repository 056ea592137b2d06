"""Requests to one server: patient with throttling and breakdowns, strict with everything else.

- No redirect is followed: keys never leave the server that they were meant for.
- Answers are read up to a bound, and none is ever shown: it may repeat a key or hold prompts.
- 429 and 5xx, silence, dropped connections and answers that are no JSON are tried again; a wait that the
  server asks for is obeyed, unless it is longer than the settings allow.
- A page that was too heavy (no answer in time, 413, 504, over the bound) is asked for at half the size.
"""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Self, TypeVar

import httpx
import stamina

from llmops_lib.errors import FetchError, IncompleteFetchError
from llmops_lib.sources.fetch.addresses import is_loopback, shown
from llmops_lib.sources.fetch.answers import WrongAnswerError
from llmops_lib.sources.fetch.retry_after import asked_wait_seconds
from llmops_lib.sources.fetch.settings import FetchSettings

Answer = TypeVar("Answer")
Query = Mapping[str, str | None]

_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504, *range(520, 530)))
_HEAVY = frozenset((413, 504, 524))
_PATIENCE_FACTOR = 10
_HINTS = {
    401: "the key is missing or wrong",
    403: "the key may not read this",
    404: "there is no such thing on this server; look at the server's address and the project",
    422: "the server does not take this request",
}


class TransientError(Exception):
    """A request that may succeed when it is sent again; never leaves this package.

    Attributes:
        wait_seconds: What the server asks to wait; None where it does not.
        is_heavy: Whether a smaller page might do.
        status: HTTP status, where there was an answer.
    """

    def __init__(
        self,
        message: str,
        *,
        wait_seconds: float | None = None,
        is_heavy: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        self.is_heavy = is_heavy
        self.status = status


class Connection:
    """Requests to one server, and a count of what they took.

    Args:
        server: Checked base address.
        auth: What adds the key to a request.
        settings: Patience and bounds.

    Attributes:
        retry_count: Requests that had to be sent again.
        bytes_received: Bytes of all answers, decompressed.
    """

    def __init__(self, server: str, auth: httpx.Auth | None, settings: FetchSettings) -> None:
        self.server = server
        self.retry_count = 0
        self.bytes_received = 0
        self._settings = settings
        self._halvings = 0
        host = httpx.URL(server).host
        self._client = httpx.Client(
            auth=auth,
            timeout=settings.timeout_seconds,
            transport=settings.transport,
            follow_redirects=False,
            # A proxy of the environment is for other hosts than this one.
            trust_env=not is_loopback(host),
            headers={"Accept": "application/json", "User-Agent": "llmops-workbench"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def page_size(self, most: int) -> int:
        """Rows to ask for: as many as set and allowed, halved for each answer that was too heavy."""
        wanted = min(self._settings.page_size or most, most)
        return max(1, wanted >> self._halvings)

    def get(self, path: str, query: Callable[[], Query], decode: Callable[[bytes], Answer]) -> Answer:
        """The decoded answer to a GET.

        Args:
            path: Below the base address.
            query: Gives the query of each attempt; None values are left out.
            decode: Turns the body into what is wanted, and raises WrongAnswerError where it cannot.

        Raises:
            FetchError: If the server refuses the request; `status` says how.
            IncompleteFetchError: If it gives no usable answer after all attempts.
        """

        def send() -> Any:
            given = {name: value for name, value in query().items() if value is not None}
            return self._client.stream("GET", self.server + path, params=given)

        return self._patiently(path, send, decode)

    def post(
        self, path: str, payload: Callable[[], Mapping[str, Any]], decode: Callable[[bytes], Answer]
    ) -> Answer:
        """The decoded answer to a POST that changes nothing; raises as `get` does.

        Args:
            path: Below the base address.
            payload: Gives the body of each attempt.
            decode: As `get` takes it.
        """

        def send() -> Any:
            return self._client.stream("POST", self.server + path, json=payload())

        return self._patiently(path, send, decode)

    def _patiently(self, path: str, send: Callable[[], Any], decode: Callable[[bytes], Answer]) -> Answer:
        settings = self._settings
        try:
            for attempt in stamina.retry_context(
                on=self._wait_or_stop,
                attempts=settings.attempts,
                timeout=None,
                wait_initial=settings.first_wait_seconds,
                wait_max=settings.longest_wait_seconds,
                wait_jitter=settings.first_wait_seconds,
            ):
                with attempt:
                    self.retry_count += attempt.num > 1
                    return decode(self._body(send))
        except (TransientError, WrongAnswerError) as error:
            msg = f"{self._place(path)}: {error}; tried {attempt.num} times. Run the same again to go on"
            status = error.status if isinstance(error, TransientError) else 200
            raise IncompleteFetchError(msg, status=status) from None
        msg = "stamina ends with an answer or an exception"
        raise AssertionError(msg)

    def _wait_or_stop(self, error: Exception) -> bool | float:
        if isinstance(error, WrongAnswerError):
            return True
        if not isinstance(error, TransientError):
            return False
        self._halvings += error.is_heavy
        if error.wait_seconds is None:
            return True
        return error.wait_seconds if error.wait_seconds <= self._settings.longest_wait_seconds else False

    def _body(self, send: Callable[[], Any]) -> bytes:
        try:
            with send() as response:
                self._refuse(response)
                return self._bounded(response)
        except httpx.TimeoutException:
            msg = f"no answer within {self._settings.timeout_seconds:g} s"
            raise TransientError(msg, is_heavy=True) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            # What the system says of a connection is plain; other texts may quote what the server sent.
            reason = f": {ascii(str(error))[1:-1][:120]}" if isinstance(error, httpx.ConnectError) else ""
            msg = f"the connection failed ({type(error).__name__}{reason})"
            raise TransientError(msg) from None

    def _refuse(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == HTTPStatus.OK:
            return
        if response.has_redirect_location or 300 <= status < 400:
            target = shown(response.headers.get("location", ""))
            msg = (
                f"{self._place(response.url.path)}: redirects to {target!r} ({status}), and no redirect is "
                "followed, since keys would go along; if you trust that address, set it as the server"
            )
            raise FetchError(msg, status=status)
        if status not in _AGAIN and status not in _HEAVY:
            hint = _HINTS.get(status, "look at the server's address and its version")
            msg = f"{self._place(response.url.path)}: answered {_named(status)}: {hint}"
            raise FetchError(msg, status=status)
        wait = asked_wait_seconds(response.headers)
        asked = "" if wait is None else f" and asks to wait {wait:,.0f} s"
        msg = f"answered {_named(status)}{asked}"
        raise TransientError(msg, wait_seconds=wait, is_heavy=status in _HEAVY, status=status)

    def _bounded(self, response: httpx.Response) -> bytes:
        body = bytearray()
        deadline = time.monotonic() + _PATIENCE_FACTOR * self._settings.timeout_seconds
        for chunk in response.iter_bytes():
            body += chunk
            self.bytes_received += len(chunk)
            if len(body) > self._settings.page_bytes:
                msg = f"an answer is longer than {self._settings.page_bytes:,} bytes"
                raise TransientError(msg, is_heavy=True)
            if time.monotonic() > deadline:
                msg = f"an answer took longer than {_PATIENCE_FACTOR * self._settings.timeout_seconds:g} s"
                raise TransientError(msg, is_heavy=True)
        return bytes(body)

    def _place(self, path: str) -> str:
        return shown(self.server) + path.removeprefix(httpx.URL(self.server).path.rstrip("/"))


def _named(status: int) -> str:
    # The server words the reason as it likes; the standard's words are used in its place.
    known = {known.value: known.phrase for known in HTTPStatus}
    return f"{status} {known.get(status, '')}".rstrip()
