"""A client for the calls of a command, with its limits, its progress bar and the models that judge."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmops_lib.cli.screen import progress


@contextmanager
def asking(judge: str, out: Path, settings: dict[str, Any]) -> Iterator[Callable[..., Any]]:
    """Runs plans over one connection and within one budget, whose scores go to files.

    Args:
        judge: Model that judges; empty without.
        out: Folder of runs.
        settings: Of the client, and `max_usd`.

    Yields:
        A function of an EvalPlan and, if it is to have one, the name of the run; it gives what came of the
        run and the file of its scores.
    """
    from llmops_lib import (  # noqa: PLC0415 - keeps `llmops --help` fast
        Breaker,
        BreakerPolicy,
        EndpointClient,
        EndpointSettings,
        Judges,
        run_eval,
        write_run,
    )

    kept = dict(settings)
    most = kept.pop("max_usd")
    policy = BreakerPolicy(limit_usd=most, window="rolling 31d", reserve_usd=most) if most else None
    own = EndpointSettings(spans_file=spans_file(out), breaker=Breaker(policy) if policy else None, **kept)
    with EndpointClient(settings=own) as client, progress("asking") as advance:
        key = _judge_key(kept["cache"] or out)
        judges = Judges(client.chat_all, judge, key) if judge else None

        def run(plan: Any, run_id: str | None = None) -> tuple[Any, Path]:
            outcome = run_eval(plan, client, judges=judges, run_id=run_id, on_call=advance)
            return outcome, write_run(outcome, out)

        yield run


def spans_file(out: Path) -> Path:
    """The file of the spans of the runs in a folder.

    Example:
        >>> spans_file(Path("runs")).name
        'spans.jsonl'
    """
    return out / "spans.jsonl"


def _judge_key(folder: Path) -> bytes:
    path = folder / ".judge-key"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()
