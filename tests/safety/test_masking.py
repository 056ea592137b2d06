import json
from collections import Counter

import polars as pl
import pytest

from llmops_lib.errors import SchemaError
from llmops_lib.safety import find_sensitive, mask_column, mask_text
from tests.cpu_times import fastest_s, grows_linearly

PERSONAL = {
    "EMAIL": "EMAIL",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE": "PHONE",
    "PHONE_NUMBER": "PHONE",
    "CARD": "CARD",
    "CREDIT_CARD": "CARD",
    "IBAN": "IBAN",
    "IBAN_CODE": "IBAN",
    "IP": "IP",
    "IP_ADDRESS": "IP",
    "SSN": "SSN",
    "US_SSN": "SSN",
}


def key(*parts):
    """Pieces of a made-up key, joined only here so that secret scanners pass over this file."""
    return "".join(parts)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to ann.lee+x@mail.example.com.", "write to <EMAIL_1>."),
        ("call +44 20 7946 0958 today", "call <PHONE_1> today"),
        ("(0115) 496 0754", "<PHONE_1>"),
        ("reach me at 0163 496 0754", "reach me at <PHONE_1>"),
        ("tel: 4960754", "tel: <PHONE_1>"),
        ("202-555-0143 ext. 12", "<PHONE_1>"),
        ("card 4111 1111 1111 1111", "card <CARD_1>"),
        ("amex 3782 822463 10005", "amex <CARD_1>"),
        ("pay to GB82 WEST 1234 5698 7654 32 NOW", "pay to <IBAN_1> NOW"),
        ("pay to gb82west12345698765432 now", "pay to <IBAN_1> now"),
        ("from 203.0.113.9:443", "from <IP_1>:443"),
        ("from 2001:db8::8a2e:370:7334", "from <IP_1>"),
        ("SSN 123-45-6789", "SSN <SSN_1>"),
    ],
)
def test_personal_data_becomes_a_placeholder_of_its_kind(text, masked):
    """A reader must see that a value stood there and what kind it was, never the value."""
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "trace 3997dc217def19e7eca5b533a39d8130 took 1751602551 ms",
        "start_time_unix_nano=1773578999532516145",
        "card 4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "version 1.2.3.4, see section 10.1.2.3",
        "listening on 127.0.0.1 and ::1, slice a[::2]",
        "called at 1700000000 and on 2026-11-09 10:00",
        "total 1 234 567 890 rows, +1 000 000 more",
        "uuid 7e3172db-3a8f-4c6c-8f22-411111111111",
        "000-12-3456 and 2024-2025 budget 100-200-3000",
        "def f(a@b): pass",
        "password must be at least 12 characters",
        "api_key=os.environ['OPENAI_API_KEY'], or sk-...",
        "Authorization: Bearer <token>",
        "sk-learn-pipeline-with-a-very-long-name",
    ],
)
def test_ids_times_and_prose_stay_readable(text):
    """A report that hides its own ids and numbers cannot be checked against the traces."""
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        key("sk-", "proj-", "Ab3" * 12),
        key("sk-", "ant-api03-", "Zx9_" * 10),
        key("AKIA", "Q3EGRK7Z2M4N5P6T"),
        key("ghp", "_", "a1B2" * 9),
        key("github", "_pat_", "a1B2" * 9),
        key("AIza", "b2C" * 12),
        key("xoxb", "-1234567890-", "abcDEF123"),
        key("hf", "_", "QwErTyUiOp" * 4),
        key("gsk", "_", "a1B2c3" * 9),
        key("sk-", "lf-", "50c5061d-501b-57be-19da-c9082bfa46a0"),
        key("pk-", "lf-", "50c5061d-501b-57be-19da-c9082bfa46a1"),
        key("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NSJ9", ".c2lnbmF0dXJlLXBhcnQ"),
        key("-----BEGIN RSA ", "PRIVATE KEY-----\nMIIEpAIBAAK\n-----END RSA ", "PRIVATE KEY-----"),
    ],
)
def test_keys_in_published_formats_are_hidden(secret):
    """One key shown in a shared report is a leaked key."""
    assert mask_text(f'key="{secret}" please debug') == 'key="<SECRET_1>" please debug'


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password = 'dutMgdl44fE!'", "password = '<SECRET_1>'"),
        (r"{\"api_key\": \"a1b2c3d4e5f6\"}", r"{\"api_key\": \"<SECRET_1>\"}"),
        ("AZURE_API_KEY=a1b2c3d4e5f6", "AZURE_API_KEY=<SECRET_1>"),
        ("postgres://svc:25icGvY82@db.example:5432/x", "postgres://svc:<SECRET_1>@db.example:5432/x"),
        ("Authorization: Bearer BWorWR6M2NpJtfKIgV", "Authorization: Bearer <SECRET_1>"),
    ],
)
def test_values_behind_a_word_for_a_secret_are_hidden(text, masked):
    """Passwords have no format of their own; the word before them gives them away."""
    assert mask_text(text) == masked


