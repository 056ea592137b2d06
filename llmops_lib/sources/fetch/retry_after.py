"""How long a server asks to wait: seconds, or a date."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def asked_wait_seconds(headers: Mapping[str, str]) -> float | None:
    """The wait of the header `Retry-After` in seconds; None where it is missing or makes no sense.

    A date is compared with the server's own clock where the answer states it, so that a wrong clock here
    neither hammers the server nor sleeps for hours.

    Args:
        headers: Of the answer; names are looked up as httpx does, in any case.

    Source: RFC 9110, section 10.2.3.

    Example:
        >>> asked_wait_seconds({"retry-after": "7"}), asked_wait_seconds({"retry-after": "soon"})
        (7.0, None)
    """
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    until = _moment(asked)
    if until is None:
        return None
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
