"""Which addresses prompts and a key may be sent to, and the one machine behind each of them.

An address comes from an environment or a configuration that someone else may have written. So a host has to
stand in a list of allowed ones, the connection is https, and the name is resolved once: to an address of the
public internet unless the settings allow this machine and its network, and it is that address, and no later
answer of a resolver, that the client connects to.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from llmops_lib.errors import EndpointError, FetchError
from llmops_lib.sources.fetch.addresses import (
    Resolve,
    checked_server,
    is_loopback,
    is_public,
    resolved,
    shown,
    unwrapped,
)

PUBLIC_HOSTS = (
    "api.anthropic.com:443",
    "api.deepseek.com:443",
    "api.fireworks.ai:443",
    "api.groq.com:443",
    "api.mistral.ai:443",
    "api.openai.com:443",
    "api.together.xyz:443",
    "api.x.ai:443",
    "generativelanguage.googleapis.com:443",
    "openrouter.ai:443",
)
"""Providers with an OpenAI-compatible chat API that need not be allowed one by one."""


@dataclass(frozen=True)
class Address:
    """A checked base address.

    Attributes:
        url: Without a slash at its end, such as `https://api.openai.com/v1`.
        host: Name in it, as the certificate must bear it.
        port: Port.
        ip: What the host was resolved to.
    """

    url: str
    host: str
    port: int
    ip: str

    @property
    def is_local(self) -> bool:
        """Whether it is this machine by its very name."""
        return is_loopback(self.host)


def checked_address(
    address: str,
    *,
    allowed_hosts: Iterable[str] = (),
    allows_local: bool = False,
    resolve: Resolve = resolved,
) -> Address:
    """The address, once it is known that prompts and a key may go there.

    Args:
        address: Scheme, host, port and path; no user name, no query.
        allowed_hosts: `host:port` beside `PUBLIC_HOSTS`; a bare host means port 443.
        allows_local: Whether this machine, over http too, and private networks are allowed.
        resolve: What gives the addresses of a host name.

    Raises:
        EndpointError: If the address is refused; nothing has been connected to, and no password is shown.

    Example:
        >>> checked_address("http://127.0.0.1:8123/v1", allows_local=True).url
        'http://127.0.0.1:8123/v1'
    """
    spelt = _spelt(address)
    known = {*PUBLIC_HOSTS, *(host if ":" in host else f"{host}:443" for host in allowed_hosts)}
    if not (allows_local and is_loopback(spelt.host)) and f"{spelt.host}:{_port(spelt)}" not in known:
        msg = (
            f"{shown(address)}: is not in the list of allowed endpoints; expected a known provider, or add "
            "host:port to LLMOPS_ALLOWED_HOSTS (for a server on this machine set LLMOPS_ALLOW_LOCAL=1)"
        )
        raise EndpointError(msg)
    # Resolved once: what is checked here is what the client connects to.
    texts = [text.split("%")[0] for text in resolve(spelt.host.strip("[]"))]
    found = [unwrapped(ipaddress.ip_address(text)) for text in texts]
    if not found:
        msg = f"{shown(address)}: the host has no address; look for a typing error, or at the network"
        raise EndpointError(msg)
    is_local = not any(is_public(ip) for ip in found)
    if not allows_local and not all(is_public(ip) for ip in found):
        msg = (
            f"{shown(address)}: leads to {texts[0]}, which is no address of the public internet; set "
            "LLMOPS_ALLOW_LOCAL=1 if a server on this machine or network is meant"
        )
        raise EndpointError(msg)
    if spelt.scheme != "https" and not is_local:
        msg = f"{shown(address)}: plain http would send prompts and the key readable on the way; use https"
        raise EndpointError(msg)
    url = _checked(address, lambda _: texts)
    return Address(url, spelt.host, _port(spelt), texts[0])


def _spelt(address: str) -> httpx.URL:
    return httpx.URL(_checked(address, lambda _: []))


def _checked(address: str, resolve: Resolve) -> str:
    try:
        return checked_server(address, allows_plain_http=True, resolve=resolve)
    except FetchError as error:
        raise EndpointError(str(error)) from None


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
