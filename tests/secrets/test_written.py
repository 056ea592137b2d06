"""Keys in tables on their way to a disk: replaced, counted, and nothing else is touched."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.secrets import hide_secrets, secrets_hidden

KEY = "sk-proj-" + "aB3" * 12
OTHER = "hf_" + "Ab1" * 12
PEM = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 3 + "-----END PRIVATE KEY-----"


def test_texts_and_lists_of_texts_are_gone_through_and_keys_counted():
    """Each place counts, also where two rows hold the same text."""
    table = pl.DataFrame(
        {
            "input": [f"use {KEY}, then {OTHER} or {KEY}", f"use {OTHER}", f"use {OTHER}", None],
            "tags": [[KEY, "x"], ["y"], [], None],
            "input_tokens": [1, 2, 3, 4],
        }
    )
    hidden, count = secrets_hidden(table)
    assert hidden["input"].to_list() == [
        "use <SECRET_1>, then <SECRET_2> or <SECRET_1>",
        "use <SECRET_1>",
        "use <SECRET_1>",
        None,
    ]
    assert hidden["tags"].to_list() == [["<SECRET_1>", "x"], ["y"], [], None]
    assert (hidden["input_tokens"].to_list(), count, hidden.schema) == ([1, 2, 3, 4], 6, table.schema)


def test_columns_that_rows_are_joined_by_stay():
    """Two traces behind one placeholder would become one."""
    table = pl.DataFrame({"trace_id": [KEY], "name": [KEY]})
    assert secrets_hidden(table, but=frozenset({"trace_id"}))[0].row(0) == (KEY, "<SECRET_1>")


@pytest.mark.parametrize(
    "value",
    [
        [
            {"content": "-----BEGIN PRIVATE KEY----- is how they begin"},
            {"content": "and -----END PRIVATE KEY-----"},
        ],
        {"lines": PEM.split("\n"), "api_key": "aB3aB3aB3aB3", "note": 'ends in a \\" quote'},
        [{"content": f'He said: "-----BEGIN PRIVATE KEY-----\nMIIE\\"" and {KEY}'}],
        {"a": "-----BEGIN PRIVATE KEY-----", "b": {"c": ["x", 1, None]}},
    ],
)
def test_json_stays_json_of_the_same_shape(value):
    """Half a private key in one message must not swallow the quotes, and with them the next message."""
    hidden = json.loads(hide_secrets(json.dumps(value)))
    assert shape(hidden) == shape(value)
    assert "MIIE" not in json.dumps(hidden)
    assert KEY not in json.dumps(hidden)


def shape(value):
    """A JSON value without its texts."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "text" if isinstance(value, str) else value


PIECES = st.sampled_from(
    [KEY, PEM, PEM[:60], "-----END RSA PRIVATE KEY-----", '"', "\\", "password: ", "x", "\n"]
)


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.lists(PIECES, max_size=6).map(" ".join),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PIECES, inner, max_size=2),
        max_leaves=8,
    )
)
def test_whatever_stands_around_keys_json_stays_json(value):
    """A store whose messages no longer parse has lost them."""
    hidden = hide_secrets(json.dumps(value))
    json.loads(hidden)
    assert KEY not in hidden
    assert hide_secrets(hidden) == hidden


def test_what_litellm_calls_a_key_is_a_hash_and_tells_whose_the_calls_are():
    """Replaced in every row, the calls of all keys would be those of one."""
    text = json.dumps({"user_api_key": "42caa4ab" * 8, "api_key": "42caa4ab" * 8})
    assert json.loads(hide_secrets(text)) == {"user_api_key": "42caa4ab" * 8, "api_key": "<SECRET_1>"}
