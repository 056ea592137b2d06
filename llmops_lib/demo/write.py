"""The demonstration written to a file, week after week, with lines among it that no reader can take."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from llmops_lib.demo.bad_lines import BAD_LINE_COUNT, bad_lines
from llmops_lib.demo.experiment import with_arms
from llmops_lib.demo.otlp import Written, export_lines
from llmops_lib.demo.planted import Calendar, PlantedEvent
from llmops_lib.demo.steps import draw_steps
from llmops_lib.demo.traces import draw_traces
from llmops_lib.errors import ExperimentError, PeriodError, SourceError
from llmops_lib.periods import Period

Progress = Callable[[int, int, str], None]
"""Called after each day with the days done, the days in all and the day."""


@dataclass(frozen=True)
class DemoFacts:
    """What a written demonstration holds, for whoever checks that a report finds it.

    Attributes:
        path: The file.
        span_count: Spans that a reader must take.
        call_count: Model calls among them, retries and failures included.
        bad_line_count: Lines that hold nothing to take and must end in the quarantine.
        events: What is planted, in order of start.
    """

    path: Path
    span_count: int
    call_count: int
    bad_line_count: int
    events: tuple[PlantedEvent, ...]


def write_demo(  # noqa: PLR0913 - each is a dial of the demonstration
    path: str | os.PathLike[str],
    *,
    seed: int = 7,
    weeks: int = 6,
    calls_per_week: int = 4000,
    last_week: str = "2026-W46",
    has_experiment: bool = False,
    has_regression: bool = False,
    on_progress: Progress | None = None,
) -> DemoFacts:
    """Writes one synthetic OTLP/JSON Lines export; says what is in it.

    The file is labelled synthetic in the resource of every span (`llmops.synthetic`, the service name, the
    environment). Rhythm and token counts follow real services (`calibration.py`); companies, users and
    texts are invented. The same arguments give the same bytes.

    Args:
        path: File to write; one that exists is replaced once the new one is complete.
        seed: Seed of all randomness.
        weeks: Number of ISO weeks, at least 1. The prompt changes in the middle one, 4 of 6.
        calls_per_week: Model calls of an ordinary week, about; what is planted comes on top.
        last_week: Last ISO week, UTC. Readers refuse times that lie in their future.
        has_experiment: Whether two versions of the prompt run side by side, by user, in place of the change.
        has_regression: Whether the release of the last week brings a prompt that users rate badly.
        on_progress: Called after each day with the days done, the days in all and the day.

    Returns:
        Counts and planted events.

    Raises:
        PeriodError: If `last_week` is not an ISO week or `weeks` is below 1.
        ExperimentError: If an experiment and a regression are asked for: both change the same prompt.
        SourceError: If the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     facts = write_demo(Path(folder) / "demo.jsonl", weeks=1, calls_per_week=50)
        >>> facts.bad_line_count, [event.name for event in facts.events]
        (7, ['latency_incident', 'prompt_change', 'cost_runaway'])
    """
    target = Path(path)
    if weeks < 1:
        msg = f"found weeks={weeks}, expected at least 1: a demonstration needs a week to report on"
        raise PeriodError(msg)
    if has_experiment and has_regression:
        msg = "found an experiment and a regression, expected one: both change the prompt support_answer"
        raise ExperimentError(msg)
    calendar = Calendar(Period.week(last_week), weeks, has_experiment, has_regression)
    span_count = call_count = 0
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            for written in _lines(seed, calendar, calls_per_week, on_progress):
                file.write(written.line + b"\n")
                span_count += written.span_count
                call_count += written.call_count
        unfinished.replace(target)
    except OSError as error:
        msg = f"{target}: cannot be written: {error.strerror}; name a file in a folder that you may write to"
        raise SourceError(msg) from error
    finally:
        # Where the folder is a file there is nothing to remove, and asking says so with an error.
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return DemoFacts(target, span_count, call_count, BAD_LINE_COUNT, calendar.events)


def _lines(
    seed: int, calendar: Calendar, calls_per_week: int, on_progress: Progress | None
) -> Iterator[Written]:
    days = calendar.days
    bad = dict(zip(_bad_days(len(days)), bad_lines(), strict=True))
    for number, (day, source) in enumerate(
        zip(days, np.random.SeedSequence(seed).spawn(len(days)), strict=True)
    ):
        yield from _day_lines(np.random.default_rng(source), day, calendar, calls_per_week)
        if number in bad:
            yield Written(bad[number](day), 0, 0)
        if on_progress:
            on_progress(number + 1, len(days), f"{day:%Y-%m-%d}")


def _day_lines(
    rng: np.random.Generator, day: datetime, calendar: Calendar, calls_per_week: int
) -> Iterator[Written]:
    traces = draw_traces(rng, day, calendar, calls_per_week)
    traces = with_arms(traces) if calendar.has_experiment else traces
    return export_lines(rng, traces, draw_steps(rng, traces), on=f"{day:%Y%m%d}")


def _bad_days(day_count: int) -> list[int]:
    """The days after which a bad line stands, spread over all of them."""
    return [place * day_count // BAD_LINE_COUNT for place in range(BAD_LINE_COUNT)]
