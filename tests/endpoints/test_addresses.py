"""Which addresses prompts and a key may be sent to."""

import json

import httpx
import pytest

from llmops_lib.endpoints.addresses import checked_address
from llmops_lib.endpoints.pinned import PinnedTransport
from llmops_lib.endpoints.settings import Endpoint
from llmops_lib.errors import EndpointError

KNOWN = {
    "api.openai.com": ["104.18.7.192"],
    "llm.corp.example": ["10.1.2.3"],
    "rebound.example": ["127.0.0.1"],
}


def resolve(host):
    """A resolver that never asks the network."""
    return KNOWN.get(host, [host] if host[0].isdigit() else [])


def test_a_known_provider_is_allowed_over_https_only():
    """The key would be readable on the way."""
    assert checked_address("https://api.openai.com/v1/", resolve=resolve).url == "https://api.openai.com/v1"
    with pytest.raises(EndpointError, match="not in the list"):
        checked_address("http://api.openai.com/v1", resolve=resolve)


def test_an_unknown_host_is_not_even_looked_up():
    """A look-up alone tells a name server that we exist."""
    asked = []
    with pytest.raises(EndpointError, match="LLMOPS_ALLOWED_HOSTS"):
        checked_address("https://evil.example/v1", resolve=lambda host: asked.append(host) or [])
    assert not asked


def test_a_name_that_leads_inside_is_refused_unless_meant():
    """A public name may be pointed at this machine at any moment."""
    hosts = ["rebound.example", "llm.corp.example:8000"]
    with pytest.raises(EndpointError, match=r"127\.0\.0\.1"):
        checked_address("https://rebound.example/v1", allowed_hosts=hosts, resolve=resolve)
    local = checked_address(
        "http://llm.corp.example:8000/v1", allowed_hosts=hosts, allows_local=True, resolve=resolve
    )
    assert (local.ip, local.port) == ("10.1.2.3", 8000)


def test_metadata_services_are_refused_whatever_is_allowed():
    """They give the keys of the whole machine."""
    with pytest.raises(EndpointError, match="metadata"):
        checked_address(
            "http://169.254.169.254/v1",
            allowed_hosts=["169.254.169.254:80"],
            allows_local=True,
            resolve=resolve,
        )


@pytest.mark.parametrize(
    "ip",
    [
        *("169.254.169.254", "10.0.0.1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1"),
        *("64:ff9b:1::a00:1", "::ffff:0:a00:1", "2002:a00:1::", "2001:db8::5efe:a00:1", "fec0::1"),
        *("fe80::1%eth0", "::1", "100.64.0.1"),
    ],
)
def test_a_listed_name_that_leads_inside_is_refused_however_the_address_is_wrapped(ip):
    """Each of these spellings reaches a machine that no list of public hosts means."""
    for found in ([ip], ["104.18.7.192", ip]):
        with pytest.raises(EndpointError):
            checked_address(
                "https://llm.example/v1", allowed_hosts=["llm.example"], resolve=lambda _, found=found: found
            )


@pytest.mark.parametrize("ip", ["104.18.7.192", "2606:4700::6812:7c0", "64:ff9b::6812:7c0"])
def test_a_listed_name_of_the_public_internet_is_allowed(ip):
    """IPv6 alone, and IPv6 alone with a translator, are ordinary networks."""
    address = checked_address("https://LLM.example/v1", allowed_hosts=["llm.example"], resolve=lambda _: [ip])
    assert (address.host, address.ip) == ("llm.example", ip)


def test_no_hostile_address_is_looked_up_or_connected_to(shared):
    """Every address of the shared list is refused by default."""
    lines = (shared / "corpora" / "endpoint_urls.jsonl").read_text(encoding="utf-8").splitlines()
    asked = []
    for line in lines:
        with pytest.raises(EndpointError):
            checked_address(
                json.loads(line)["text"], resolve=lambda host: asked.append(host) or ["127.0.0.1"]
            )
    assert len(lines) > 90
    assert not asked


def test_connections_go_to_the_checked_machine_under_the_hosts_name():
    """A resolver may answer otherwise the second time; the certificate must still bear the name."""
    address = checked_address("https://api.openai.com/v1", resolve=resolve)
    sent = []
    transport = PinnedTransport(address, 1)
    transport._transport = httpx.MockTransport(lambda request: sent.append(request) or httpx.Response(200))
    with httpx.Client(transport=transport, trust_env=False) as client:
        client.get("https://api.openai.com/v1/models")
        with pytest.raises(httpx.UnsupportedProtocol):
            client.get("https://evil.example/")
    (request,) = sent
    assert (request.url.host, request.headers["host"]) == ("104.18.7.192", "api.openai.com")
    assert request.extensions["sni_hostname"] == "api.openai.com"


def test_the_environment_names_the_endpoint_and_the_key():
    """As the OpenAI SDK reads them."""
    endpoint = Endpoint.from_environment({"OPENAI_API_KEY": "sk-1"}, resolve=resolve)
    assert (endpoint.address.host, endpoint.provider, endpoint.key) == ("api.openai.com", "openai", "sk-1")
    assert "sk-1" not in repr(endpoint)


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak"])
def test_a_missing_or_impossible_key_is_said_and_not_shown(key):
    """A key pasted with its neighbours would go out in a header."""
    with pytest.raises(EndpointError, match="OPENAI_API_KEY") as error:
        Endpoint.from_environment({"OPENAI_API_KEY": key}, resolve=resolve)
    assert not key.strip() or key not in str(error.value)


def test_a_server_on_this_machine_needs_no_key():
    """Ollama, vLLM and the bundled server ask for none."""
    environment = {"OPENAI_BASE_URL": "http://localhost:11434/v1", "LLMOPS_ALLOW_LOCAL": "1"}
    assert Endpoint.from_environment(environment, resolve=lambda _: ["127.0.0.1"]).key is None
