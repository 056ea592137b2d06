"""Alert rules as reviewed data: what is watched, from when on it is an alert, and who hears of it."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from llmops_lib.errors import AlertError
from llmops_lib.measures.quality_alarms import STREAMS
from llmops_lib.reviewed_yaml import ReviewedKind, first_repeated, read_reviewed

EXAMPLE = Path(__file__).with_name("example.yaml")
"""What `llmops alerts init` writes."""

Dimension = Literal[
    "tenant",
    "feature",
    "user_id",
    "session_id",
    "model",
    "provider",
    "environment",
    "service",
    "release",
    "prompt_name",
    "prompt_version",
]

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def duration_of(text: str) -> timedelta:
    """A duration such as `15m`, `6h` or `2d`.

    Raises:
        ValueError: If it is none, or longer than 60 days.
    """
    match = re.fullmatch(r"([1-9]\d{0,3})([mhd])", text)
    length = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
    if length is None or length > timedelta(days=60):
        msg = f"{text!r} is no duration up to 60 days; expected minutes, hours or days such as 15m, 6h or 2d"
        raise ValueError(msg)
    return length


def _checked_duration(text: str) -> str:
    duration_of(text)
    return text


def _one_as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Duration = Annotated[str, AfterValidator(_checked_duration)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]

_OPTIONAL = ("severity", "by", "where", "ends_after", "note")
_QUALITY = ("reference_quality", "tolerance", "days_between_false_alarms", "detector")
_FIELDS = {
    "quality": (("scores",), _QUALITY),
    "spend_spike": ((), ("false_alarms_per_week", "above_usd")),
    "slow": (("window", "above_ms"), ("percentile", "min_calls")),
    "failed": (("window", "above_share"), ("min_calls",)),
    "expensive_call": (("above_usd",), ()),
    "new_model": ((), ("min_calls",)),
}
"""By kind of rule, the fields that it must and may have beside those of all."""


_BY_DEFAULT: dict[str, tuple[Dimension, ...]] = {
    "spend_spike": ("tenant", "feature"),
    "new_model": ("model",),
}


class Rule(BaseModel):
    """What is watched, and from when on it is an alert.

    Attributes:
        name: What it is called wherever it shows; unique in a file.
        kind: `spend_spike`, `slow`, `failed`, `expensive_call`, `new_model` or `quality`.
        to: Destinations that hear of it.
        severity: `info`, `warning` or `critical`.
        by: Dimensions of which each value is watched for itself; tenant and feature for a spend spike, the
            model (always one of them) for a new one.
        where: Values that a call must have to count.
        window: Stretch of time over which latency or failures are measured, such as `1h`.
        min_calls: Calls in the window, or before the first one of a new model, below which nothing is said.
        percentile: Latency percentile.
        above_ms: Latency (ms) above which it is an alert.
        above_share: Share of failed calls, 0 to 1, above which it is an alert.
        above_usd: Cost of a call above which it is an alert; of a spend spike, USD above what is expected.
        false_alarms_per_week: As `spend_spikes` takes it.
        scores: Scores of `llmops eval judge`, relative to the file of rules.
        reference_quality: As `quality_alarms` takes it, and so the next three.
        tolerance: Rise of failures that is still acceptable.
        days_between_false_alarms: Days between false alarms.
        detector: `e-sr` or `cusum`.
        ends_after: Quiet time after which an episode is over and the next alert is a new one.
        note: What to do when it fires; stands in the message.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    kind: Literal["spend_spike", "slow", "failed", "expensive_call", "new_model", "quality"]
    to: Annotated[tuple[str, ...], BeforeValidator(_one_as_list), Field(min_length=1)]
    severity: Literal["info", "warning", "critical"] = "warning"
    by: Annotated[tuple[Dimension, ...], BeforeValidator(_one_as_list)] = ()
    where: dict[Dimension, Annotated[str, Field(min_length=1)]] = {}
    window: Duration = "1h"
    min_calls: Annotated[int, Field(ge=1)] = 20
    percentile: Annotated[float, Field(gt=0, lt=100)] = 95
    above_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0
    above_share: Annotated[float, Field(ge=0, lt=1)] = 0
    above_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1
    false_alarms_per_week: Annotated[float, Field(ge=0.01, le=0.1)] = 0.02
    scores: str = ""
    reference_quality: Annotated[float, Field(ge=0, le=1)] | None = None
    tolerance: Annotated[float, Field(ge=0, lt=1)] | None = None
    days_between_false_alarms: Annotated[float, Field(ge=5, le=100_000)] = 365
    detector: Literal["e-sr", "cusum"] = "e-sr"
    ends_after: Duration = "24h"
    note: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _has_the_fields_of_its_kind(self) -> Self:
        needed, allowed = _FIELDS[self.kind]
        missing = [name for name in needed if name not in self.model_fields_set]
        if missing:
            msg = f"a rule of kind {self.kind} needs {', '.join(missing)}"
            raise ValueError(msg)
        known = {"name", "kind", "to", *_OPTIONAL, *needed, *allowed}
        foreign = sorted(self.model_fields_set - known)
        if foreign:
            msg = f"a rule of kind {self.kind} has no {', '.join(foreign)}; it has {', '.join(sorted(known))}"
            raise ValueError(msg)
        if self.kind == "quality" and (self.where or set(self.by) - set(STREAMS)):
            msg = f"a rule of kind quality has no where, and by may be any of {', '.join(STREAMS)}"
            raise ValueError(msg)
        if self.kind == "new_model" and "model" not in self.groups:
            msg = "a rule of kind new_model watches the model; add it to by, or leave by out"
            raise ValueError(msg)
        return self

    @property
    def groups(self) -> tuple[str, ...]:
        """Dimensions that are watched for themselves."""
        by_default = _BY_DEFAULT.get(self.kind, ())
        return self.by if "by" in self.model_fields_set else by_default

    @property
    def quiet(self) -> timedelta:
        """Quiet time after which an episode is over."""
        return duration_of(self.ends_after)


