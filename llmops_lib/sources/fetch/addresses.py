"""Which addresses a key may be sent to.

Everything that is not plainly an https server, or a server on this machine, is refused: an address comes
from an environment or a configuration that someone else may have written, and the key goes with it.

- Numbers that some resolvers take for addresses (`127.1`, `0xA9FEA9FE`, `2852039166`) are refused as they
  are spelt, before anything is resolved.
- A name is resolved once to refuse cloud metadata services. Over https the certificate holds the name to
  its server afterwards; plain http is for this machine unless the caller allows it.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable

from llmops_lib.errors import FetchError

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?P<port>:\d{1,5})?"
    r"(?P<path>(?:/[A-Za-z0-9._~-]+)*)/*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
# IPv6 networks whose addresses end with an IPv4 one: NAT64, NAT64 of one's own, SIIT and IPv4-compatible.
_WRAPPING = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")
)
_ISATAP = frozenset((0x0000_5EFE, 0x0200_5EFE))
# Metadata services outside of the link-local ranges: Alibaba Cloud, Oracle Cloud, Azure; AWS twice and Google
# Cloud over IPv6.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        *("100.100.100.200", "192.0.0.192", "168.63.129.16"),
        *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"),
    )
)
_EXPECTED = "expected an address such as https://cloud.langfuse.com or http://127.0.0.1:6006"

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str], Iterable[str]]


def resolved(host: str) -> list[str]:
    """The addresses of a host name; none where it has none or no resolver answers."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except OSError:
        return []


def checked_server(address: str, *, allows_plain_http: bool = False, resolve: Resolve = resolved) -> str:
    """The base address of a server without a slash at its end, once it is known that a key may go there.

    Args:
        address: Scheme, host, port and path; no user name, no query.
        allows_plain_http: Whether http is allowed to hosts other than this machine.
        resolve: What gives the addresses of a host name.

    Raises:
        FetchError: If the address is refused; the message shows no password.

    Example:
        >>> checked_server("http://127.0.0.1:6006/")
        'http://127.0.0.1:6006'
    """
    match = _ADDRESS.fullmatch(address.strip())
    if match is None or int((match["port"] or ":0")[1:]) > 65_535:
        msg = f"{shown(address)}: is no address to pull from; {_EXPECTED}, with no user name, query or escape"
        raise FetchError(msg)
    scheme, host = match["scheme"].lower(), match["host"].lower()
    literal = _literal(host, address)
    addresses = [literal] if literal else [ipaddress.ip_address(text.split("%")[0]) for text in resolve(host)]
    for found in addresses:
        _refuse_forbidden(found, address)
    if scheme == "http" and not allows_plain_http and not is_loopback(host):
        msg = (
            f"{shown(address)}: plain http would send keys and traces readable to everyone on the way; use "
            "https, or allow http explicitly (--allow-http) on a network that you trust"
        )
        raise FetchError(msg)
    return f"{scheme}://{host}{match['port'] or ''}{match['path']}"


def is_loopback(host: str) -> bool:
    """Whether a host, as it stands in an address, is this machine by its very name."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def shown(address: str) -> str:
    """An address for a message: without user name, password, query and control characters."""
    scheme, colon, rest = address.strip().partition("://")
    authority = re.split(r"[?#]", rest)[0].rpartition("@")[2] if colon else "(no scheme)"
    return ascii(f"{scheme[:12] if colon else ''}{colon}{authority}"[:120])[1:-1]


def _literal(host: str, address: str) -> IpAddress | None:
    is_numeric = host.startswith("[") or _NUMBER.fullmatch(host.rpartition(".")[2])
    if not is_numeric:
        return None
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        msg = f"{shown(address)}: the host is a number but no IP address in its usual form; {_EXPECTED}"
        raise FetchError(msg) from None


def _refuse_forbidden(found: IpAddress, address: str) -> None:
    inner = unwrapped(found)
    if inner.is_link_local or inner in _METADATA or inner.is_unspecified or inner.is_multicast:
        msg = (
            f"{shown(address)}: {found} is link-local, unspecified, multicast or a metadata service, and no "
            f"trace server; {_EXPECTED}"
        )
        raise FetchError(msg)


def unwrapped(found: IpAddress) -> IpAddress:
    """The IPv4 address inside of an IPv6 one, in each of its wrappings; else the address itself."""
    if isinstance(found, ipaddress.IPv4Address):
        return found
    number = int(found)
    is_wrapped = any(found in network for network in _WRAPPING) or (number >> 32) % 2**32 in _ISATAP
    # `::` and `::1` are addresses of their own.
    if is_wrapped and number > 1:
        return ipaddress.IPv4Address(number % 2**32)
    teredo = found.teredo
    return found.ipv4_mapped or found.sixtofour or (teredo[1] if teredo else found)


def is_public(found: IpAddress) -> bool:
    """Whether an address, without its wrapping, is one of the public internet."""
    is_site_local = isinstance(found, ipaddress.IPv6Address) and found.is_site_local
    return found.is_global and not found.is_reserved and not is_site_local
