"""From inputs that a suite lacks to cases that a reviewer may finish; a suite is never changed by itself."""

from hashlib import sha256
from pathlib import Path

import orjson
import polars as pl

from llmops_lib.calls.scripts import scripts
from llmops_lib.errors import SuiteError
from llmops_lib.evals.cases import read_cases
from llmops_lib.evals.suites import SUITE_FILE, Suite
from llmops_lib.safety import mask_text
from llmops_lib.whole_files import write_whole

FIELD = "question"
"""Input of a prompt that users write, where no other is named."""

_MOST_CHARACTERS = 300


def suite_inputs(suite: Suite, *, field: str = FIELD) -> pl.DataFrame:
    """What users write in the cases of a suite, masked and cut as `with_input_text` does it.

    Args:
        suite: The suite.
        field: Input of its prompt that users write.

    Returns:
        One row per case: `case_id`, `text`.

    Raises:
        SuiteError: If no case has such an input that is a text; the message lists the inputs there are.
    """
    written = [
        (case.id, case.inputs[field]) for case in suite.cases if isinstance(case.inputs.get(field), str)
    ]
    if not written:
        there = sorted({name for case in suite.cases for name in case.inputs})
        msg = f"suite {suite.name}: no case has a text as input {field!r}; expected one of {there}"
        raise SuiteError(msg)
    rows = [(name, mask_text(str(text), limit=_MOST_CHARACTERS)) for name, text in written]
    return pl.DataFrame(rows, schema={"case_id": pl.String, "text": pl.String}, orient="row")


def case_traits(suite: Suite, *, field: str = FIELD, documents: str = "passages") -> pl.DataFrame:
    """What the cases of a suite are like besides their topic, for `trait_shifts`.

    Args:
        suite: The suite.
        field: Input of its prompt that users write.
        documents: Input of its prompt that lists what a retrieval found.

    Returns:
        One row per case: `case_id`, `unit` (the case), `script`, `document_count`; null where a case has no
        such input. `called_tools`, `tool_call_count`, `retrieval_count` and `offered_tools` are null: a case
        does not say what an application does around its prompt.
    """
    rows = [
        (
            case.id,
            case.id,
            text if isinstance(text := case.inputs.get(field), str) else None,
            _length(case.inputs.get(documents)),
        )
        for case in suite.cases
    ]
    columns = {"case_id": pl.String, "unit": pl.String, "text": pl.String, "document_count": pl.Int64}
    cases = pl.DataFrame(rows, schema=columns, orient="row")
    names, count = pl.lit(None, pl.List(pl.String)), pl.lit(None, pl.Int64)
    return cases.with_columns(
        scripts(cases["text"]).alias("script"),
        called_tools=names,
        offered_tools=names,
        tool_call_count=count,
        retrieval_count=count,
    ).drop("text")


def write_candidates(proposals: pl.DataFrame, path: str | Path, *, field: str = FIELD) -> int:
    """Writes proposed inputs as cases without an expected answer, for review, and returns how many.

    Texts are masked; what a good answer must say, and further inputs of the prompt, are for a reviewer. A
    file of cases of a suite is refused: whoever adds to a suite does it by hand, with a new version.

    Args:
        proposals: `proposals` of `input_drift`.
        path: JSON Lines file, overwritten.
        field: Input of the prompt that users write.

    Raises:
        SuiteError: If the file lies in the folder of a suite, or cannot be written.
    """
    target = Path(path)
    if (target.parent / SUITE_FILE).exists():
        msg = f"{target}: lies in a suite, which is never changed by itself; give a path outside of it"
        raise SuiteError(msg)
    # Masked and cut, two texts may be one.
    cases = {case["id"]: case for case in (_case(row, field) for row in proposals.iter_rows(named=True))}
    content = b"".join(orjson.dumps(case) + b"\n" for case in cases.values())
    if cases:
        read_cases(content, str(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, lambda beside: beside.write_bytes(content))
    except OSError as error:
        msg = f"{target}: cannot be written ({error.strerror}); give another path"
        raise SuiteError(msg) from error
    return len(cases)


def _length(documents: object) -> int | None:
    return len(documents) if isinstance(documents, list | tuple) else None


def _case(row: dict[str, object], field: str) -> dict[str, object]:
    text = mask_text(str(row["text"]), limit=_MOST_CHARACTERS)
    return {
        "id": f"candidate-{sha256(text.encode()).hexdigest()[:12]}",
        "inputs": {field: text},
        "expected": {},
        "tags": ["candidate"],
        "note": f"From production, masked; topic: {row['terms']}. A reviewer says what a good answer is.",
    }