def test_a_private_key_without_its_end_is_hidden_all_the_same():
    """Attributes are often cut by an exporter, and half a key is still a key."""
    assert mask_text(key("-----BEGIN ", "PRIVATE KEY-----\nMIIEpAIBAAK\nabc")) == "<SECRET_1>"


def test_a_value_after_an_escaped_newline_is_found():
    r"""Message columns hold JSON, where the `n` of `\n` would else glue itself to the number."""
    assert mask_text(r'{"content":"me:\n+44 20 7946 0958"}') == r'{"content":"me:\n<PHONE_1>"}'


def test_equal_values_share_a_number_within_one_text():
    """A conversation stays readable when one can tell that both lines speak of the same person."""
    text = "ann@example.com, bob@example.com, Ann@example.com, 203.0.113.9"
    assert mask_text(text) == "<EMAIL_1>, <EMAIL_2>, <EMAIL_1>, <IP_1>"


def test_a_number_broken_over_lines_is_hidden():
    """Collapsing white space after the search would put the digits together again."""
    assert mask_text("4111 1111\n1111\t1111") == "<CARD_1>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("a\ud800b", "a\\ud800b"),
        ("safe\rEVIL\n\n  x\u2028y", "safe EVIL x y"),
        ("Grüße, 価格 \U0001f600", "Grüße, 価格 \U0001f600"),
    ],
)
def test_control_and_bidirectional_characters_become_visible(text, shown):
    """An unseen character can reorder, hide or forge what a reader believes to read."""
    assert mask_text(text) == shown


def test_a_long_text_is_cut_to_the_limit_with_an_ellipsis():
    """A table cell has room for a glance, and the reader must see that there is more."""
    assert mask_text("ab" * 300, limit=10) == "ababababa…"


def test_a_text_of_exactly_the_limit_is_not_cut():
    """An ellipsis where nothing is missing would be a lie."""
    assert mask_text("x" * 10, limit=10) == "x" * 10


@pytest.mark.parametrize("lead", [3, 70, 79, 80, 81, 90])
def test_no_part_of_a_value_survives_at_the_edge_of_the_window(lead):
    """Only the head of a long prompt is searched; a key across its edge must not lose its tail."""
    secret = key("sk-", "proj-", "Ab3" * 100)
    shown = mask_text("<" * lead + " " + secret + " tail" * 100, limit=10)
    assert "Ab3" not in shown


def test_a_prompt_of_megabytes_takes_no_longer_than_its_head():
    """Prompts of a megabyte exist, and a report shows the first line of many; searched whole it takes 2 s."""
    assert fastest_s(lambda: mask_text("hello, world " * 200_000)) < 0.6


