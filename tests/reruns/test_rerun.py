"""Real calls made again, old and new side by side, over a real connection to the bundled answerer."""

import json

import polars as pl
import pytest

from llmops_lib import (
    draw_calls,
    load_policy,
    load_prompt,
    load_rerun,
    load_traces,
    plan_rerun,
    rerun_changes,
    rerun_effects,
    run_rerun,
    version_in_force,
    write_rerun,
)
from llmops_lib.errors import PromptError, SuiteError
from tests.reruns.conftest import LATER, PROMPT, message

QUESTIONS = [{"question": f"Do you sell green coffee at {hour}?"} for hour in range(12)]


@pytest.fixture
def versions(write, commit):
    """The version in force and a later one that is not committed."""
    folder = write(PROMPT)
    commit("first")
    write(LATER)
    return load_prompt("faq@HEAD", folder=folder), load_prompt("faq", folder=folder)


def drawn(spans, **options):
    """Calls drawn from a table."""
    return draw_calls(spans.lazy(), prompt_name="faq", **options)


def test_both_versions_answer_the_same_calls_and_the_files_load_again(versions, recorded, client, tmp_path):
    """The whole way: draw, read back, make again, grade, write, compare."""
    old, new = versions
    spans = recorded(old, QUESTIONS)
    assert version_in_force(spans.lazy(), "faq", folder=old.path.parent).prompt_hash == old.prompt_hash
    plan = plan_rerun(drawn(spans, prompt_hash=old.prompt_hash), old, new)
    assert {json.dumps(dict(pair.inputs)) for pair in plan.pairs} == {json.dumps(one) for one in QUESTIONS}
    with client(spans_file=tmp_path / "spans.jsonl") as caller:
        done = run_rerun(plan, caller)
    assert done.facts["is_simulated"]
    assert (done.facts["call_count"], done.facts["failed_count"]) == (24, 0)
    loaded = load_rerun(write_rerun(done, tmp_path / "reruns"))
    assert loaded.old.equals(done.old)
    assert loaded.new.equals(done.new)
    changes = rerun_changes(loaded.old, loaded.new)
    assert set(changes["old_output"]) == {"This is not in the context."}
    assert set(changes["new_output"]) == {"We sell tea and green coffee."}
    calls = load_traces(tmp_path / "spans.jsonl")
    assert set(calls["prompt_hash"]) == {old.prompt_hash, new.prompt_hash}
    assert set(calls["feature"]) == {"rerun"}


def test_old_and_new_are_sent_in_turn(versions, recorded):
    """A slow minute of the provider must not hit one version only."""
    plan = plan_rerun(drawn(recorded(versions[0], QUESTIONS[:2])), *versions)
    first, second = plan.pairs
    assert plan.requests == [first.old, first.new, second.new, second.old]


def test_a_rerun_that_was_stopped_pays_for_the_missing_calls_only(versions, recorded, client, tmp_path):
    """What was answered is paid for."""
    plan = plan_rerun(drawn(recorded(versions[0], QUESTIONS)), *versions)

    def interrupt(done, *_):
        if done == 6:
            raise KeyboardInterrupt

    with client(cache=tmp_path, concurrency=1) as caller, pytest.raises(KeyboardInterrupt):
        run_rerun(plan, caller, on_call=interrupt)
    kept = len(list(tmp_path.rglob("*.json")))
    with client(cache=tmp_path) as caller:
        done = run_rerun(plan, caller)
    assert 6 <= kept < 24
    assert done.facts["cached_count"] == kept


def test_calls_that_nothing_changes_for_are_made_once(versions, recorded, client, write):
    """Two answers to one text would show the noise of the model as an effect of the prompt."""
    old, _ = versions
    folder = write(
        PROMPT.replace("{{ question }}", "{{ question }}{% if question == 'Why?' %} Be kind.{% endif %}")
    )
    plan = plan_rerun(
        drawn(recorded(old, [*QUESTIONS[:3], {"question": "Why?"}])), old, load_prompt("faq", folder=folder)
    )
    assert (sum(pair.is_same for pair in plan.pairs), len(plan.requests)) == (3, 5)
    with client() as caller:
        done = run_rerun(plan, caller)
    assert done.facts["same_request_count"] == 3
    assert rerun_effects(done.old, done.new).filter(metric="latency_ms")["pair_count"].item() == 4


def test_what_the_policy_replaces_is_replaced_for_both_versions(versions, recorded, client, tmp_path):
    """Recorded texts hold personal data; a policy that says so keeps it here."""
    own = tmp_path / "policy.yaml"
    purposes = {"rerun": {"classes": {"personal": "redact", "SECRET": "block", "MEDIA": "block"}}}
    rule = {"name": "here", "hosts": ["loopback"], "region": "here", "purposes": purposes}
    own.write_text(json.dumps({"filters": {"personal": "gate"}, "endpoints": [rule]}), encoding="utf-8")
    plan = plan_rerun(drawn(recorded(versions[0], [{"question": "Am I ann@example.com?"}])), *versions)
    with client(policy=load_policy(own), spans_file=tmp_path / "spans.jsonl") as caller:
        done = run_rerun(plan, caller)
    assert done.facts["failed_count"] == 0
    assert "ann@example.com" not in (tmp_path / "spans.jsonl").read_text("utf-8")


