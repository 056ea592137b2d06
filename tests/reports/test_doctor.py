"""`llmops doctor`: what is wrong with an installation is found, and no key is shown."""

import json

import pytest

from llmops_lib.reports import doctor

KEY = "sk-abcdefghijklmnop1234"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Puts the metadata of a package in front of what is installed."""

    def put(name, version):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (folder / "METADATA").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)

    return put


@pytest.mark.usefixtures("no_running_loop")
def test_a_sound_installation_has_no_problem_and_runs_a_notebook(llmops, monkeypatch, tmp_path):
    """Whoever installed it wants one word; a script wants JSON."""
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    code, out, _ = llmops("doctor", "--json", "--output", tmp_path / "reports")
    told = json.loads(out)
    assert (code, told["is_sound"]) == (0, True), out
    names = [
        "python",
        "packages",
        "known holes",
        "kernel",
        "reports folder",
        "price list",
        "endpoint",
        "policy",
    ]
    assert [check["name"] for check in told["checks"]][:8] == names
    assert "a notebook ran" in told["checks"][3]["found"]
    assert not (tmp_path / "reports").exists()


def test_a_package_with_a_known_hole_is_a_problem_with_its_reason(installed):
    """An old parser in the environment is open to every text in a report."""
    installed("mistune", "3.2.0")
    check = doctor._floors()
    assert check.status == "problem"
    assert "mistune 3.2.0: CVE-2026-33079" in check.found
    assert "'mistune>=3.3.4'" in check.advice


def test_a_package_older_than_this_project_needs_is_a_problem(installed):
    """Half an upgrade fails in the middle of a report."""
    installed("polars", "1.0.0")
    check = doctor._packages()
    assert check.status == "problem"
    assert "polars 1.0.0, expected >=2" in check.found


def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path):
    """A report would fail after its minutes of work."""
    (tmp_path / "file").write_text("")
    assert doctor._folder(tmp_path / "file" / "reports").status == "problem"
    assert doctor._folder(tmp_path / "new" / "reports").status == "ok"


def test_a_refused_endpoint_is_a_problem_and_the_key_is_not_shown(monkeypatch):
    """What the doctor says is pasted into chats."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://{KEY}.example.com/v1")
    check = doctor._endpoint()
    assert check.status == "problem"
    assert KEY not in f"{check}"


def test_an_endpoint_that_is_set_is_named_and_the_key_is_not_shown(monkeypatch):
    """Which endpoint would be called is the question; nothing is sent to find out."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("LLMOPS_ALLOW_LOCAL", "1")
    check = doctor._endpoint()
    assert (check.status, check.found) == ("ok", "127.0.0.1:9 with a key; not contacted")


def test_a_policy_that_cannot_be_read_is_a_problem(monkeypatch, tmp_path):
    """Nothing would be sent anywhere."""
    (tmp_path / "policy.yaml").write_text("endpoints: 7", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert doctor._policy().status == "problem"
