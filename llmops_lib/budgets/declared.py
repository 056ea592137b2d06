"""What a budget and a breaker policy are: reviewed data, checked where they are made."""

import math
from datetime import timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from llmops_lib.budgets.windows import WINDOW_PATTERN

Dimension = Literal["tenant", "feature", "user_id", "model"]

NANO_PER_USD = 1_000_000_000
"""Breakers count whole billionths of a dollar, so that sums are exact in any order."""


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, LookupError) as error:
        msg = "expected an IANA name such as 'UTC' or 'Europe/Berlin'"
        raise ValueError(msg) from error


def _one_as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        msg = "a dimension stands there twice, expected each once"
        raise ValueError(msg)
    return names


Window = Annotated[str, Field(pattern=rf"^(?:{WINDOW_PATTERN})$")]
Zone = Annotated[str, AfterValidator(_known_zone)]
Dimensions = Annotated[tuple[Dimension, ...], BeforeValidator(_one_as_list), AfterValidator(_distinct)]
Value = Annotated[str, Field(min_length=1)]
Usd = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Budget(BaseModel):
    """A limit on the spend or the tokens of a part of the traffic in a window of time.

    Attributes:
        name: What it is called wherever it shows; unique in a file.
        where: Values that a call must have to count, such as `{"feature": "agent_refunds"}`.
        each: Dimensions of which each value has the whole limit to itself, such as `["user_id"]`.
        limit_usd: USD that may be spent in the window; either this or `limit_tokens`.
        limit_tokens: Input and output tokens that may be used in the window.
        window: `day`, `week` (from Monday), `month`, or `rolling` and a duration: `rolling 24h`.
        timezone: IANA zone whose midnights bound a calendar window.
        warn_share: Share of the limit from which the state is `warn`.
        stop_share: Share of the limit from which the state is `stop`.
        owner: Who answers for it.
        note: Why it is what it is.

    Raises:
        pydantic.ValidationError: If a field does not hold what it must.

    Example:
        >>> Budget(name="refunds", where={"feature": "agent_refunds"}, limit_usd=50, window="day").warn_share
        0.8
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=80)]
    where: dict[Dimension, Value] = {}
    each: Dimensions = ()
    limit_usd: Usd | None = None
    limit_tokens: Annotated[int, Field(gt=0)] | None = None
    window: Window
    timezone: Zone = "UTC"
    warn_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    stop_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    owner: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if (self.limit_usd is None) == (self.limit_tokens is None):
            msg = "expected one of limit_usd and limit_tokens; state one of them"
            raise ValueError(msg)
        if self.warn_share > self.stop_share:
            msg = f"warn_share ({self.warn_share}) is above stop_share ({self.stop_share}); warn first"
            raise ValueError(msg)
        both = [name for name in self.each if name in self.where]
        if both:
            msg = f"{both[0]} stands under where and under each; one value has no others"
            raise ValueError(msg)
        return self

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Columns of SPANS that say whether and where a call counts."""
        return (*self.where, *self.each)

    @property
    def limit(self) -> float:
        """The limit, in USD or tokens."""
        return self.limit_usd if self.limit_usd is not None else float(self.limit_tokens or math.nan)


class BreakerPolicy(BaseModel):
    """When a circuit breaker refuses calls: one rule for replayed and for live traffic.

    Each value of `each` has a breaker of its own. Before a call, `reserve_usd` is set aside; when it has
    ended, its cost takes that place, or the reservation stays if the cost is unknown. A call whose
    reservation does not fit below the limit is refused and opens the breaker: for `cooldown`, every call is
    refused. After that the breaker is half open: one call at a time is let through if it fits, and the
    breaker closes when that call has ended within the limit; a call that does not fit opens it anew.

    Attributes:
        limit_usd: USD that may be spent in the window.
        window: As in `Budget`; a call belongs to the window in which it started.
        reserve_usd: The most that one call may cost. The limit holds as far as this is true.
        cooldown: How long an open breaker refuses everything.
        where: Values that a call must have to be watched; other calls pass.
        each: Dimensions of which each value has a breaker and the whole limit to itself.
        timezone: IANA zone whose midnights bound a calendar window.

    Raises:
        pydantic.ValidationError: If a field does not hold what it must.

    Example:
        >>> BreakerPolicy(limit_usd=5, window="rolling 1h", reserve_usd=0.05, each="tenant").cooldown
        datetime.timedelta(0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit_usd: Usd
    window: Window
    reserve_usd: Usd
    cooldown: Annotated[timedelta, Field(ge=timedelta(0))] = timedelta(0)
    where: dict[Dimension, Value] = {}
    each: Dimensions = ()
    timezone: Zone = "UTC"
