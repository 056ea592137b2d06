"""How a pull is done: to which server, how patiently, in which pages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from llmops_lib.errors import FetchError

OnPage = Callable[[int, int, str], None]
"""Called after each page with rows received, rows announced (0 while unknown) and a few words."""


@dataclass(frozen=True)
class FetchSettings:
    """How a pull is done; the defaults are right for most servers.

    Attributes:
        server: Base address; without one it is taken from the environment, as the tool's own SDK does.
        page_size: Rows per page; never more than the server gives, and halved where a page is too heavy.
        overwrite: Replace a file, or the beginning of one, that another pull left at the path.
        allows_plain_http: Whether http is allowed to hosts other than this machine.
        attempts: Requests per page before the pull gives up; rows so far are kept.
        first_wait_seconds: Wait before the second attempt, doubled from then on, with jitter.
        longest_wait_seconds: Longest wait, also of one that the server asks for.
        timeout_seconds: Longest silence of the server.
        page_bytes: Longest answer, after decompression.
        transport: What sends the requests in place of the network.
        is_raw: Whether keys and passwords are written as they came; without, placeholders stand for them.
        on_page: Called after each page.
    """

    server: str | None = None
    page_size: int | None = None
    overwrite: bool = False
    allows_plain_http: bool = False
    attempts: int = 4
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 300.0
    timeout_seconds: float = 60.0
    page_bytes: int = 64 << 20
    transport: httpx.BaseTransport | None = None
    is_raw: bool = False
    on_page: OnPage | None = None

    def __post_init__(self) -> None:
        if self.page_size is not None and self.page_size < 1:
            msg = f"page_size is {self.page_size}; expected at least 1 row per page"
            raise FetchError(msg)
        if self.attempts < 1:
            msg = f"attempts is {self.attempts}; expected at least 1"
            raise FetchError(msg)


DEFAULTS = FetchSettings()
"""The settings that a pull has where none are given."""


def window(start: datetime | None, end: datetime | None) -> dict[str, str | None]:
    """The half-open window `[start, end)` as UTC text for requests, the state and the manifest.

    Args:
        start: First moment, with a zone.
        end: First moment after the window, with a zone.

    Raises:
        FetchError: If a moment names no zone, or the window is empty.

    Example:
        >>> window(datetime(2026, 11, 9, tzinfo=UTC), None)
        {'from': '2026-11-09T00:00:00.000Z', 'to': None}
    """
    for name, moment in (("start", start), ("end", end)):
        if moment is not None and moment.tzinfo is None:
            msg = f"{name} is {moment}, which names no zone; expected one such as 2026-11-09T00:00:00+01:00"
            raise FetchError(msg)
    if start is not None and end is not None and end <= start:
        msg = f"the window from {start} to {end} is empty; its end must be after its start"
        raise FetchError(msg)
    return {"from": _utc_text(start), "to": _utc_text(end)}


def now_text() -> str:
    """This moment as UTC text."""
    return str(_utc_text(datetime.now(UTC)))


def _utc_text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
