"""Messages on their way: to a file, or by apprise to an address that only the environment knows."""

import contextlib
import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from llmops_lib.alerts.episodes import Episode
from llmops_lib.alerts.rules import AlertRules
from llmops_lib.errors import AlertError

_LISTED = 20
_LOCK_SECONDS = 10

Send = Callable[[Sequence[Episode], str], bool]
"""Sends one message about episodes of one rule, with its note; whether it arrived."""


def senders(rules: AlertRules, folder: Path) -> dict[str, Send]:
    """How to send to each destination that a rule uses.

    Args:
        rules: The rules.
        folder: Folder that files are relative to.

    Raises:
        AlertError: If an address is not in the environment, or is none that apprise knows. The message
            names the variable and never what it holds.
    """
    used = dict.fromkeys(name for rule in rules.rules for name in rule.to)
    found: dict[str, Send] = {}
    for name in used:
        destination = rules.destinations[name]
        if destination.file is not None:
            found[name] = _to_file(folder / destination.file)
        else:
            found[name] = _to_address(name, str(destination.url_env))
    return found


def title(episodes: Sequence[Episode]) -> str:
    """The title of the message about episodes of one rule."""
    first = episodes[0]
    what = first.label if len(episodes) == 1 else f"{len(episodes)} groups"
    return f"[{first.severity}] {first.rule}: {what}"


def body(episodes: Sequence[Episode], note: str) -> str:
    """The message about episodes of one rule, a line each."""
    lines = [f"{episode.label}: {episode.said}. Episode {episode.id}" for episode in episodes[:_LISTED]]
    rest = len(episodes) - _LISTED
    more = [f"... and {rest:,} more"] if rest > 0 else []
    return "\n".join([*lines, *more, *([note] if note else [])])


def _to_file(path: Path) -> Send:
    def send(episodes: Sequence[Episode], note: str) -> bool:
        lines = "".join(json.dumps(_record(episode, note)) + "\n" for episode in episodes)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.lock", timeout=_LOCK_SECONDS), path.open("a", encoding="ascii") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, Timeout):
            return False
        return True

    return send


def _record(episode: Episode, note: str) -> Mapping[str, str]:
    return {
        "episode": episode.id,
        "rule": episode.rule,
        "severity": episode.severity,
        "group": episode.label,
        "started_at": episode.started_at.isoformat(),
        "said": episode.said,
        "note": note,
    }


def _to_address(name: str, variable: str) -> Send:
    address = os.environ.get(variable, "")
    if not address:
        msg = (
            f"destination {name!r} takes its address from the environment variable {variable}, which is not "
            "set; set it to an address of apprise, or leave nothing to be sent with --dry-run"
        )
        raise AlertError(msg)
    with _quietly():
        from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType  # noqa: PLC0415 - slow to import

        kinds = {"info": NotifyType.INFO, "warning": NotifyType.WARNING, "critical": NotifyType.FAILURE}
        asset = AppriseAsset(app_id="llmops", app_desc="llmops alerts", app_url="", async_mode=False)
        notifier = Apprise(asset=asset)
        is_known = bool(notifier.add(address)) and len(notifier) > 0
    if not is_known:
        msg = (
            f"destination {name!r}: {variable} holds no address that apprise knows; expected one such as "
            "slack://..., mailtos://user:password@host or jsons://host/path"
        )
        raise AlertError(msg)

    def send(episodes: Sequence[Episode], note: str) -> bool:
        with _quietly(), contextlib.suppress(OSError, ValueError, TypeError, RuntimeError):
            return bool(
                notifier.notify(
                    title=title(episodes),
                    body=body(episodes, note),
                    notify_type=kinds[episodes[0].severity],
                    body_format=NotifyFormat.TEXT,
                )
            )
        return False

    return send


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Nothing is logged inside: apprise and the HTTP client write addresses, and so keys, to logs.

    Warnings that plugins of apprise cause in the standard library are nothing that a caller could mend.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
