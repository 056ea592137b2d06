"""Feedback of users is kept apart from the verdicts of evaluators."""

import pytest

from llmops_lib.sources.attributes import canonical_row
from llmops_lib.sources.feedback import event_feedback


def evaluation(name, value):
    """An evaluation event as OpenTelemetry names it."""
    attributes = {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": value}
    return {"name": "gen_ai.evaluation.result", "attributes": attributes}


def test_the_last_feedback_of_a_span_counts():
    """A user may change their mind."""
    assert event_feedback([evaluation("user_feedback", 0), evaluation("user_feedback", 1)]) == 1.0


@pytest.mark.parametrize(
    "event",
    [
        evaluation("faithfulness", 1),
        evaluation("user_feedback", True),
        evaluation("user_feedback", "up"),
        evaluation(None, 1),
        {"name": "gen_ai.evaluation.result"},
        {"name": "exception", "attributes": {}},
    ],
)
def test_other_events_are_no_feedback(event):
    """The score of a judge is not what a user thought."""
    assert event_feedback([event]) is None


def test_feedback_reaches_the_row_and_its_event_is_kept():
    """Nothing of the event is lost: its label and explanation stay in the attributes."""
    row = canonical_row(
        {"gen_ai.operation.name": "chat"}, name="chat", events=[evaluation("user_feedback", 1)]
    )
    assert row["feedback_score"] == 1.0
    assert row["attributes"]["otel.events"][0]["name"] == "gen_ai.evaluation.result"
