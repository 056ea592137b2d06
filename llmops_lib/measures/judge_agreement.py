"""Whether a judge says what people say: agreement beyond chance, and where it errs."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from llmops_lib.errors import ParameterError
from llmops_lib.frames import by_columns, collected, narwhal
from llmops_lib.stats.judge_error import MIN_YOUDEN, Calibration, corrected_share
from llmops_lib.stats.kappa import ASYMPTOTIC_FROM, agreement, kappa_bootstrap, rating_table
from llmops_lib.stats.proportions import wilson
from llmops_lib.stats.results import Interval

_NEAR_ONE = 0.9
_SCHEMA = pl.Schema(
    {
        "measure": pl.String,
        "value": pl.Float64,
        "se": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "count": pl.Int64,
        "of_count": pl.Int64,
        "method": pl.String,
        "note": pl.String,
    }
)
Row = dict[str, Any]


def judge_agreement(
    rated: Any, *, positive: str | Sequence[str] = ("pass",), ignored: str | Sequence[str] = ()
) -> pl.DataFrame:
    """How far a judge agrees with people's labels of the same answers, one row per measure.

    Read kappa beside the raw agreement and AC1: where nearly all answers are alike it is near zero however
    well the two agree. A judge is of use where the lower limit of Youden's J is above 0.3.

    Args:
        rated: One row per answer with `verdict` (of the judge) and `label` (of people), text, on any engine;
            a row that lacks one is left out and counted.
        positive: Labels and verdicts that count as positive, all others as negative; none to compare every
            category with every other.
        ignored: Labels whose answers are left out and counted, such as one for undecided.

    Returns:
        In this order: `n`; the cells of the confusion matrix (`confusion: label L, judge V`); `prevalence`;
        `agreement`; where there is a positive side `sensitivity`, `specificity`, `precision`, `youden_j`;
        `kappa`; `ac1`; `kappa_quadratic` where categories are more than two numbers. Columns `measure`,
        `value`, `se`, `lower`, `upper` (95%), `count` of `of_count`, `method` of the interval, `note`.

    Raises:
        ParameterError: If a column is missing, or nothing is labelled or judged as positive.

    Source:
        Cohen 1960; Fleiss, Cohen and Everitt 1969; Gwet 2008; BCa bootstrap below 100 answers or above a
        kappa of 0.9: Efron 1987; Wilson 1927; Youden, Cancer 3 (1950).

    Example:
        >>> rated = pl.DataFrame({"verdict": ["pass", "pass", "fail", "fail"] * 10,
        ...                       "label": ["pass", "fail", "fail", "fail"] * 10})
        >>> found = judge_agreement(rated)
        >>> found.filter(pl.col("measure").is_in(["agreement", "kappa"])).select("measure", "value").rows()
        [('agreement', 0.75), ('kappa', 0.5)]
    """
    rated, positive, ignored = (
        collected(narwhal(rated).to_native()),
        by_columns(positive),
        by_columns(ignored),
    )
    missing = sorted({"verdict", "label"} - set(rated.columns))
    if missing:
        msg = f"found no column {', '.join(missing)}; expected `verdict` and `label`, one row per answer"
        raise ParameterError(msg)
    kept = rated.select(pl.col("label", "verdict").cast(pl.String)).drop_nulls()
    known = kept.filter(~pl.col("label").is_in(ignored))
    _check_positive(known, positive)
    told = f"{rated.height - kept.height} without a label or a verdict, {kept.height - known.height} ignored"
    sides = known.select(_sided(positive, name) for name in ("label", "verdict")) if positive else known
    rows = [_row("n", float(known.height), count=known.height, of_count=rated.height, note=told)]
    if known.height:
        rows += [
            *_confusion(sides),
            *_prevalence(sides, positive),
            *_agreed(sides),
            *_errors(sides, positive),
        ]
        rows += _chance_corrected(sides)
    return pl.DataFrame(rows, schema=_SCHEMA)


def _check_positive(known: pl.DataFrame, positive: Sequence[str]) -> None:
    found = {*known["label"], *known["verdict"]}
    if positive and not found & set(positive) and not found <= {"pass", "fail"}:
        msg = f"found no label or verdict {' or '.join(positive)}; there are {', '.join(sorted(found))}"
        raise ParameterError(msg)


def _sided(positive: Sequence[str], name: str) -> pl.Expr:
    is_positive = pl.col(name).is_in(list(positive))
    return pl.when(is_positive).then(pl.lit("positive")).otherwise(pl.lit("negative")).alias(name)


def _row(measure: str, value: float | None, interval: Interval | None = None, **rest: Any) -> Row:
    row = {"measure": measure, "value": value, **rest}
    if interval is not None:
        reasons = ", ".join(reason.value for reason in interval.reasons)
        row |= {"lower": interval.lower, "upper": interval.upper, "method": interval.method}
        row |= {"note": reasons} if reasons else {}
    return row


def _share(measure: str, count: int, of_count: int) -> Row:
    value = count / of_count if of_count else None
    return _row(measure, value, wilson(count, of_count), count=count, of_count=of_count)


def _confusion(sides: pl.DataFrame) -> Iterator[Row]:
    names = sorted({*sides["label"], *sides["verdict"]})
    counts = {(label, verdict): count for label, verdict, count in sides.group_by(sides.columns).len().rows()}
    for label in names:
        for verdict in names:
            count = counts.get((label, verdict), 0)
            told = f"confusion: label {label}, judge {verdict}"
            yield _row(told, count / sides.height, count=count, of_count=sides.height)


def _prevalence(sides: pl.DataFrame, positive: Sequence[str]) -> Iterator[Row]:
    counts = dict(sides.group_by("label").len().rows())
    if positive:
        yield _share("prevalence", counts.get("positive", 0), sides.height)
        return
    for name in sorted(counts):
        yield _share(f"prevalence of {name}", counts[name], sides.height)


def _agreed(sides: pl.DataFrame) -> Iterator[Row]:
    yield _share("agreement", int((sides["label"] == sides["verdict"]).sum()), sides.height)


def _errors(sides: pl.DataFrame, positive: Sequence[str]) -> Iterator[Row]:
    if not positive:
        return
    label, verdict = (sides[name] == "positive" for name in ("label", "verdict"))
    tp, tn = int((label & verdict).sum()), int((~label & ~verdict).sum())
    fn, fp = int(label.sum()) - tp, int(verdict.sum()) - tp
    yield _share("sensitivity", tp, tp + fn)
    yield _share("specificity", tn, tn + fp)
    yield _share("precision", tp, tp + fp)
    found = corrected_share(tp + fp, sides.height, Calibration(tp, fn, fp, tn))
    lower = found.youden_lower
    is_useful = lower is not None and lower > MIN_YOUDEN
    note = f"{'above' if is_useful else 'not above'} {MIN_YOUDEN:g}, from where on a judge is of use"
    yield {"measure": "youden_j", "value": found.youden, "lower": lower, "method": "wilson_sum", "note": note}


def _chance_corrected(sides: pl.DataFrame) -> Iterator[Row]:
    table = rating_table(sides["label"].to_numpy(), sides["verdict"].to_numpy())
    found = agreement(table)
    is_few = found.n < ASYMPTOTIC_FROM or (found.kappa is not None and found.kappa > _NEAR_ONE)
    interval = kappa_bootstrap(table) if is_few else found.interval
    yield _row("kappa", found.kappa, interval, se=found.se, count=found.n, of_count=found.n)
    yield _row("ac1", found.ac1, count=found.n, of_count=found.n)
    numbers = sides.select(pl.all().cast(pl.Float64, strict=False))
    if len(table) > 2 and not any(column.has_nulls() for column in numbers):
        graded = rating_table(numbers["label"].to_numpy(), numbers["verdict"].to_numpy())
        weighted = agreement(graded, weighting="quadratic")
        near = kappa_bootstrap(graded, weighting="quadratic") if is_few else weighted.interval
        yield _row("kappa_quadratic", weighted.kappa, near, se=weighted.se, count=found.n, of_count=found.n)


def with_labels(labels: Any, scores: Any, *, scorer: str = "", verdict: str = "passed") -> pl.DataFrame:
    """The labels with the verdict of a judge on the same answer, as `judge_agreement` takes them.

    Args:
        labels: One row per answer with `example_id`, `label`, and `trial` where a run has several, on any
            engine.
        scores: SCORES of one run, on any engine.
        scorer: Scorer that judges; may be left out where there is one only.
        verdict: What of it counts: `passed` (as `pass` or `fail`), `label` or `score`.

    Returns:
        The labels with `verdict`, text; null where the run has none.

    Raises:
        ParameterError: If there is no such scorer, an answer is labelled twice, or a label could mean several
            answers.

    Example:
        >>> labels = pl.DataFrame({"example_id": ["a", "b"], "label": ["pass", "fail"]})
        >>> scores = pl.DataFrame({"example_id": ["a"], "trial": [1], "scorer": ["judge"], "passed": [False]})
        >>> with_labels(labels, scores)["verdict"].to_list()
        ['fail', None]
    """
    labelled, judged = (collected(narwhal(one).to_native()) for one in (labels, scores))
    names = judged["scorer"].unique().sort().to_list()
    if scorer not in names and not (scorer == "" and len(names) == 1):
        msg = f"found no scorer {scorer!r}; expected one of {', '.join(names) or 'none'}"
        raise ParameterError(msg)
    chosen = judged.filter(scorer=scorer or names[0])
    keys = ["example_id", *(["trial"] if "trial" in labelled.columns else [])]
    for table, what in ((labelled, "labelled"), (chosen, "judged")):
        doubled = table.filter(pl.struct(keys).is_duplicated())
        if not doubled.is_empty():
            name = doubled["example_id"][0]
            msg = f"{name} is {what} more than once; expected one run, and the `trial` of each label"
            raise ParameterError(msg)
    said = pl.col("passed").replace_strict({True: "pass", False: "fail"}, return_dtype=pl.String)
    found = chosen.select(*keys, verdict=said if verdict == "passed" else pl.col(verdict).cast(pl.String))
    return labelled.drop("verdict", strict=False).join(found, on=keys, how="left", maintain_order="left")
