"""How good production was, from a judged sample, a judge that errs, and a few labels."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from llmops_lib.errors import SchemaError
from llmops_lib.frames import by_columns
from llmops_lib.sampling.estimates import ESTIMATES_SCHEMA, Group, estimated, finished
from llmops_lib.sampling.labels import LabelsFrom, calibration_of, judged_calls

GROUPS = ("day", "feature", "tenant", "tenant_tier", "risk_flag", "stratum", "prompt_version", "model")
"""What quality can be estimated by."""


def quality_estimate(  # noqa: PLR0913 - two tables, and what must be said of them
    scores: Any,
    labels: Any = None,
    *,
    by: str | Sequence[str] = (),
    labels_from: LabelsFrom = "sample",
    scorer: str = "",
    alpha: float = 0.05,
) -> pl.DataFrame:
    """The share of good answers, weighted to all traffic and corrected for the judge's errors, per group.

    The mean of a judge is no quality: over what a sample can tell, its interval may miss the truth nearly
    always. So labels correct it, and a row without them says `judge score`. Weights are one over the
    chances of the sample (Hajek); calls of one user are alike, so errors sum up by user.

    - 100 labels or more that are a random part of the judged calls: PPI++.
    - Labels of a calibration set, and in a group with fewer labels those of the whole sample: Rogan and
      Gladen with Lang and Reiczigel's interval. It assumes the judge to pass good answers, and to fail bad
      ones, as often in every group; it needs 30 good and 30 bad labelled calls and a judge that tells them
      apart (lower limit of sensitivity + specificity - 1 above 0.3).
    - Else the labels alone, and how many are missing.

    Args:
        scores: SCORES of `llmops eval judge`, of one judge, on any engine.
        labels: What people say: `example_id`, `score` from 0 (bad) to 1 (good), such as `load_scores` reads;
            from elsewhere with `judge_score`, the judge's of the same call. None: there are none.
        by: Any of `day` (UTC), `feature`, `tenant`, `tenant_tier`, `risk_flag`, `stratum`,
            `prompt_version`, `model`; one row for all without.
        labels_from: `sample` for a random part of these calls, `elsewhere` for a calibration set.
        scorer: Scorer whose scores count; may be left out where there is one only.
        alpha: One minus the confidence level.

    Returns:
        One row per group, in their order: `by`, `what` (`quality` or `judge score`), `value`, `lower`,
        `upper`, `standard_error`, `method` (`ppi++`, `lang_reiczigel`, `wilson`, `hajek`), `judge_score`
        (weighted, uncorrected), `judged_count`, `unjudged_count`, `labelled_count`, `unit_count` (users, or
        sessions, or traces), `effective_count` (equally weighted calls that these are worth; below 30 there
        is no interval), `tuning` (weight of the judge in PPI++), `missing_label_count` (until 100), `reasons`
        (why a number is missing, or what to bear in mind).

    Raises:
        SchemaError: If scores have no chances or several judges, labels do not fit, or `by` is unknown.

    Source:
        Hajek (1971); Angelopoulos et al. (arXiv:2301.09633, arXiv:2311.01453); Rogan and Gladen (1978); Lang
        and Reiczigel (2014).
    """
    keys = by_columns(by)
    unknown = [key for key in keys if key not in GROUPS]
    if unknown:
        msg = f"found by={unknown}, expected any of {', '.join(GROUPS)}"
        raise SchemaError(msg)
    calls = judged_calls(scores, labels, scorer=scorer, labels_from=labels_from)
    calibration = calibration_of(labels, calls, labels_from)
    parts = calls.partition_by(keys, as_dict=True, maintain_order=True) if keys else {(): calls}
    # A few dozen groups, each with a rule of its own.
    rows = [
        dict(zip(keys, names, strict=True))
        | finished(estimated(Group(part, calibration, bool(keys) or labels_from == "elsewhere", alpha)))
        for names, part in parts.items()
    ]
    schema = pl.Schema([*((key, pl.String) for key in keys), *ESTIMATES_SCHEMA.items()])
    return (
        pl.DataFrame(rows, schema=schema).sort(keys, nulls_last=True) if keys else pl.DataFrame(rows, schema)
    )
