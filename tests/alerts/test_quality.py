"""A drop of quality pages once, however long it lasts."""

import pytest

from llmops_lib import check_alerts, load_alert_rules
from llmops_lib.errors import AlertError
from tests.alerts.conftest import export, rules
from tests.measures.judged import START, scored
from tests.measures.test_quality_alarms import history

__all__ = ["export", "rules"]

OF_CALLS = dict.fromkeys(("window", "above_share", "min_calls"))


@pytest.fixture
def judged(tmp_path):
    """Writes judged calls: 10% fail for 25 days, then, for some days, half of those of one feature."""

    def write(days):
        half = history((50 * days, 0.5), seed=3)
        scores = history((2_500 + 100 * days, 0.1), seed=4)
        scores[2_501::2] = half
        features = ["a" if number % 2 else "b" for number in range(len(scores))]
        scored(scores, feature=features).write_parquet(tmp_path / "scores.parquet")

    return write


def test_a_drop_is_told_once_and_by_the_feature_that_dropped(export, rules, judged, tmp_path):
    """Every day of a drop raises another alarm; nobody wants another page."""
    path = rules(kind="quality", scores="scores.parquet", by="feature", ends_after="2d", **OF_CALLS)
    calls = export([False], start=START)
    for days, told in ((0, 0), (5, 1), (6, 1), (12, 1)):
        judged(days)
        outcome = check_alerts(calls, path)
        assert (len(outcome.episodes), len(outcome.sent)) == (told, int(days == 5))
    (line,) = (tmp_path / "told.jsonl").read_text().splitlines()
    assert "judged calls where" in line
    assert "365 days apart" in line


@pytest.mark.parametrize("changed", [{"scores": None}, {"where": {"tenant": "x"}}, {"by": "user_id"}])
def test_a_rule_of_quality_says_which_scores(rules, changed):
    """A rule that watches nothing would never tell so."""
    path = rules(**{"kind": "quality", "scores": "scores.parquet", "by": None, **OF_CALLS, **changed})
    with pytest.raises(AlertError, match="quality"):
        load_alert_rules(path)
