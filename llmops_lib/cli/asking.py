"""A client for the calls of a command, with its limits, its progress bar and the models that judge."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmops_lib.cli.paid_calls import breaker_of, judge_key
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
    from llmops_lib import EndpointClient, Judges, run_eval, write_run  # noqa: PLC0415 - as below

    own = settings_of(spans_file(out), settings)
    with EndpointClient(settings=own) as client, progress("asking") as advance:
        key = judge_key(settings["cache"] or out)
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


def settings_of(spans: Path, settings: dict[str, Any]) -> Any:
    """Settings of an endpoint from those of a command.

    Args:
        spans: File that a span of every call is added to.
        settings: Fields of `EndpointSettings`, and `max_usd`.
    """
    from llmops_lib import EndpointSettings  # noqa: PLC0415 - keeps `llmops --help` fast

    given = dict(settings)
    return EndpointSettings(spans_file=spans, breaker=breaker_of(given.pop("max_usd")), **given)
