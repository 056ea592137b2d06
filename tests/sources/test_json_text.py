import json

import pytest

from llmops_lib.sources.json_text import json_text, json_value


@pytest.mark.parametrize(
    "value",
    [
        "hello",
        '"quoted"',
        "{not json",
        '{"a": 1}',
        "[1, 2]",
        5,
        None,
        {"a": "\ud800"},
        {1: 2},
        float("nan"),
        2**70,
    ],
)
def test_what_comes_out_parses_and_goes_in_again_unchanged(value):
    """The rule is applied by readers and by the collector alike, so twice must be as good as once."""
    text = json_text(value)
    json.loads(text)
    assert json_text(text) == text or not text.startswith(("{", "[", '"'))


def test_json_objects_and_lists_stay_byte_for_byte():
    """Message lists come as text already, and rewriting them would only cost time."""
    text = '[ {"role": "user",  "parts": []} ]'
    assert json_text(text) is text


def test_a_number_in_text_is_text():
    """A prompt of "5" must not come back as the number 5."""
    assert json_text("5") == '"5"'


def test_lone_surrogates_in_json_text_are_replaced():
    """The text is legal for one parser and not for the next."""
    assert json_text('{"a": "x\\ud800"}') == '{"a":"x\ufffd"}'


def test_only_objects_and_lists_have_a_value():
    """Everything else is ordinary text, whatever it looks like."""
    assert json_value(' {"a": 1}') == {"a": 1}
    assert json_value([1]) == [1]
    assert [json_value(text) for text in ("12", "{", None, 5, "")] == [None] * 5
