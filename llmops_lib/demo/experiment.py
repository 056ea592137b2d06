"""A simulated prompt experiment in the invented company: users in two arms, and their eval results."""

from dataclasses import replace

import numpy as np
import orjson
import polars as pl

from llmops_lib.demo.traces import Traces
from llmops_lib.demo.world import EXPERIMENT
from llmops_lib.experiments.declared import Experiment, assign
from llmops_lib.schema import SCORES, conform

DEMO_EXPERIMENT = Experiment(
    name=EXPERIMENT,
    arms={"short": 1, "long": 1},
    prompts={"short": "support_answer@3", "long": "support_answer@4"},
    note="simulated: the long prompt costs more, answers at greater length, and is liked more",
)
"""The experiment of the demonstration."""

_PEOPLE_PER_ACCOUNT = 8
_CASE_COUNT, _TRIAL_COUNT = 60, 2
_TOPICS = ("a refund", "a lost parcel", "a changed address", "an invoice", "a broken screen", "opening hours")


def with_arms(traces: Traces) -> Traces:
    """The traces of a day with their users in the arms of `DEMO_EXPERIMENT`.

    A user of the demonstration stands for a company's account here, and each has a handful of people.

    Args:
        traces: Traces of one day.
    """
    people = traces.user * _PEOPLE_PER_ACCOUNT + traces.session % _PEOPLE_PER_ACCOUNT
    distinct, places = np.unique(people, return_inverse=True)
    arms = [assign(f"u-{person:03d}", DEMO_EXPERIMENT).arm or "" for person in distinct.tolist()]
    arm = np.array(arms, dtype=object)[places] if arms else np.empty(0, dtype=object)
    return replace(traces, user=people, is_changed=np.asarray(arm == "long"), arm=tuple(arm.tolist()))


def demo_scores(seed: int = 7) -> pl.DataFrame:
    """Simulated eval results of both prompts of `DEMO_EXPERIMENT` on the same cases, two trials each.

    Args:
        seed: Seed of all randomness.

    Returns:
        SCORES; the suite and every answer say that they are simulated.
    """
    generator = np.random.default_rng(seed)
    easy = generator.beta(2.2, 1.2, _CASE_COUNT)
    rows = []
    for arm, gain in (("short", 0.0), ("long", 0.09)):
        name, version = DEMO_EXPERIMENT.prompts[arm].split("@")
        for case in range(_CASE_COUNT):
            topic = _TOPICS[case % len(_TOPICS)]
            for trial in range(1, _TRIAL_COUNT + 1):
                passed = bool(generator.random() < min(1.0, easy[case] + gain))
                place = {"example_id": f"case-{case:02d}", "trial": trial, "prompt_version": version}
                rows.append(
                    {**place, **_told(name, version, topic, passed=passed), "run_id": f"simulated-{arm}"}
                )
    return conform(pl.DataFrame(rows), SCORES)


def _told(prompt_name: str, version: str, topic: str, *, passed: bool) -> dict[str, object]:
    said = "names what to do and by when" if passed else "leaves out what to do"
    return {
        "suite": "simulated_support",
        "suite_hash": "simulated",
        "scorer": "facts",
        "score": float(passed),
        "passed": passed,
        "prompt_name": prompt_name,
        "input": orjson.dumps(f"A question about {topic} (simulated)").decode(),
        "output": orjson.dumps(f"Simulated answer of version {version} about {topic}: {said}.").decode(),
        "metadata": "{}",
        "source_format": "demo",
        "source_file": "simulated",
    }
