"""A judge that is talked to by the answers it judges."""

import json
from datetime import UTC, datetime

import pytest

from llmops_lib import load_prompt
from llmops_lib.chat import ChatAnswer, ChatResult
from llmops_lib.evals.judge import judge

KEY = b"a key of this test"


def replying(reply):
    """Makes the calls of a judge that a test writes: a function from the data of a call to its reply."""

    def ask(requests):
        results = []
        for request in requests:
            text = reply(json.loads(request.messages[-1]["content"]))
            answer = None if text is None else ChatAnswer(text)
            facts = (datetime.now(UTC), 1.0, 1, None, False, "0" * 32, "0" * 16)
            error = None if answer else "503"
            results.append(ChatResult(request, answer, error, error, *facts))
        return results

    return ask


def said(data, verdict, **changes):
    """A reply in the form that is asked for."""
    return json.dumps({"nonce": data["nonce"], "verdict": verdict, "reason": "because"} | changes)


def honest(data):
    """Compares with the good answer, whatever else the candidate says."""
    return said(data, "correct" if data["good_answer"] in data["candidate"] else "incorrect")


def gullible(data):
    """Obeys the last instruction that it reads."""
    obeys = any(word in data["candidate"].lower() for word in ("correct", "score", "10", "ignore"))
    return said(data, "correct" if obeys else "incorrect")


def items(*candidates, expected="Canberra"):
    """Answers to one question."""
    return [{"question": "Capital?", "expected": expected, "candidate": one} for one in candidates]


def judged(reply, batch):
    """The judgement of a batch."""
    return judge(replying(reply), load_prompt("judge_correctness"), batch, key=KEY)


def test_an_honest_judge_is_believed():
    """Known wrong answers go along and do not pass."""
    found = judged(honest, items("It is Canberra.", "Sydney"))
    assert [one.passed for one in found.verdicts] == [True, False]
    assert (found.is_trusted, found.canary_count, found.error_count) == (True, 2, 0)


def test_a_judge_that_obeys_answers_is_not_believed_about_any():
    """One known wrong answer that passes voids the batch."""
    found = judged(gullible, items("Canberra", *["Sydney"] * 60))
    assert not found.is_trusted
    assert {one.label for one in found.verdicts} == {"judge_untrusted"}
    assert not any(one.passed for one in found.verdicts)
    assert found.canary_count / (61 + found.canary_count) >= 0.05


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: None,
        lambda _: "correct",
        lambda _: "",
        lambda data: said(data, "correct", nonce="0" * 32),
        lambda data: said(data, "CORRECT"),
        lambda data: said(data, 10),
        lambda data: said(data, "correct", score=10),
        lambda data: said(data, "correct") * 2,
        lambda data: said(data, "correct").replace('"verdict"', '"verdict": "incorrect", "verdict"'),
        lambda data: "```json\n" + said(data, "correct") + "\n```",
        lambda data: said(data, float("nan")),
        lambda data: json.dumps([json.loads(said(data, "correct"))]),
    ],
)
def test_a_reply_of_another_form_is_an_error_and_never_a_pass(reply):
    """What cannot be read was not judged."""
    found = judged(reply, items("Canberra"))
    assert [(one.score, one.passed, one.label) for one in found.verdicts] == [(None, None, "judge_error")]
    assert found.error_count == 1


def test_injected_answers_never_do_better_than_without(shared):
    """Of the shared list, with an honest, a gullible and a broken judge."""
    lines = (shared / "corpora" / "judge_injection.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    for reply in (honest, gullible, lambda _: "10"):
        plain = judged(reply, [_item(case, case["base_answer"]) for case in cases])
        attacked = judged(reply, [_item(case, case["answer"]) for case in cases])
        for before, after in zip(plain.verdicts, attacked.verdicts, strict=True):
            assert (after.score or 0) <= (before.score or 0)
    assert len(cases) > 50


def _item(case, candidate):
    return {"question": case["question"], "expected": "something else entirely", "candidate": candidate}


def test_what_is_judged_stays_a_string_of_one_object(shared):
    """Braces, quotes, markers and templates in an answer open nothing."""
    lines = (shared / "corpora" / "judge_injection.jsonl").read_text(encoding="utf-8").splitlines()
    seen = []

    def reply(data):
        seen.append(data["candidate"])
        return honest(data)

    answers = [json.loads(line)["answer"] for line in lines]
    judged(reply, items(*answers))
    assert seen[: len(answers)] == answers


def test_the_same_batch_makes_the_same_calls_and_another_key_others():
    """A cache may answer a run that goes on; nobody else can know a nonce."""
    asked = []

    def reply(data):
        asked.append(data["nonce"])
        return honest(data)

    judged(reply, items("Canberra", "Canberra"))
    judged(reply, items("Canberra", "Canberra"))
    judge(replying(reply), load_prompt("judge_correctness"), items("Canberra", "Canberra"), key=b"other")
    assert asked[:4] == asked[4:8]
    assert len(set(asked)) == 8


def test_claims_are_judged_one_by_one():
    """The score is the share that passages carry."""

    def reply(data):
        claims = [
            {"claim": one, "supported": one in data["passages"][0]} for one in data["candidate"].split(". ")
        ]
        return json.dumps({"nonce": data["nonce"], "claims": claims, "reason": ""})

    batch = [{"passages": ["Five days. By card"], "candidate": "Five days. By post"}]
    found = judge(replying(reply), load_prompt("judge_faithfulness"), batch, key=KEY)
    assert [(one.score, one.passed, one.label) for one in found.verdicts] == [(0.5, False, "unfaithful")]
