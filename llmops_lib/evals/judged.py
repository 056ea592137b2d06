"""Graders that ask a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops_lib.evals.graders.answers import Graded, Verdict
from llmops_lib.evals.judge import Ask, judge
from llmops_lib.evals.suites import Grader
from llmops_lib.registry.prompts import Prompt, load_prompt

JUDGES = ("judge_correctness", "judge_faithfulness")
"""Kinds of graders that ask a model; each is the name of its prompt too."""


@dataclass(frozen=True)
class Judges:
    """What asks a model for verdicts.

    Attributes:
        ask: Makes the calls.
        model: Model that judges.
        key: Secret that nonces are made with.
        folder: Folder of the prompts of the judges; that of the library when None.
    """

    ask: Ask
    model: str
    key: bytes
    folder: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What must be the same in two runs that are compared."""
        hashes = {kind: self._prompt(kind).prompt_hash for kind in JUDGES}
        return {"judge_model": self.model, "judge_prompts": hashes}

    def verdicts(self, grader: Grader, graded: Sequence[Graded]) -> list[Verdict | None]:
        """What the model says of answers; None where a case does not say what it needs.

        Args:
            grader: Its settings: `field` of the answer, and `context`, the input that holds the passages.
            graded: The answers.
        """
        items = [_ITEMS[grader.kind](one, grader.settings) for one in graded]
        asked = [one for one in items if one is not None]
        judgement = judge(self.ask, self._prompt(grader.kind), asked, model=self.model, key=self.key)
        said = iter(judgement.verdicts)
        return [None if one is None else next(said) for one in items]

    def _prompt(self, kind: str) -> Prompt:
        return load_prompt(kind, folder=self.folder)


def _correctness(graded: Graded, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    expected = graded.case.expected.answer
    if expected is None:
        return None
    question = graded.case.inputs.get(str(settings.get("question", "question")), "")
    return {
        "question": str(question),
        "expected": expected,
        "candidate": graded.words(settings.get("field")),
    }


def _faithfulness(graded: Graded, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    if graded.case.expected.status not in (None, "answered"):
        return None
    passages = graded.passages(str(settings.get("context", "passages")))
    return {"passages": passages, "candidate": graded.words(settings.get("field"))}


_ITEMS = {"judge_correctness": _correctness, "judge_faithfulness": _faithfulness}