class Destination(BaseModel):
    """Where messages go: an address that the environment holds, or a file.

    Attributes:
        url_env: Environment variable that holds an address of apprise: a webhook, Slack, e-mail or another.
        file: File to which messages are added as JSON lines, relative to the file of rules.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    file: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.url_env is None) == (self.file is None):
            msg = "a destination has either url_env (the environment variable of its address) or file"
            raise ValueError(msg)
        return self


class AlertRules(BaseModel):
    """A file of alert rules.

    Attributes:
        destinations: Destinations by name.
        rules: Rules in the order of the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    destinations: dict[Name, Destination]
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        twice = first_repeated(rule.name for rule in self.rules)
        if twice is not None:
            msg = f"two rules are named {twice!r}, expected a name of its own for each"
            raise ValueError(msg)
        for rule in self.rules:
            unknown = [name for name in rule.to if name not in self.destinations]
            if unknown:
                msg = f"rule {rule.name!r} goes to {unknown}; the destinations are {list(self.destinations)}"
                raise ValueError(msg)
        return self


_KIND = ReviewedKind(
    error=AlertError,
    what="alert rules",
    holds="`destinations` and a list under `rules`",
    todo="compare docs/alerts.md, or the example that `llmops alerts init` writes",
    said={
        "extra_forbidden": f"no such field; a rule has {', '.join(Rule.model_fields)}",
        "missing": "is missing",
        "model_type": "expected fields and values such as `name: slow answers`",
    },
    expected={
        "url_env": "the name of an environment variable, such as LLMOPS_SLACK_URL; never an address itself",
        "above_ms": "milliseconds such as 8000",
        "above_share": "a share such as 0.05",
        "above_usd": "US dollars such as 2.5",
        "min_calls": "a whole number such as 50",
    },
)


def load_alert_rules(path: str | Path) -> AlertRules:
    """The rules of a file, checked.

    Args:
        path: YAML with `destinations` and a list under `rules`; docs/alerts.md describes the fields.

    Returns:
        Destinations and rules.

    Raises:
        AlertError: If the file cannot be read or a rule does not hold what it must; the message says where,
            what was found, what was expected and what to do.

    Example:
        >>> [rule.kind for rule in load_alert_rules(EXAMPLE).rules]
        ['spend_spike', 'slow', 'failed', 'expensive_call']
    """
    return read_reviewed(Path(path), AlertRules, _KIND)
