"""Connections to the one machine that was checked, whatever a resolver says later."""

import httpx

from llmops_lib.endpoints.addresses import Address


class PinnedTransport(httpx.BaseTransport):
    """Sends every request to the checked address; the certificate must still bear the host's name.

    Args:
        address: Where to.
        concurrency: Connections that are kept open.
    """

    def __init__(self, address: Address, concurrency: int) -> None:
        self._address = address
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        self._transport = httpx.HTTPTransport(limits=limits, trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request; one to another host is refused."""
        if request.url.host != self._address.host:
            msg = f"a request to {request.url.host!r} is not for {self._address.host}"
            raise httpx.UnsupportedProtocol(msg)
        request.extensions = {**request.extensions, "sni_hostname": self._address.host}
        request.url = request.url.copy_with(host=self._address.ip)
        return self._transport.handle_request(request)

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()
