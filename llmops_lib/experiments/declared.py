"""What an experiment is, and the arm that a user is in: the same one wherever it is asked."""

import hashlib
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llmops_lib.errors import ExperimentError
from llmops_lib.experiments.attributes import experiment_attribute

HOLDOUT, NOT_RAMPED = "holdout", "not_ramped"
"""Where a user is who is in no arm: held out of everything, or not reached by the ramp yet."""

_NAME = r"[a-z0-9][a-z0-9_-]{0,63}"

Name = Annotated[str, Field(pattern=rf"^{_NAME}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Experiment(BaseModel):
    """An A/B test of an application: who is in it, and with which chances in which arm.

    Attributes:
        name: What it is called wherever it shows; unique in a file.
        arms: Arms and their weights, the baseline first: `{"control": 1, "concise": 1}`.
        ramp: Share of the users, beside those held out, who are in it; may be raised while it runs.
        holdout: Share of all users who are in no arm of any experiment with the same `holdout_salt`.
        salt: What users are hashed with; the name without. Changed, every user is drawn anew.
        holdout_salt: What the holdout is drawn with, the same for experiments that share one.
        prompts: Prompt of each arm, `NAME@VERSION`, where arms are prompts.
        owner: Who answers for it.
        note: Why it is what it is.

    Raises:
        pydantic.ValidationError: If a field does not hold what it must.

    Example:
        >>> Experiment(name="tone", arms={"control": 1, "warm": 1}, ramp=0.2).baseline
        'control'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    arms: Annotated[dict[Name, Weight], Field(min_length=2)]
    ramp: Share = 1.0
    holdout: Share = 0.0
    salt: str = ""
    holdout_salt: str = "holdout"
    prompts: dict[Name, str] = {}
    owner: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        unknown = sorted(set(self.prompts) - set(self.arms))
        if unknown:
            msg = f"prompts name {', '.join(unknown)}, which is no arm; there are {', '.join(self.arms)}"
            raise ValueError(msg)
        taken = [name for name in self.arms if name in (HOLDOUT, NOT_RAMPED)]
        if taken:
            msg = f"an arm is named {taken[0]}, which says that a user is in no arm; name it otherwise"
            raise ValueError(msg)
        return self

    @property
    def baseline(self) -> str:
        """The arm that others are held against: the first."""
        return next(iter(self.arms))


class Assignment(BaseModel):
    """Where a user is, and what the application logs about it.

    Attributes:
        experiment: Name of the experiment.
        arm: Arm, or None for a user who is in none.
        outside: `holdout` or `not_ramped` where there is no arm.
        prompt: Prompt of the arm, where the experiment names one.
        attributes: What to set on the root span of each trace that the arm may change.
    """

    model_config = ConfigDict(frozen=True)

    experiment: str
    arm: str | None
    outside: str | None = None
    prompt: str | None = None
    attributes: dict[str, str] = {}


def assign(user_id: str, experiment: Experiment) -> Assignment:
    """The arm of a user: by a hash alone, so that every server and every day says the same.

    `sha256(salt || user_id)` for the ramp and for the arm, each with a salt of its own, and for the holdout
    with the salt that experiments share. A user is in the experiment where the number of the ramp lies below
    `ramp`, so raising the ramp adds users and moves none; users of one experiment are spread evenly over the
    arms of another. Changing weights moves users: begin a new experiment instead.

    Args:
        user_id: The user; a session only where there are no users.
        experiment: The experiment.

    Raises:
        ExperimentError: If there is no user, or the experiment is none.

    Source:
        FIPS 180-4; Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments (2020), chapter 4.

    Example:
        >>> tone = Experiment(name="tone", arms={"control": 1, "warm": 1})
        >>> found = assign("u-42", tone)
        >>> found.arm, found.attributes
        ('warm', {'llmops.experiment.tone': 'warm'})
    """
    if not isinstance(user_id, str) or not user_id:
        msg = f"user_id: found {user_id!r}, expected text; fall back to the id of the session"
        raise ExperimentError(msg)
    if not isinstance(experiment, Experiment):
        msg = f"experiment: found {experiment!r}, expected an Experiment, one of `load_experiments(path)`"
        raise ExperimentError(msg)
    salt = experiment.salt or experiment.name
    if _place(f"{experiment.holdout_salt}/holdout/", user_id) < experiment.holdout:
        return Assignment(experiment=experiment.name, arm=None, outside=HOLDOUT)
    if _place(f"{salt}/ramp/", user_id) >= experiment.ramp:
        return Assignment(experiment=experiment.name, arm=None, outside=NOT_RAMPED)
    arm = _arm(_place(f"{salt}/arm/", user_id), experiment.arms)
    return Assignment(
        experiment=experiment.name,
        arm=arm,
        prompt=experiment.prompts.get(arm),
        attributes={experiment_attribute(experiment.name): arm},
    )


def _place(salt: str, user_id: str) -> float:
    """A number from 0 up to 1, uniform over users: the first 53 bits, which a float holds exactly."""
    # Half a character, which a client may send, is hashed as it is: no request fails for its user's name.
    digest = hashlib.sha256(f"{salt}{user_id}".encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8]) >> 11) / 2**53


def _arm(place: float, arms: dict[str, float]) -> str:
    total, reached = sum(arms.values()), 0.0
    for name, weight in arms.items():
        reached += weight / total
        if place < reached:
            return name
    return name
