"""Users and their arms: the same for ever, evenly spread, and none moved by a ramp."""

import hashlib
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from llmops_lib import EXPERIMENT_ATTRIBUTE, Experiment, assign, load_experiments, load_traces
from llmops_lib.errors import ExperimentError

TONE = Experiment(name="tone", arms={"control": 1, "warm": 1})
USERS = [f"user-{number}" for number in range(20_000)]


def arms(experiment, users=USERS):
    """The arm of each user."""
    return [assign(user, experiment).arm for user in users]


def by_hand(salt, user):
    """The number of a user, from the definition."""
    return int.from_bytes(hashlib.sha256(f"{salt}{user}".encode()).digest()[:8]) / 2**64


@given(st.text(min_size=1))
@settings(max_examples=50, deadline=None)
def test_a_user_keeps_the_arm(user):
    """Asked again, anywhere, the answer is the same, and it follows from the definition."""
    found = assign(user, TONE)
    assert found == assign(user, TONE)
    assert found.arm == ("control" if by_hand("tone/arm/", user) < 0.5 else "warm")


def test_another_process_says_the_same():
    """Python's own hash differs between processes; this one must not."""
    code = (
        "from llmops_lib import Experiment, assign;"
        "print(*[assign(f'user-{n}', Experiment(name='tone', arms={'control': 1, 'warm': 1})).arm "
        "for n in range(20)])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == arms(TONE, USERS[:20])


def test_arms_get_their_shares():
    """Chi-square against 1 : 2 : 1; the hash is fixed, so that this is no game of chance."""
    found = arms(Experiment(name="three", arms={"a": 1, "b": 2, "c": 1}))
    counts = [found.count(arm) for arm in "abc"]
    assert chisquare(counts, [5_000, 10_000, 5_000]).pvalue > 0.01


@given(st.floats(0, 1), st.floats(0, 1), st.text("abc", max_size=3))
@settings(max_examples=20, deadline=None)
def test_raising_the_ramp_moves_nobody(one, other, salt):
    """Who has an arm keeps it; users are only added."""
    low, high = sorted([one, other])
    before, after = (
        arms(TONE.model_copy(update={"ramp": ramp, "salt": salt}), USERS[:300]) for ramp in (low, high)
    )
    assert all(then is None or then == now for then, now in zip(before, after, strict=True))


def test_the_ramp_takes_its_share():
    """A fifth of the users are in, and the arms are even among them."""
    found = arms(TONE.model_copy(update={"ramp": 0.2}))
    inside = [arm for arm in found if arm]
    assert chisquare([len(inside), len(found) - len(inside)], [4_000, 16_000]).pvalue > 0.01
    assert chisquare([inside.count(arm) for arm in TONE.arms]).pvalue > 0.01


def test_two_experiments_know_nothing_of_each_other():
    """Users of one arm are spread evenly over the arms of another: chi-square of the cross table."""
    other = arms(Experiment(name="model", arms={"small": 1, "large": 1}))
    table = [
        [
            sum((a, b) == (arm, size) for a, b in zip(arms(TONE), other, strict=True))
            for size in ("small", "large")
        ]
        for arm in TONE.arms
    ]
    assert chi2_contingency(table).pvalue > 0.01


def test_the_holdout_is_held_out_of_every_experiment():
    """The same users, whatever the experiment; they say why they have no arm."""
    held = [
        {user for user in USERS[:2_000] if assign(user, one).outside == "holdout"}
        for one in (
            TONE.model_copy(update={"holdout": 0.1}),
            Experiment(name="model", arms={"small": 1, "large": 1}, holdout=0.1, ramp=0.5),
        )
    ]
    assert held[0] == held[1]
    assert 150 < len(held[0]) < 250


def test_the_arm_and_what_to_log_come_together():
    """The attribute is one per experiment, so that several can run at once; outside there is none."""
    prompted = TONE.model_copy(update={"prompts": {"warm": "answer@4", "control": "answer@3"}})
    user = next(user for user in USERS if assign(user, prompted).arm == "warm")
    found = assign(user, prompted)
    assert (found.prompt, found.attributes) == ("answer@4", {f"{EXPERIMENT_ATTRIBUTE}tone": "warm"})
    outside = assign(user, prompted.model_copy(update={"ramp": 0}))
    assert (outside.arm, outside.outside, outside.attributes) == (None, "not_ramped", {})


def test_nobody_is_assigned_without_a_name():
    """An empty id would put all anonymous users into one arm."""
    with pytest.raises(ExperimentError, match="fall back to the id of the session"):
        assign("", TONE)


def test_half_a_character_in_a_name_fails_no_request():
    """A client may send any text as its user; hashing it as it is keeps everybody else's arm."""
    tone = Experiment(name="tone", arms={"control": 1, "warm": 1})
    assert assign("\ud800", tone).arm == assign("\ud800", tone).arm in {"control", "warm"}


def test_the_name_of_an_experiment_is_none():
    """What the arms are is in the file, so a name alone cannot tell them."""
    with pytest.raises(ExperimentError, match="found 'tone', expected an Experiment"):
        assign("u-42", "tone")


def test_experiments_are_reviewed_data(tmp_path):
    """A file in git says who is in what."""
    path = tmp_path / "experiments.yaml"
    path.write_text(
        "experiments:\n"
        "  - name: tone\n"
        "    arms: {control: 1, warm: 1}\n"
        "    ramp: 0.2\n"
        "    prompts: {control: support_answer@3, warm: support_answer@4}\n"
        "    owner: support\n"
    )
    found = load_experiments(path)
    assert (list(found), found["tone"].ramp, found["tone"].baseline) == (["tone"], 0.2, "control")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: tone, arms: {control: 1}}", r"yaml:2: experiments\[0\]\.arms: too few, expected two arms"),
        ("{name: tone, arms: {a: 1, b: 0}}", "greater than 0"),
        ("{name: Tone!, arms: {a: 1, b: 1}}", "not a name, expected 1 to 64 lower-case"),
        ("{name: tone, arms: {a: 1, b: 1}, ramp: 20}", "found '20'.*from 0 to 1"),
        ("{name: tone, arms: {a: 1, holdout: 1}}", "an arm is named holdout"),
        ("{name: tone, arms: {a: 1, b: 1}, prompts: {c: x@1}}", "which is no arm; there are a, b"),
        ("{name: tone, arms: {a: 1, b: 1}, share: 1}", "no such field; an experiment has name"),
        ("{name: t, arms: {a: 1, b: 1}}\n  - {name: t, arms: {a: 1, b: 1}}", "two experiments hash with 't'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, entry, said):
    """Where, what was found, what was expected."""
    path = tmp_path / "experiments.yaml"
    path.write_text(f"experiments:\n  - {entry}\n")
    with pytest.raises(ExperimentError, match=said) as error:
        load_experiments(path)
    assert "\n" not in str(error.value)


def test_the_attribute_survives_an_export(tmp_path):
    """What the application logs on a span stands in `attributes` after loading, under its own name."""
    logged = assign("user-1", TONE).attributes
    span = {
        "traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "chat m", "kind": 3,
        "startTimeUnixNano": "1760000000000000000", "endTimeUnixNano": "1760000001000000000",
        "attributes": [
            {"key": name, "value": {"stringValue": value}}
            for name, value in {"gen_ai.operation.name": "chat", **logged}.items()
        ],
    }  # fmt: skip
    export = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps(export) + "\n")
    assert logged.items() <= json.loads(load_traces(path)["attributes"].item()).items()
