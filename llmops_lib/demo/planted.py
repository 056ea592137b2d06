"""What is planted in the demonstration for reports to find: when, where and what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from llmops_lib.demo.calibration import Ints
from llmops_lib.periods import Period

Flags = npt.NDArray[np.bool_]

RUNAWAY_TENANT = "lumen-energy"
RUNAWAY_FEATURE = "agent_refunds"
RUNAWAY_CALL_FACTOR = 6
"""How many times the ordinary number of calls a looping agent makes."""


@dataclass(frozen=True)
class PlantedEvent:
    """One planted event: traces that start in `[start, end)` and match `where` are changed.

    Attributes:
        name: `prompt_change`, `latency_incident`, `prompt_regression` or `cost_runaway`.
        start: First moment, UTC.
        end: First moment after it, UTC.
        what: One sentence.
        where: Columns of SPANS and the values they have in it.
    """

    name: str
    start: datetime
    end: datetime
    what: str
    where: Mapping[str, str] = field(default_factory=dict)

    def covers(self, started_ns: Ints) -> Flags:
        """Which of the moments, in nanoseconds since 1970, fall into the event."""
        flags: Flags = (started_ns >= epoch_ns(self.start)) & (started_ns < epoch_ns(self.end))
        return flags


@dataclass(frozen=True)
class Calendar:
    """The weeks of a demonstration and what is planted in them.

    Attributes:
        last: Last week.
        weeks: Number of weeks.
        has_experiment: Whether the changed prompt runs beside the old one, for half of the users.
        has_regression: Whether the last release brings a prompt that answers without its sources.
    """

    last: Period
    weeks: int
    has_experiment: bool = False
    has_regression: bool = False

    @property
    def first_day(self) -> datetime:
        """Start of the first week, UTC."""
        return self.last.start - timedelta(weeks=self.weeks - 1)

    @property
    def days(self) -> list[datetime]:
        """The midnights at which the days start, UTC."""
        return [self.first_day + timedelta(days=day) for day in range(7 * self.weeks)]

    def deployed_at(self, week: int) -> datetime:
        """When the release of a week (0 is the first) goes live: Wednesday 10:00 UTC."""
        return self.first_day + timedelta(weeks=week, days=2, hours=10)

    @property
    def prompt_change(self) -> PlantedEvent:
        """A longer prompt version, from the middle of the weeks on."""
        return PlantedEvent(
            "prompt_change",
            self.deployed_at(self.weeks // 2),
            self.last.end,
            "support_answer goes from version 3 to 4: longer prompt, longer answers, better feedback",
            {"feature": "faq_rag", "prompt_name": "support_answer"},
        )

    @property
    def latency_incident(self) -> PlantedEvent:
        """One model slows down on the Tuesday of the last week."""
        start = self.last.start + timedelta(days=1, hours=9)
        return PlantedEvent(
            "latency_incident",
            start,
            start + timedelta(hours=2.5),
            "gpt-4o-mini answers three times slower, with timeouts and internal errors",
            {"request_model": "gpt-4o-mini"},
        )

    @property
    def prompt_regression(self) -> PlantedEvent:
        """A prompt version that answers without its sources, from the last release on."""
        return PlantedEvent(
            "prompt_regression",
            self.deployed_at(self.weeks - 1),
            self.last.end,
            "support_answer goes to version 5, which answers from memory: most ratings are bad",
            {"feature": "faq_rag", "prompt_name": "support_answer", "prompt_version": "5"},
        )

    @property
    def cost_runaway(self) -> PlantedEvent:
        """One tenant's agent loops on the Thursday of the last week."""
        start = self.last.start + timedelta(days=3, hours=14)
        return PlantedEvent(
            "cost_runaway",
            start,
            start + timedelta(hours=9),
            f"{RUNAWAY_TENANT}'s refund agent loops: {RUNAWAY_CALL_FACTOR} times the calls, growing inputs",
            {"tenant": RUNAWAY_TENANT, "feature": RUNAWAY_FEATURE},
        )

    @property
    def events(self) -> tuple[PlantedEvent, ...]:
        """Everything that is planted, in order of start."""
        change = () if self.has_experiment else (self.prompt_change,)
        regression = (self.prompt_regression,) if self.has_regression else ()
        events = (*change, self.latency_incident, *regression, self.cost_runaway)
        return tuple(sorted(events, key=lambda event: event.start))


def epoch_ns(moment: datetime) -> int:
    """Nanoseconds since 1970 of a moment, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
