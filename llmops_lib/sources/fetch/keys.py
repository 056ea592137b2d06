"""Servers and keys from the environment, under the names that each tool's own SDK reads.

Keys come from nowhere else: not from arguments, files or addresses, so that none ends in a shell
history, a log, a notebook or a manifest.
"""

import os
import re
from collections.abc import Generator, Mapping

import httpx

from llmops_lib.errors import FetchError

LANGFUSE_CLOUD = "https://cloud.langfuse.com"
"""Where the Langfuse SDK goes when no variable names a server."""

PHOENIX_LOCAL = "http://localhost:6006"
"""Where the Phoenix client goes when no variable names a server."""

_LANGFUSE_SERVERS = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST")
_PHOENIX_SERVERS = ("PHOENIX_ENDPOINT", "PHOENIX_COLLECTOR_ENDPOINT", "PHOENIX_BASE_URL", "PHOENIX_HOST")
_TRACES_PATH = re.compile(r"/+v1/traces/*$")


def langfuse_server(environment: Mapping[str, str] = os.environ) -> str:
    """The Langfuse server that the environment names, else Langfuse Cloud."""
    return _first(_LANGFUSE_SERVERS, environment) or LANGFUSE_CLOUD


def langfuse_auth(environment: Mapping[str, str] = os.environ) -> httpx.Auth:
    """The two Langfuse keys of a project, as its API takes them.

    Raises:
        FetchError: If one is missing or cannot be a key; the message shows neither.
    """
    public, secret = (_key(name, environment) for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"))
    if not public or not secret:
        missing = "LANGFUSE_SECRET_KEY" if public else "LANGFUSE_PUBLIC_KEY"
        msg = f"{missing} is not set; set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY to keys of the project"
        raise FetchError(msg)
    return httpx.BasicAuth(public, secret)


def phoenix_server(environment: Mapping[str, str] = os.environ) -> str:
    """The Phoenix server that the environment names, else one on this machine.

    A collector's address may end in `/v1/traces`, and PHOENIX_HOST may be a bare host, also `0.0.0.0`,
    which a server listens on and no client connects to.

    Example:
        >>> phoenix_server({"PHOENIX_HOST": "0.0.0.0", "PHOENIX_PORT": "7007"})
        'http://127.0.0.1:7007'
    """
    server = _first(_PHOENIX_SERVERS, environment) or PHOENIX_LOCAL
    if "://" not in server:
        port = _first(("PHOENIX_PORT",), environment) or "6006"
        host = "127.0.0.1" if server == "0.0.0.0" else server  # noqa: S104 - what is replaced, not bound
        server = f"http://{host}" if ":" in host else f"http://{host}:{port}"
    return _TRACES_PATH.sub("", server)


def phoenix_auth(environment: Mapping[str, str] = os.environ) -> httpx.Auth | None:
    """The Phoenix key as its API takes it; None where there is none, as on most local servers.

    Raises:
        FetchError: If it cannot be a key; the message does not show it.
    """
    key = _key("PHOENIX_API_KEY", environment)
    return BearerAuth(key) if key else None


class BearerAuth(httpx.Auth):
    """A key in the header `Authorization`; nothing that prints this object shows the key."""

    def __init__(self, key: str) -> None:
        self._header = f"Bearer {key}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Adds the header to a request."""
        request.headers["Authorization"] = self._header
        yield request


def _first(names: tuple[str, ...], environment: Mapping[str, str]) -> str | None:
    return next((value for name in names if (value := environment.get(name, "").strip())), None)


def _key(name: str, environment: Mapping[str, str]) -> str | None:
    key = environment.get(name, "").strip()
    if key and not re.fullmatch(r"[!-~]+", key):
        msg = f"{name} holds spaces, line breaks or other characters that no key has; set it again"
        raise FetchError(msg)
    return key or None
