import pytest

from llmops_lib.sources.attributes import SpanState, canonical_row
from llmops_lib.sources.failures import error_class


def _row(attributes, **keywords):
    return canonical_row(attributes, name="span", **keywords)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("openai.RateLimitError", "RateLimitError"),
        ("<class 'openai.RateLimitError'>", "RateLimitError"),
        ("pydantic_ai.exceptions.ModelHTTPError", "ModelHTTPError"),
        ("RateLimitError", "RateLimitError"),
        ("rate_limit_error", "rate_limit_error"),
        ("429", "429"),
        ("connection failed: api.example.com", "connection failed: api.example.com"),
        (None, None),
        ("", None),
        ("x" * 2_000, None),
    ],
)
def test_error_classes_have_no_module(raw, name):
    """Failures are grouped by class; the same one is written with and without its module."""
    assert error_class(raw) == name


@pytest.mark.parametrize(
    ("attributes", "keywords"),
    [
        ({}, {"state": SpanState(is_failed=True)}),
        ({"error.type": "TimeoutError"}, {}),
        ({"http.response.status_code": 429}, {}),
        ({"http.status_code": "500"}, {}),
        ({"langfuse.observation.level": "ERROR"}, {}),
        ({}, {"events": [{"name": "exception", "attributes": {"exception.type": "E"}}]}),
        ({}, {"events": [{"name": "exception", "attributes": {}}]}),
    ],
)
def test_any_sign_of_failure_counts(attributes, keywords):
    """No instrumentation sets all of them, and some set only one."""
    assert _row(attributes, **keywords)["is_error"] is True


@pytest.mark.parametrize(
    "attributes", [{}, {"http.response.status_code": 200}, {"langfuse.observation.level": "WARNING"}]
)
def test_a_span_without_signs_succeeded(attributes):
    """An unset status is the ordinary one."""
    row = _row(attributes)
    assert row["is_error"] is False
    assert row.get("error_message") is None


def test_the_exception_explains_more_than_the_status():
    """The status repeats it with decoration."""
    exception = {"exception.type": "openai.RateLimitError", "exception.message": "slow down"}
    row = _row(
        {},
        events=[{"name": "exception", "attributes": exception}],
        state=SpanState(is_failed=True, message="RateLimitError: slow down"),
    )
    assert (row["error_type"], row["error_message"]) == ("RateLimitError", "slow down")


def test_the_last_exception_ended_the_span():
    """Earlier ones were retried."""
    events = [{"name": "exception", "attributes": {"exception.type": name}} for name in ("First", "Last")]
    assert _row({}, events=events)["error_type"] == "Last"


def test_a_status_that_no_server_sends_is_kept_aside():
    """Browsers write 0 for a request that never arrived; the span itself is good."""
    row = _row({"http.response.status_code": 0})
    assert row["http_status"] is None
    assert row["attributes"]["http.response.status_code"] == 0
