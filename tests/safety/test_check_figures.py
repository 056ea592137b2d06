import json
from collections import Counter

import pytest

from llmops_lib.safety import find_sensitive
from llmops_lib.safety.filters import check
from llmops_lib.safety.injection import injection_flags
from llmops_lib.safety.word_lists import banned_flags, toxicity_flags
from tests.cpu_times import fastest_s, grows_linearly

PERSONAL = {
    "EMAIL": "EMAIL", "EMAIL_ADDRESS": "EMAIL", "PHONE": "PHONE", "PHONE_NUMBER": "PHONE",
    "CARD": "CARD", "CREDIT_CARD": "CARD", "IBAN": "IBAN", "IBAN_CODE": "IBAN", "IP": "IP",
    "IP_ADDRESS": "IP", "SSN": "SSN", "US_SSN": "SSN",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(shared):
    """Rows of a corpus by its name."""

    def read(name):
        path = shared / "corpora" / f"{name}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    return read


def share_flagged(rows, flags):
    """Share of rows with at least one flag."""
    return sum(any(True for _ in flags(row["text"])) for row in rows) / len(rows)


@pytest.mark.parametrize("name", ["pii_traces", "pii_labelled"])
def test_a_gate_lets_little_personal_data_through(rows, name):
    """Recall of at least 0.88, at a precision that leaves most ids alone."""
    counts = Counter()
    for row in rows(name):
        wanted = [(start, end, PERSONAL[kind]) for start, end, kind in row["spans"] if kind in PERSONAL]
        places = find_sensitive(row["text"], mode="gate", has_secrets=False)
        for start, end, kind in wanted:
            counts["wanted"] += 1
            counts["met"] += any(p.kind == kind and p.start < end and start < p.end for p in places)
        for place in places:
            counts["found"] += 1
            counts["right"] += any(
                place.kind == k and place.start < e and s < place.end for s, e, k in wanted
            )
    assert counts["met"] / counts["wanted"] >= 0.88
    assert counts["right"] / counts["found"] >= 0.75


def test_keys_of_another_projects_tests_are_found(rows):
    """Formats by other makers than ours: most of them, among strings that their makers call no keys."""
    found = Counter()
    for row in rows("secrets_detect_secrets_tests"):
        is_found = any(place.kind == "SECRET" for place in find_sensitive("".join(row["parts"])))
        found[row["label"], is_found] += 1
    assert found[1, True] / (found[1, True] + found[1, False]) >= 0.85


def test_signs_of_injection_are_a_flag_with_few_false_alarms(rows):
    """Half of public attacks at least, and at most one in a hundred ordinary texts."""
    assert share_flagged(rows("prompt_injection"), injection_flags) >= 0.5
    ordinary = [*rows("xstest_prompts"), *rows("pii_traces"), *rows("pii_labelled")]
    assert share_flagged(ordinary, injection_flags) <= 0.01
    assert share_flagged(rows("benign_lookalikes"), injection_flags) <= 0.2


def test_banned_requests_are_a_flag_with_few_false_alarms(rows):
    """Unsafe requests rather than safe ones that look like them."""
    prompts = rows("xstest_prompts")
    unsafe = [row for row in prompts if row["label"] == "unsafe"]
    safe = [row for row in prompts if row["label"] == "safe"]
    assert share_flagged(rows("redteam_harmful_requests"), banned_flags) >= 0.6
    assert share_flagged(unsafe, banned_flags) >= 0.3
    assert share_flagged(safe, banned_flags) <= 0.05


def test_offensive_words_trip_the_wire_and_ordinary_texts_do_not(rows):
    """A tripwire: what it finds of toxic beginnings is a lower bound, and small."""
    assert share_flagged(rows("toxic_prompts"), toxicity_flags) >= 0.08
    assert share_flagged([*rows("pii_traces"), *rows("xstest_prompts")], toxicity_flags) <= 0.02


def test_a_gate_reads_at_least_fifty_thousand_characters_a_second(rows):
    """A gate stands before every call; it reads ten times as much, and the bound is for slow machines too."""
    text = "\n".join(row["text"] for row in rows("pii_traces"))
    documents = [text[at : at + 2_000] for at in range(0, len(text), 2_000)]
    taken_s = fastest_s(lambda: [find_sensitive(document, mode="gate") for document in documents])
    assert len(text) / taken_s >= 50_000


HOSTILE = [
    "+", "a@", "1", "1 ", "(1", "1.", ":", "0:", "-----BEGIN PRIVATE KEY-----", "sk-",
    "eyJaaaaaaaaaaaa.", "://a:", "password=", "GB82", "4111 ", "ignore all previous ",
    "you are now no ", "show your ", "how do i kill ", "\uff41\u200b@", "what is my system ",
    "act as an amoral ", "0163 496 0754 ", "2025550143 ", "fuck ", "AKCa", "decode a ",
    "answer in two ", "<system>", "\U000e0041", "from now on, ", "Bearer ", "no a b ", "i am the ",
]  # fmt: skip


def test_many_different_numbers_are_looked_up_in_time():
    """Each of them is held to several numbering plans, and none is known from before."""
    text = " ".join(f"0{number * 7919 % 900_000_000 + 100_000_000}" for number in range(1_900))[:20_000]
    find_sensitive("0285983803", mode="gate")
    assert fastest_s(lambda: find_sensitive(text, mode="gate"), runs=1) < 0.3


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_filter_takes_more_than_linear_time(piece):
    """An attacker chooses the text, and a gate stands before every call."""

    def checked(length):
        text = (piece * length)[:length]
        check(text, system_prompt="one two three four five six seven eight nine", given=text[:2_000])

    assert grows_linearly(checked, length=2_500)
