"""Names that become files and folders: no name leads out of its folder, and one error says what is wrong."""

import polars as pl
import pytest

from llmops_lib import load_prompt, load_suite
from llmops_lib.errors import SuiteError
from llmops_lib.evals.plan import plan_eval
from llmops_lib.evals.run import EvalRun, run_eval, write_run
from llmops_lib.registry.names import checked_run_id
from llmops_lib.reruns.drawing import DrawnCalls
from llmops_lib.reruns.files import write_rerun
from llmops_lib.reruns.plan import SKIPPED_SCHEMA, RerunPlan
from llmops_lib.reruns.run import Rerun, run_rerun
from llmops_lib.schema import SCORES

NO_SCORES = pl.DataFrame(schema=SCORES.polars_schema)
REFUSED = (
    *("", ".", "..", "../out", "/out", "a/b", "a\\b", "C:x", "\\\\host\\share\\x", "~", "-rf", ".hidden"),
    *("con", "AUX.txt", "nul", "a.", "a ", "a\x00b", "a\nb", "..%2fout", "\uff0e\uff0e\uff0fout", "a\u202eb"),
    *("x" * 201, "{run_id.__class__}", "s3://bucket/key", "caf\u00e9"),
)


@pytest.mark.parametrize("run_id", REFUSED, ids=ascii)
def test_a_run_id_that_cannot_name_a_folder_is_refused_where_it_is_written(run_id, tmp_path):
    """A run may be named by a script, by a file of scores, or by whoever calls the library."""
    own = tmp_path / "runs"
    run = EvalRun(run_id, NO_SCORES, 0, 0, 0, None)
    rerun = Rerun(run_id, NO_SCORES, NO_SCORES, pl.DataFrame(schema=SKIPPED_SCHEMA), {})
    for write in (lambda: write_run(run, own), lambda: write_rerun(rerun, own)):
        with pytest.raises(SuiteError, match=r"run id .*expected 1 to 200 letters"):
            write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("run_id", ["a", "A-1", "suite_a-prompt-5af1-20261102T100000", "v1.2", "x" * 200])
def test_a_plain_run_id_names_its_folder(run_id, tmp_path):
    """Including those that this project makes."""
    assert checked_run_id(run_id, SuiteError) == run_id
    written = write_run(EvalRun(run_id, NO_SCORES, 0, 0, 0, None), tmp_path)
    assert written.parent.parent == tmp_path
    assert {path.name for path in written.parent.iterdir()} == {"scores.jsonl", "scores.parquet"}


def test_a_refused_run_id_costs_no_call():
    """What cannot be written must not be paid for; without a client, any call would fail otherwise."""
    prompt = load_prompt("support_answer")
    asked = plan_eval(load_suite("support_quality"), prompt, model="a")
    none = pl.DataFrame(schema=SKIPPED_SCHEMA)
    again = RerunPlan(prompt, prompt, (), none, DrawnCalls(none, 0, 0))
    for run, plan in ((run_eval, asked), (run_rerun, again)):
        with pytest.raises(SuiteError, match=r"run id '\.\./out'"):
            run(plan, None, run_id="../out")
