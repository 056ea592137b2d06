"""The class of an exception told from the text of its traceback."""

import pytest

from llmops_lib.sources.tracebacks import error_class_of

HEAD = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    call()\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HEAD}openai.RateLimitError: 429", "RateLimitError"),
        (f"{HEAD}KeyError: 'x'\n", "KeyError"),
        (f"{HEAD}StopIteration", "StopIteration"),
        (f"{HEAD}ValueError: first\nDetails: second", "ValueError"),
        (f"{HEAD}Down:\nmore", "Down"),
        ("ValueError: no", "ValueError"),
        ("APITimeoutError('late')", "APITimeoutError"),
        ("Note: no class here", None),
        ("it went wrong", None),
        (HEAD, None),
        ("", None),
    ],
)
def test_the_class_is_that_of_the_exception(text, expected):
    """Lines of the message are not the class, and prose names none."""
    assert error_class_of(text) == expected
