"""Payloads as names of files and folders, as cells and as endpoints: nothing leads elsewhere."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from llmops_lib import ingest, load_prompt, load_suite, write_csv
from llmops_lib.endpoints.addresses import checked_address
from llmops_lib.errors import EndpointError, LlmopsError
from llmops_lib.evals.run import EvalRun, write_run
from llmops_lib.evals.runs import run_name
from llmops_lib.reports.publish import folder_name
from llmops_lib.reruns.files import write_rerun
from llmops_lib.reruns.plan import SKIPPED_SCHEMA
from llmops_lib.reruns.run import Rerun
from llmops_lib.schema import SCORES
from tests.conftest import PROJECT
from tests.payloads import OWN
from tests.reports.hostile import payloads, write_hostile
from tests.test_spreadsheets import ACTIVE, read_back

TEXTS = list(dict.fromkeys(payloads(PROJECT)))
NO_SCORES = pl.DataFrame(schema=SCORES.polars_schema)
_seen: list[list[str]] = []


def _hook(event: str, arguments: tuple) -> None:
    if _seen and event in {"open", "os.mkdir", "os.rename", "os.remove", "os.symlink", "os.listdir"}:
        _seen[-1].append(os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else "")


sys.addaudithook(_hook)


@contextmanager
def touched() -> Iterator[list[str]]:
    """Paths that Python opens, makes, renames, lists or removes in the block."""
    _seen.append([])
    try:
        yield _seen[-1]
    finally:
        _seen.pop()


def use(name: str, folder: Path) -> None:
    """Every use of a name that a file of somebody else may bring along."""
    run = EvalRun(name, NO_SCORES, 0, 0, 0, None)
    rerun = Rerun(name, NO_SCORES, NO_SCORES, pl.DataFrame(schema=SKIPPED_SCHEMA), {})
    uses = (
        lambda: write_run(run, folder / "runs"),
        lambda: write_rerun(rerun, folder / "reruns"),
        lambda: (folder / "periods" / folder_name(name)).mkdir(parents=True, exist_ok=True),
        lambda: (folder / "periods" / folder_name(run_name(name))).mkdir(parents=True, exist_ok=True),
        lambda: load_prompt(name, folder=folder / "prompts"),
        lambda: load_suite(name, folder=folder / "suites"),
    )
    for one in uses:
        try:
            one()
        except LlmopsError:
            continue


def test_no_payload_as_a_name_leads_out_of_its_folder(tmp_path, tried):
    """Run ids, periods, prompts and suites are named in files that anybody may have written."""
    for kind in ("prompts", "suites"):
        (tmp_path / kind).mkdir()
    with touched() as paths:
        for name in TEXTS:
            use(name, tmp_path)
    root = str(tmp_path.resolve())
    outside = {path for path in paths if path and not os.path.realpath(path).startswith(root)}
    # Looking for the repository of a folder of prompts, and the modules that a first use imports.
    outside = {
        path for path in outside if "llmops-was-here" in path or "passwd" in path or "boot.ini" in path
    }
    assert outside == set()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "periods",
        "prompts",
        "reruns",
        "runs",
        "suites",
    ]
    tried("names of runs, periods, prompts and suites", TEXTS)


def test_an_export_may_be_called_anything_and_its_store_holds_nothing_but_itself(tmp_path):
    """Files of a store are called by their content."""
    names = [name for name in TEXTS if fits(name)][:15]
    exports = tmp_path / "exports"
    exports.mkdir()
    whole = write_hostile(tmp_path / "one.jsonl", ["a"]).read_text("utf-8").splitlines()
    for number, name in enumerate(names):
        (exports / f"{name}.jsonl").write_text(whole[0].replace('"a"', f'"a{number}"') + "\n", "utf-8")
    report = ingest(sorted(exports.iterdir()), tmp_path / "store")
    assert report.rows_read == len(names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exports", "one.jsonl", "store"]
    stored = [path.name for path in (tmp_path / "store").rglob("*")]
    assert [name for name in names if len(name) > 3 and any(name in one for one in stored)] == []


def fits(name: str) -> bool:
    """Whether a file can be called so here, and no pattern is meant by it."""
    shortest, most = 1, 200
    is_plain = not set(name) & set("/\x00*?[") and name not in {".", ".."} and name == name.strip()
    return is_plain and shortest <= len(name.encode(errors="replace")) <= most and "\ud800" not in name


def test_no_payload_is_a_formula_in_a_cell_or_a_header(tmp_path, tried):
    """A spreadsheet runs what it takes for one, on the machine of whoever opens it."""
    texts = [text.encode(errors="replace").decode() for text in TEXTS]
    table = pl.DataFrame({"text": texts}).with_columns(pl.Series(texts).alias(text) for text in texts[:60])
    write_csv(table, tmp_path / "t.csv")
    header, *rows = read_back(tmp_path / "t.csv")
    assert [row[0].removeprefix("'") for row in rows] == texts
    for cell in (*header, *(row[0] for row in rows)):
        assert not cell.strip(" \u200b\ufeff\u00a0\x01").startswith(ACTIVE), cell
    tried("cells of CSV", TEXTS)


@pytest.mark.parametrize("address", OWN["endpoint"], ids=ascii)
def test_no_endpoint_of_ours_is_allowed_or_looked_up(address):
    """Each leads to this machine, to a service inside, or to a host that only looks known."""
    asked = []
    with pytest.raises(EndpointError):
        checked_address(address, resolve=lambda host: asked.append(host) or ["127.0.0.1"])
    assert asked == []
