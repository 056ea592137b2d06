"""What a playbook says: signs that it is meant, evidence, mitigation, rollback and follow-ups."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llmops_lib.signals import METRICS

Text = Annotated[str, Field(min_length=1, max_length=500)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=40)]
_DATA = ConfigDict(extra="forbid", frozen=True)


class Sign(BaseModel):
    """One condition on an incident, of which everything must hold. Data only: nothing of it is run.

    Attributes:
        says: What it means that it holds.
        weight: How much it counts.
        required: Whether the playbook is out of the question without it.
        metrics: Any of these moved.
        details: Any of the error classes, scorers or kinds of findings that moved contains one of these
            texts, whatever the case.
        causes: Any of the first three causes names one of these columns.
        new: A value of any of these columns came up just before.
        changes: A change of any of these kinds came just before.
        least_times: What moved most is at least so many times the usual.
        without: None of these metrics moved.
    """

    model_config = _DATA

    says: Text
    weight: Annotated[float, Field(gt=0, le=10)] = 1.0
    required: bool = False
    metrics: list[Text] = []
    details: list[Text] = []
    causes: list[Text] = []
    new: list[Text] = []
    changes: list[Text] = []
    least_times: Annotated[float, Field(gt=1)] | None = None
    without: list[Text] = []

    @model_validator(mode="after")
    def _says_something_known(self) -> "Sign":
        conditions = (self.metrics, self.details, self.causes, self.new, self.changes, self.without)
        if not any(conditions) and self.least_times is None:
            msg = (
                "states no condition, expected metrics, details, causes, new, changes, least_times or without"
            )
            raise ValueError(msg)
        unknown = [name for name in (*self.metrics, *self.without) if name not in METRICS]
        if unknown:
            msg = f"metrics {unknown} are unknown, expected some of {', '.join(METRICS)}"
            raise ValueError(msg)
        return self


class Evidence(BaseModel):
    """Something to look at.

    Attributes:
        what: The question that it answers.
        cell: An expression for a notebook that holds `spans`, `incident` and `where`.
    """

    model_config = _DATA

    what: Text
    cell: Text


class Playbook(BaseModel):
    """A playbook.

    Attributes:
        name: Name of its file.
        title: What went wrong.
        signature: Signs that it is meant.
        evidence: What to collect before anything is changed.
        mitigation: What stops the harm, the first thing first.
        rollback: The command that takes back what most likely caused it.
        follow_ups: What to do afterwards.
        body: Why, for who has time to read.
    """

    model_config = _DATA

    name: Text
    title: Text
    signature: Annotated[list[Sign], Field(min_length=1, max_length=20)]
    evidence: Annotated[list[Evidence], Field(min_length=1, max_length=20)]
    mitigation: Texts
    rollback: Text
    follow_ups: Texts
    body: str
