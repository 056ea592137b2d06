"""Reads `experiments.yaml`, and says what is wrong with it in one line."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llmops_lib.errors import ExperimentError
from llmops_lib.experiments.declared import Experiment
from llmops_lib.reviewed_yaml import ReviewedKind, first_repeated, read_reviewed


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    experiments: list[Experiment] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_and_salts_differ(self) -> "_File":
        twice = first_repeated(experiment.salt or experiment.name for experiment in self.experiments)
        if twice is not None:
            msg = f"two experiments hash with {twice!r}, expected a name or salt of its own for each"
            raise ValueError(msg)
        twice = first_repeated(experiment.name for experiment in self.experiments)
        if twice is not None:
            msg = f"two experiments are named {twice!r}, expected a name of its own for each"
            raise ValueError(msg)
        return self


_KIND = ReviewedKind(
    error=ExperimentError,
    what="experiments",
    holds="a list under `experiments`",
    todo="compare docs/comparing.md",
    no_such_key="no such key, expected the one key `experiments` with a list",
    said={
        "extra_forbidden": f"no such field; an experiment has {', '.join(Experiment.model_fields)}",
        "missing": "is missing",
        "model_type": "expected fields and values such as `name: tone`",
        "string_pattern_mismatch": "not a name",
        "too_short": "too few",
    },
    expected={
        "name": "1 to 64 lower-case letters, digits, `_` and `-`",
        "arms": "two arms or more with their weights, such as {control: 1, warm: 1}",
        "ramp": "a share of the users from 0 to 1",
        "holdout": "a share of the users from 0 to 1",
        "prompts": "arms and prompts such as {warm: support_answer@4}",
    },
)


def load_experiments(path: str | Path) -> dict[str, Experiment]:
    """The experiments of a file by name, checked.

    Args:
        path: YAML with a list under `experiments`; the fields of an entry are those of `Experiment`.

    Returns:
        The experiments in the order of the file.

    Raises:
        ExperimentError: If the file cannot be read or an entry does not hold what it must; the message says
            where, what was found, what was expected, and what to do.
    """
    return {one.name: one for one in read_reviewed(Path(path), _File, _KIND).experiments}
