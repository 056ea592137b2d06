"""`llmops eval canary`: a provider that changed its model under the same name is found out."""

import json

import pytest

from tests.sources.fetch.conftest import reply, serve  # noqa: F401 - the fixture is used by name

OLDER, NEWER = "gpt-4o-mini-2024-07-18", "gpt-4o-mini-2026-11-20"


@pytest.fixture
def provider(serve, monkeypatch):  # noqa: F811 - a fixture that takes another
    """An endpoint whose alias is moved by a test; only the older model answers in the form asked for."""
    behind = {"model": OLDER}

    def completion(_):
        good = '{"status": "not_in_context", "answer": "This is not in the context.", "sources": []}'
        said = good if behind["model"] == OLDER else "I do not know."
        usage = {"prompt_tokens": 200, "completion_tokens": 20}
        choices = [{"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]
        return reply({"model": behind["model"], "choices": choices, "usage": usage})

    monkeypatch.setenv("OPENAI_BASE_URL", serve(completion).url)
    monkeypatch.setenv("LLMOPS_ALLOW_LOCAL", "1")
    return behind


@pytest.fixture
def canary(llmops, provider, tmp_path):  # noqa: ARG001 - it sets the endpoint
    """The command against that endpoint, with everything in one folder."""

    def run(*arguments):
        kept = ("--pinned", tmp_path / "pinned.parquet", "--out", tmp_path / "runs")
        chosen = ("support_quality", "--only", "number", "--model", "gpt-4o-mini")
        return llmops("eval", "canary", *chosen, *kept, *arguments)

    return run


def test_the_same_model_answers_as_when_it_was_pinned(canary):
    """A schedule that rings every night is switched off."""
    code, text, _ = canary("--pin")
    assert code == 0
    assert f"answered by {OLDER}" in text
    code, text, _ = canary("--json")
    told = json.loads(text)
    assert (code, told["verdict"]) == (0, "pass")
    assert told["pinned_models"] == told["response_models"] == [OLDER]


def test_another_model_and_worse_answers_are_both_told(canary, provider):
    """The provider moved the alias: the name of the model says so, and so do the cases."""
    assert canary("--pin", "--trials", "4")[0] == 0
    provider["model"] = NEWER
    code, text, _ = canary("--trials", "4")
    assert code == 1
    assert f"{NEWER} answers where {OLDER} did" in text
    assert "block: " in text


def test_a_prompt_that_changed_is_no_canary(canary):
    """What differs must be the provider's alone."""
    assert canary("--pin")[0] == 0
    code, _, error = canary("--model", "gpt-4o")
    assert code == 2
    assert "was pinned with model gpt-4o-mini and this run has gpt-4o" in error


def test_nothing_is_pinned_that_was_not_answered(llmops, serve, monkeypatch, tmp_path):  # noqa: F811 - as above
    """A pinned run with holes would call every later run better."""
    monkeypatch.setenv("OPENAI_BASE_URL", serve(lambda _: reply({"error": {"message": "no"}}, 401)).url)
    monkeypatch.setenv("LLMOPS_ALLOW_LOCAL", "1")
    pinned = tmp_path / "pinned.parquet"
    chosen = ("support_quality", "--only", "number", "--out", tmp_path / "runs", "--pinned", pinned)
    code, text, _ = llmops("eval", "canary", *chosen, "--pin")
    assert code == 1
    assert "nothing is pinned" in text
    assert not pinned.exists()
