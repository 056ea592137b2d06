"""Where keys may be sent: nowhere but to an https server or to this machine."""

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_lib.errors import FetchError
from llmops_lib.sources.fetch.addresses import checked_server, is_loopback, shown

NAMES = {
    "metadata.google.internal": ["169.254.169.254"],
    "169.254.169.254.nip.io": ["169.254.169.254"],
    "two-faced.example": ["203.0.113.7", "fe80::1%eth0"],
    "cloud.langfuse.com": ["203.0.113.7"],
    "langfuse.corp.example": ["10.1.2.3"],
}


def resolve(host):
    """A resolver that knows a few names, so that no test asks the network."""
    return NAMES.get(host, [])


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("https://cloud.langfuse.com", "https://cloud.langfuse.com"),
        ("https://langfuse.corp.example:8443/traces/", "https://langfuse.corp.example:8443/traces"),
        ("HTTP://LocalHost:6006/", "http://localhost:6006"),
        ("http://127.0.0.1:6006", "http://127.0.0.1:6006"),
        ("http://[::1]:6006/", "http://[::1]:6006"),
        ("https://10.1.2.3", "https://10.1.2.3"),
    ],
)
def test_servers_that_people_have_are_accepted(address, base):
    """A cloud, a company's own server with a certificate, and a Phoenix on the same machine."""
    assert checked_server(address, resolve=resolve) == base


@pytest.mark.parametrize(
    "address",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:password@cloud.langfuse.com",
        "https://cloud.langfuse.com?key=secret",
        "https://cloud.langfuse.com#x",
        "https://cloud.langfuse.com%2eevil.example",
        "https://cloud.langfuse.com\\@evil.example",
        "http://127.0.0.1:99999",
        "http://127.1",
        "http://0177.0.0.1",
        "https://2852039166",
        "https://0xA9FEA9FE/",
        "https://\u0430pi.langfuse.com",
        "https://0.0.0.0",
        "https://169.254.169.254",
        "https://[fe80::1]",
        "https://[::ffff:169.254.169.254]",
        "https://[64:ff9b::a9fe:a9fe]",
        "https://[::169.254.169.254]",
        "https://[64:ff9b:1::a9fe:a9fe]",
        "https://[::ffff:0:169.254.169.254]",
        "https://[2001:db8::200:5efe:a9fe:a9fe]",
        "https://168.63.129.16",
        "https://[fd20:ce::254]",
        "https://[fd00:ec2::254]",
        "https://100.100.100.200",
        "https://metadata.google.internal",
        "https://169.254.169.254.nip.io",
        "https://two-faced.example",
        "http://cloud.langfuse.com",
        "http://10.1.2.3",
        "",
        "cloud.langfuse.com",
    ],
)
def test_addresses_that_could_leak_a_key_are_refused(address):
    """One of them in an environment variable would send the key to a stranger or in the clear."""
    with pytest.raises(FetchError, match="https") as refused:
        checked_server(address, resolve=resolve)
    assert not any(secret in str(refused.value) for secret in ("password", "secret"))


def test_plain_http_is_for_those_who_ask_for_it():
    """A server in the same rack may have no certificate; metadata services stay refused."""
    address = "http://langfuse.corp.example:3000"
    assert checked_server(address, allows_plain_http=True, resolve=resolve) == address
    with pytest.raises(FetchError, match="metadata"):
        checked_server("http://metadata.google.internal", allows_plain_http=True, resolve=resolve)


def test_hostile_addresses_reach_no_host_but_this_machine_or_an_ordinary_https_name(shared):
    """Of a list of addresses made to fool such checks, what is left is plain https or loopback."""
    lines = (shared / "corpora" / "endpoint_urls.jsonl").read_text(encoding="utf-8").splitlines()
    addresses = [json.loads(line)["text"] for line in lines]
    accepted = []
    for address in addresses:
        try:
            accepted.append(checked_server(address, resolve=resolve))
        except FetchError:
            continue
    assert len(addresses) > 90
    for base in accepted:
        scheme, _, rest = base.partition("://")
        host = rest.partition("/")[0].partition(":")[0]
        assert is_loopback(host) if scheme == "http" else not host[-1].isdigit() or is_loopback(host)
    assert not [base for base in accepted if "169.254" in base or "metadata.google" in base]


@given(st.integers(min_value=0, max_value=2**16 - 1))
def test_no_spelling_of_a_link_local_address_is_accepted(low):
    """IPv4 inside of IPv6 comes in four wrappings."""
    inner = ipaddress.IPv4Address((169 << 24) + (254 << 16) + low)
    wrapped = [
        f"[::ffff:{inner}]",
        f"[{ipaddress.IPv6Address((0x64FF9B << 96) + int(inner))}]",
        f"[{ipaddress.IPv6Address((0x2002 << 112) + (int(inner) << 80))}]",
        str(inner),
        str(int(inner)),
        hex(int(inner)),
    ]
    for host in wrapped:
        with pytest.raises(FetchError):
            checked_server(f"https://{host}", resolve=resolve)


@given(st.text())
def test_any_text_is_accepted_or_refused_with_one_error(text):
    """An environment variable can hold anything."""
    message = "accepted"
    try:
        checked_server(text, resolve=resolve)
    except FetchError as refused:
        message = str(refused)
    assert message.isascii()


def test_a_password_in_an_address_is_not_shown():
    """The message of a refusal ends in logs."""
    assert shown("https://me:hunter2@host/path?token=abc#def") == "https://host/path"
