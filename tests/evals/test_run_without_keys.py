"""Keys planted in the environment, in cases and in what a server answers: an eval run writes none."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.evals.conftest import CASES, suites, write
from tests.registry.conftest import PROMPT, commit, prompts
from tests.sources.fetch.conftest import reply, serve

__all__ = ["commit", "prompts", "serve", "suites", "write"]

pytestmark = pytest.mark.usefixtures("no_running_loop")


def planted(name: str) -> str:
    """A key of a published format, put together here so that no scanner takes it for a real one."""
    return "sk-" + "proj-" + f"{name}9Zq" * 6


ENVIRONMENT, PROMPTED, RAISED = (planted(name) for name in ("Env", "Prm", "Err"))
KEYS = {"environment": ENVIRONMENT, "prompt": PROMPTED, "exception": RAISED}


def contents(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file below a folder as text, Parquet files unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            yield str(path.relative_to(folder)), pl.read_parquet(path).write_json()
        elif path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes().decode("utf-8", "replace")


def found(folder: Path) -> dict[str, set[str]]:
    """Which files hold which planted key."""
    texts = list(contents(folder))
    return {what: {name for name, text in texts if key in text} for what, key in KEYS.items()}


@pytest.fixture
def told(llmops, tmp_path, monkeypatch):
    """Runs commands in a folder of their own, under a planted key, and keeps what they say."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", ENVIRONMENT)
    monkeypatch.setenv("LLMOPS_ALLOW_LOCAL", "1")
    monkeypatch.setenv("LLMOPS_AUDIT", str(tmp_path / "out" / "audit"))
    said = []

    def run(*arguments):
        code, out, err = llmops(*arguments)
        said.extend((out, err))
        return code

    run.said = said
    return run


@pytest.fixture
def suite(told, write, prompts, monkeypatch):  # noqa: ARG001 - changes the folder first
    """A suite whose cases hold a planted key, where the command finds it."""
    (prompts / "faq.md").write_text(PROMPT)
    write([case | {"inputs": {"question": f"{case['id']}\n{PROMPTED}?"}} for case in CASES])
    monkeypatch.chdir(prompts.parent)


@pytest.mark.usefixtures("suite")
def test_no_planted_key_is_in_what_an_eval_run_writes(told, answerer, serve, monkeypatch, tmp_path):
    """Not where a call is answered, and not where a server repeats the key in its refusal."""
    wrong = {"error": {"message": f"wrong key {ENVIRONMENT}, {RAISED}"}}
    refusing = serve(lambda _: reply(wrong, status=401))
    out = tmp_path / "out"
    for name, url, code in (("answered", answerer.url, 0), ("refused", refusing.url, 1)):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        folders = ("--out", out / name, "--cache", out / name / "kept")
        assert told("eval", "run", "small", *folders, "--json") == code
    assert found(out) == {what: set() for what in KEYS}
    assert not [what for what, key in KEYS.items() if key in "".join(told.said)]
    scores = pl.read_parquet(next(out.rglob("scores.parquet")))
    assert json.loads(scores["input"][0])["question"] == "a\n<SECRET_1>?"
    assert len(refusing.asked) > 0
    assert PROMPTED in str(refusing.asked[0].body)