def test_a_column_keeps_its_name_length_and_nulls():
    """Null means unknown, not an empty message."""
    masked = mask_column(pl.Series("input", ["to ann@example.com", None, "hi  there"]))
    assert masked.name == "input"
    assert masked.to_list() == ["to <EMAIL_1>", None, "hi there"]


def test_a_column_that_is_not_text_is_refused():
    """Masking a number column would turn it into text unseen."""
    with pytest.raises(SchemaError, match="column 'cost_usd' holds Float64, expected String"):
        mask_column(pl.Series("cost_usd", [1.5]))


HOSTILE = [
    "+", "a", "@", "a@", "1", "1 ", "1-", ":", "1.", "-----BEGIN PRIVATE KEY-----", "sk-", "eyJ",
    "eyJaaaaaaaaaaaa.", "://a:", "password=", "Bearer ", "GB82", "(123)", "tel 1234567 ", "call me at ",
    "0:", "a@a.", "\\n", "4111 ", "_key:", "0123456789abcdef", "SG.aaaaaaaaaaaaaaaaaaaa.", " ", "\u202e",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_repetition_is_searched_in_linear_time(piece):
    """A user of the observed application chooses the text; it must not be able to stop a report."""
    assert grows_linearly(lambda length: find_sensitive((piece * length)[:length]), length=2_500)
    assert grows_linearly(lambda length: mask_text((piece * length)[:length]), length=2_500)


def _rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _overlap_counts(rows):
    counts = Counter()
    for row in rows:
        wanted = [(start, end, PERSONAL[kind]) for start, end, kind in row["spans"] if kind in PERSONAL]
        found = [(place.start, place.end, place.kind) for place in find_sensitive(row["text"])]
        found = [place for place in found if place[2] != "SECRET"]

        def is_met(place, others):
            return any(
                kind == place[2] and start < place[1] and place[0] < end for start, end, kind in others
            )

        counts["wanted"] += len(wanted)
        counts["recalled"] += sum(is_met(place, found) for place in wanted)
        counts["found"] += len(found)
        counts["right"] += sum(is_met(place, wanted) for place in found)
    return counts


@pytest.mark.parametrize("name", ["pii_traces", "pii_labelled"])
def test_personal_data_is_found_with_few_false_alarms(shared, name):
    """The figures that a report may state about its masking: precision 0.95 at recall 0.80."""
    counts = _overlap_counts(_rows(shared / "corpora" / f"{name}.jsonl"))
    assert counts["right"] / counts["found"] >= 0.95
    assert counts["recalled"] / counts["wanted"] >= 0.80


def test_secrets_are_found_without_alarms_on_ids_and_hashes(shared):
    """A missed key leaks; an alarm on every trace id would make people switch masking off."""
    counts = Counter()
    for row in _rows(shared / "corpora" / "secrets_labelled.jsonl"):
        text = row["wrap"].replace("{}", "".join(row["parts"]))
        is_found = any(place.kind == "SECRET" for place in find_sensitive(text))
        counts[row["label"], is_found] += 1
    assert counts[1, True] / (counts[1, True] + counts[1, False]) >= 0.98
    assert counts[0, True] / (counts[0, True] + counts[0, False]) <= 0.01


@pytest.mark.parametrize("name", ["pii_traces", "benign_lookalikes", "xstest_prompts"])
def test_ordinary_texts_hold_no_secrets(shared, name):
    """Ordinary questions and log lines are what reports are full of."""
    texts = [row.get("text") or row.get("prompt") for row in _rows(shared / "corpora" / f"{name}.jsonl")]
    alarms = [text for text in texts if any(place.kind == "SECRET" for place in find_sensitive(text))]
    assert len(alarms) <= 0.01 * len(texts)


def test_naughty_strings_never_break_masking(shared):
    """Whatever stands in a trace, the report must be written."""
    for row in _rows(shared / "corpora" / "naughty_strings.jsonl"):
        shown = mask_text(row["text"])
        assert len(shown) <= 200
        assert shown.isprintable()
