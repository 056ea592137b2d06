"""Small simulated eval runs, two of a suite, for notebooks that are opened before there is one to read."""

from functools import cache
from pathlib import Path

from llmops_lib.chat import BASELINE_MODEL
from llmops_lib.demo.sample import sample_folder
from llmops_lib.evals.plan import plan_eval
from llmops_lib.evals.run import run_eval, write_run
from llmops_lib.evals.suites import load_suite
from llmops_lib.registry.folders import bundled_folder
from llmops_lib.registry.prompts import load_prompt
from llmops_lib.reruns.sample import answering

_PROMPT = "support_answer"
_RULES = ("3. If the question asks for something harmful", '- For "refused"')
"""Beginnings of the lines that say what must be refused."""


_QUALITY, _ATTACKS = "support_quality", "redteam"


@cache
def sample_eval_runs() -> tuple[Path, Path]:
    """A baseline and a candidate run of the bundled suite, in a folder that is removed when Python exits.

    The bundled extractive answerer answers both, at a temperature at which its trials disagree now and then;
    the candidate lacks the rule that says what must be refused.

    Returns:
        Scores of the baseline and of the candidate.
    """
    return _runs(_QUALITY, temperature="0.8", trials=2)


@cache
def sample_suite_run() -> Path:
    """One run of the bundled suite at temperature 0: the same scores every time; see `sample_eval_runs`."""
    return _runs(_QUALITY, temperature="0", trials=1)[0]


@cache
def sample_redteam_runs() -> tuple[Path, Path]:
    """The run before and the last run of a bundled red-team suite; see `sample_eval_runs`."""
    return _runs(_ATTACKS, temperature="0", trials=1)


def _runs(suite_name: str, *, temperature: str, trials: int) -> tuple[Path, Path]:
    folder = sample_folder()
    bundled = (bundled_folder("prompts") / f"{_PROMPT}.md").read_text(encoding="utf-8")
    text = bundled.replace("temperature: 0", f"temperature: {temperature}")
    rules = [line for line in text.splitlines(keepends=True) if not line.startswith(_RULES)]
    texts = {"sample-baseline": text, "sample-candidate": "".join(rules).replace(' | "refused"', "")}
    suite = load_suite(suite_name, folder=bundled_folder("evals"))
    written = []
    with answering(folder) as client:
        for name, content in texts.items():
            (folder / name).mkdir()
            (folder / name / f"{_PROMPT}.md").write_text(content, encoding="utf-8")
            prompt = load_prompt(_PROMPT, folder=folder / name)
            plan = plan_eval(suite, prompt, model=BASELINE_MODEL, trials=trials)
            written.append(write_run(run_eval(plan, client, run_id=name), folder / "runs"))
    return written[0], written[1]
