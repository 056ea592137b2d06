"""Two small simulated eval runs for a notebook that is opened before there is one to read."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from llmops_lib.chat import BASELINE_MODEL
from llmops_lib.evals.plan import plan_eval
from llmops_lib.evals.run import run_eval, write_run
from llmops_lib.evals.suites import load_suite
from llmops_lib.registry.folders import bundled_folder
from llmops_lib.registry.prompts import load_prompt
from llmops_lib.reruns.sample import answering

_SUITE, _PROMPT = "support_quality", "support_answer"
_TRIALS = 2
_RULES = ("3. If the question asks for something harmful", '- For "refused"')
"""Beginnings of the lines that say what must be refused."""


@cache
def sample_eval_runs() -> tuple[Path, Path]:
    """A baseline and a candidate run of the bundled suite, in a folder that is removed when Python exits.

    The bundled extractive answerer answers both, at a temperature at which its trials disagree now and then;
    the candidate lacks the rule that says what must be refused.

    Returns:
        Scores of the baseline and of the candidate.
    """
    folder = Path(tempfile.mkdtemp(prefix="llmops-sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    bundled = (bundled_folder("prompts") / f"{_PROMPT}.md").read_text(encoding="utf-8")
    text = bundled.replace("temperature: 0", "temperature: 0.8")
    rules = [line for line in text.splitlines(keepends=True) if not line.startswith(_RULES)]
    texts = {"sample-baseline": text, "sample-candidate": "".join(rules).replace(' | "refused"', "")}
    suite = load_suite(_SUITE, folder=bundled_folder("evals"))
    written = []
    with answering(folder) as client:
        for name, content in texts.items():
            (folder / name).mkdir()
            (folder / name / f"{_PROMPT}.md").write_text(content, encoding="utf-8")
            prompt = load_prompt(_PROMPT, folder=folder / name)
            plan = plan_eval(suite, prompt, model=BASELINE_MODEL, trials=_TRIALS)
            written.append(write_run(run_eval(plan, client, run_id=name), folder / "runs"))
    return written[0], written[1]
