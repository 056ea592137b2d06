"""The columnar pass before the search for keys: it may let through too much, and never too little."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.secrets import find_secrets
from llmops_lib.secrets.patterns import SECRET_PATTERNS
from llmops_lib.secrets.suspects import may_hold_secret, suspects


def is_suspect(text):
    """Whether a text is searched at all."""
    table = pl.DataFrame({"text": [text]})
    held = table.filter(may_hold_secret(pl.col("text")))["text"]
    return suspects(held).len() == 1


@pytest.mark.parametrize("pattern", SECRET_PATTERNS, ids=lambda pattern: pattern.rule)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_a_pattern_finds_is_looked_at(pattern, data):
    """A key that the first pass misses is written to the store."""
    text = data.draw(st.from_regex(pattern.regex)).encode("utf-8", "replace").decode()
    if find_secrets(text):
        assert is_suspect(text)


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("sk-proj_aB3\u200b\uff53\ufe0f\U0001f600 \n\"'=:\\")))
def test_characters_that_nobody_sees_hide_no_key_from_the_first_pass(text):
    """A zero-width space in a key is gone once somebody copies it."""
    if find_secrets(text):
        assert is_suspect(text)


def test_every_labelled_key_is_looked_at(shared):
    """Formats that nobody thought of while writing the first pass."""
    for name in ("secrets_labelled", "secrets_detect_secrets_tests"):
        lines = (shared / "corpora" / f"{name}.jsonl").read_text().splitlines()
        rows = [json.loads(row) for row in lines]
        texts = [row.get("wrap", "{}").replace("{}", "".join(row["parts"])) for row in rows]
        found = [text for text in texts if find_secrets(text)]
        assert len(found) > 30
        assert [text for text in found if not is_suspect(text)] == []


def test_prose_about_keys_and_emoji_are_not_searched():
    """The search itself costs a hundred times as much as the first pass."""
    prose = (
        "My api key: none. The password is wrong, and my secret: well, I forgot it.",
        "Thanks! \u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467",
        '{"gen_ai.usage.input_tokens": 12, "token": "", "max_tokens": 4096, "key": "a"}',
        "a task-oriented disk-space risk-assessment at https://example.com/a/b:c?d=e",
    )
    assert [text for text in prose if is_suspect(text)] == []
