"""What commands that pay for calls have in common: a limit in dollars, and the secret of judges."""

import secrets
from pathlib import Path
from typing import Any


def breaker_of(most_usd: float) -> Any:
    """A breaker that lets no call through which might exceed a sum; None without a limit.

    Args:
        most_usd: The sum; 0: no limit.
    """
    from llmops_lib import Breaker, BreakerPolicy  # noqa: PLC0415 - keeps `llmops --help` fast

    if not most_usd:
        return None
    return Breaker(BreakerPolicy(limit_usd=most_usd, window="rolling 31d", reserve_usd=most_usd))


def judge_key(folder: Path) -> bytes:
    """The secret that nonces of judges are made with, kept in a folder; made where there is none.

    Args:
        folder: Folder of answers.
    """
    path = folder / ".judge-key"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()
