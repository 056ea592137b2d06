"""Alarms on quality: late enough to be rare when nothing happened, and certain when something did."""

import numpy as np
import polars as pl
import pytest

from llmops_lib import quality_alarms
from llmops_lib.errors import SchemaError
from tests.measures.judged import START, scored

DETECTORS = ("e-sr", "cusum")


def history(*parts, seed=1):
    """Judgements of parts of (count, share of failures)."""
    generator = np.random.default_rng(seed)
    return np.concatenate([(generator.random(count) >= failing).astype(float) for count, failing in parts])


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_drop_is_found_and_dated(detector):
    """15% failures for 30 days, then 35%: told within days, and when it began."""
    found = quality_alarms(scored(history((3_000, 0.15), (1_000, 0.35))), detector=detector)
    first = found.alarms.row(0, named=True)
    # A CUSUM dates a rise by the last day on which it stood at zero, which is coarse.
    assert abs((first["started_at"] - START).days - 30) <= (2 if detector == "e-sr" else 10)
    assert -1 <= (first["detected_at"] - START).days - 30 <= 4
    assert found.alarms["is_news"].to_list() == [True] + [False] * (found.alarms.height - 1)
    assert first["reference_failure_share"] == pytest.approx(0.15, abs=0.03)


def test_a_quiet_year_is_quiet():
    """The default bound is a year between false alarms, and quality at the reference stays far below it."""
    alarms = [
        quality_alarms(scored(history((3_650, 0.15), seed=seed), per_day=10)).alarms.height
        for seed in range(4)
    ]
    assert sum(height > 0 for height in alarms) <= 1


def test_the_bound_is_stated_and_shared_by_the_streams():
    """Twenty streams with a year each would alarm every three weeks."""
    features = ["a" if number % 2 else "b" for number in range(4_000)]
    found = quality_alarms(scored(history((4_000, 0.2)), feature=features), by="feature", days=100)
    assert found.streams["days_between_false_alarms"].to_list() == [200.0, 200.0]
    assert found.streams["calls_between_false_alarms"].to_list() == pytest.approx([200 * 50] * 2)
    assert found.streams["feature"].to_list() == ["a", "b"]


def test_only_the_feature_that_dropped_alarms():
    """A page must say where to look."""
    judged = history((4_000, 0.1))
    features = ["a" if number % 2 else "b" for number in range(4_000)]
    judged[3_001::2] = history((500, 0.6))
    found = quality_alarms(scored(judged, feature=features), by="feature")
    assert found.alarms["feature"].unique().to_list() == ["a"]


def test_only_calls_with_equal_chances_are_watched():
    """Failures are drawn more often; their share of the sample is no share of the traffic."""
    draw = np.tile([0.001, 0.5], 1_000)
    scores = scored(history((2_000, 0.1)), draw=draw, chance=np.tile([0.1, 0.9], 1_000))
    assert quality_alarms(scores).streams["judged_count"].item() == 1_000


def test_a_reference_that_is_given_watches_from_the_first_call():
    """A release may state what it promised."""
    found = quality_alarms(scored(history((600, 0.3))), reference_quality=0.9)
    assert found.alarms.height >= 1
    assert found.streams["acceptable_failure_share"].item() == pytest.approx(0.12)


def test_a_short_history_is_not_watched_and_says_so():
    """Ten calls are no reference."""
    found = quality_alarms(scored([1.0] * 10))
    assert found.streams.select("reason", "alarm_count").row(0) == ("n_too_small", 0)
    assert quality_alarms(scored([None, 1.0])).alarms.is_empty()


@pytest.mark.parametrize("detector", DETECTORS)
def test_perfect_and_hopeless_references_do_not_break(detector):
    """0% and 100% failures have no variance."""
    for value in (0.0, 1.0):
        found = quality_alarms(scored([value] * 1_000), detector=detector)
        assert found.alarms.is_empty()
    assert quality_alarms(scored([0.0] * 100)).streams["reason"].item() == "not_identifiable"
    assert quality_alarms(scored([1.0] * 2_000 + [0.0] * 100), detector=detector).alarms.height


@pytest.mark.parametrize(
    "options",
    [{"by": "day"}, {"detector": "luck"}, {"days": 0}, {"reference_quality": 2}, {"tolerance": -1}],
)
def test_settings_that_mean_nothing_are_refused(options):
    """Each is named with what was expected."""
    with pytest.raises(SchemaError, match="expected"):
        quality_alarms(scored([1.0] * 40), **options)


def test_alarms_do_not_depend_on_the_order_of_rows():
    """A file may be written in any order."""
    scores = scored(history((3_000, 0.1), (1_000, 0.4)))
    mixed = scores.sample(fraction=1.0, shuffle=True, seed=2)
    assert quality_alarms(scores).alarms.equals(quality_alarms(mixed).alarms)
    assert isinstance(quality_alarms(scores).alarms, pl.DataFrame)