def test_equal_calls_of_two_users_are_two_calls(versions, recorded):
    """One answer for both would count one draw of the model twice."""
    plan = plan_rerun(drawn(recorded(versions[0], [QUESTIONS[0]] * 2)), *versions)
    assert [pair.old.trial for pair in plan.pairs] == [0, 1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"input": None, "system_instructions": None}, "its messages are not recorded"),
        (
            {"input": json.dumps([message("user", "Something else")])},
            "its text is not what this version makes",
        ),
        ({"input": json.dumps([{"role": "user", "parts": [{"type": "image"}]}])}, "holds more than text"),
        ({"input": json.dumps([{"role": "tool", "parts": []}])}, "messages of tools"),
    ],
)
def test_a_call_that_cannot_be_read_back_is_listed_with_its_reason(changes, reason, versions, recorded):
    """It is counted, and never guessed."""
    spans = pl.concat(
        [recorded(versions[0], QUESTIONS), recorded(versions[0], QUESTIONS[:1], trace_id="ff", **changes)]
    )
    plan = plan_rerun(drawn(spans), *versions)
    assert len(plan.pairs) == 12
    assert plan.skipped["trace_id"].to_list() == ["ff"]
    assert reason in plan.skipped["reason"].item()


def test_recorded_variables_go_before_what_the_text_says(versions, recorded):
    """OpenInference records the inputs themselves, also where messages are left out."""
    stated = json.dumps({"llm.prompt_template.variables": json.dumps({"question": "Open?"})})
    flat = json.dumps({"llm.prompt_template.variables.question": "Open?"})
    for attributes in (stated, flat):
        spans = recorded(
            versions[0], QUESTIONS[:1], input=None, system_instructions=None, attributes=attributes
        )
        (pair,) = plan_rerun(drawn(spans), *versions).pairs
        assert pair.inputs == {"question": "Open?"}
        assert pair.new.messages[1]["content"] == "Question:\nOpen?"


def test_later_messages_of_a_conversation_are_sent_as_they_were(versions, recorded):
    """A prompt makes the beginning; what was said since belongs to the call."""
    asked = [
        message("user", "Question:\nOpen?"),
        message("assistant", "At nine."),
        message("user", "And tea?"),
    ]
    (pair,) = plan_rerun(
        drawn(recorded(versions[0], QUESTIONS[:1], input=json.dumps(asked))), *versions
    ).pairs
    assert [one["content"] for one in pair.new.messages[1:]] == ["Question:\nOpen?", "At nine.", "And tea?"]


def test_an_input_that_only_the_new_version_has_is_given_and_not_guessed(versions, recorded, write):
    """The old text cannot tell it."""
    old, _ = versions
    text = PROMPT.replace("{{ question }}", "{{ question }} ({{ tone }})").replace(
        "properties: {question: {type: string}}",
        "properties: {question: {type: string}, tone: {type: string}}",
    )
    new = load_prompt("faq", folder=write(text))
    with pytest.raises(PromptError, match="does not tell tone"):
        plan_rerun(drawn(recorded(old, QUESTIONS)), old, new)
    plan = plan_rerun(drawn(recorded(old, QUESTIONS[:1])), old, new, given={"tone": "formal"})
    assert plan.pairs[0].new.messages[1]["content"].endswith("(formal)")


def test_a_prompt_against_itself_is_refused(versions, recorded):
    """There is nothing to compare, and calls would cost."""
    with pytest.raises(PromptError, match="nothing to compare"):
        plan_rerun(drawn(recorded(versions[0], QUESTIONS)), versions[0], versions[0])


def test_calls_of_the_version_in_force_only_are_drawn_where_calls_say_their_version(versions, recorded):
    """Another version made other texts."""
    old, new = versions
    spans = pl.concat([recorded(old, QUESTIONS), recorded(new, QUESTIONS[:5])])
    found = drawn(spans, prompt_hash=old.prompt_hash)
    assert (found.found_count, found.other_version_count) == (12, 5)
    assert set(found.calls["prompt_hash"]) == {old.prompt_hash}


def test_calls_without_a_prompt_are_drawn_by_feature(versions, recorded):
    """Many exports record no prompt at all."""
    spans = recorded(versions[0], QUESTIONS, prompt_name=None, prompt_hash=None)
    with pytest.raises(PromptError, match=r"carries the prompt 'faq'.*features: 'faq'"):
        drawn(spans)
    assert drawn(spans, features=["faq"]).found_count == 12
    with pytest.raises(PromptError, match="--against"):
        version_in_force(spans.lazy(), "faq", folder=versions[0].path.parent)


def test_a_folder_that_holds_no_rerun_is_named(tmp_path):
    """A wrong path is the usual reason."""
    with pytest.raises(SuiteError, match=r"holds no whole rerun.*rerun\.json"):
        load_rerun(tmp_path)
