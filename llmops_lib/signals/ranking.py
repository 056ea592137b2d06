"""Candidates for a cause in order: the evidence of each, and how many were looked at."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

EVERYWHERE = "all calls"
"""Cause of an incident that no value tells more of than all calls together."""

_ALL_OF_IT = 0.8
"""So much of the change counts as all of it: the rest is what chance adds and takes away elsewhere."""

_NEW_COUNTS = 3.0
"""Evidence that being new adds: a likelihood e to the third, twenty times that of what was always there."""

_ALIKE = 0.1
_AS_LIKELY = 3.0
"""A pair that has so much less evidence than its parts, of natural logarithms, cannot be told from them."""

Row = dict[str, Any]


def ranked(
    rows: Sequence[Mapping[str, Any]],
    fresh: set[tuple[str, str]],
    *,
    everywhere: Mapping[str, Any],
    classes: Sequence[Mapping[str, Any]] = (),
) -> list[Row]:
    """The candidates, the likeliest first, other names of the same calls joined.

    The score of a candidate is its log-likelihood ratio times the share of the change that it explains, four
    fifths counting as all. A pair can only seem to tell more than its parts by leaving out calls that happen
    to be good; of so many pairs the best does so by the logarithm of their number, which is taken off it.
    So it is of single values, held against all calls together.

    Args:
        rows: As `candidates` gives them, each with `columns` and `values`.
        fresh: Columns and values that came up just before.
        everywhere: All calls together, with `same_as`.
        classes: Error classes. They say what failed and not where, so that the best of them comes third at
            the highest, and the others last.

    Returns:
        The rows with `cause`, `is_new` and `same_as`.
    """
    scored = [_scored(row, fresh) for row in rows]
    _lift_new(scored)
    of_single, of_pairs = (_log_count(scored, size) for size in (1, 2))
    alone = {_parts(row)[0]: row for row in scored if len(row["columns"]) == 1}
    telling = [row for row in scored if len(row["columns"]) == 1 or _tells_as_much(row, alone)]
    for row in telling:
        row["_rank"] = row["_score"] - (of_pairs if len(row["columns"]) == 2 else 0.0)
    listed = _joined(sorted(telling, key=lambda row: (-row["_rank"], len(row["columns"]))))
    _name_prompts(listed, rows)
    best = max((row["_rank"] for row in listed), default=0.0)
    if everywhere["evidence"] >= max(best - of_single, 1e-9):
        listed.insert(0, {**everywhere, "cause": EVERYWHERE, "is_new": False})
    of_classes = _joined(sorted((_scored(row, fresh) for row in classes), key=_by_score))
    return [*listed[:2], *of_classes[:1], *listed[2:], *of_classes[1:]]


def _by_score(row: Row) -> float:
    return -float(row["_score"])


def _log_count(rows: Iterable[Row], size: int) -> float:
    return math.log(max(len({_calls(row) for row in rows if len(row["columns"]) == size}), 1))


def _scored(row: Mapping[str, Any], fresh: set[tuple[str, str]]) -> Row:
    score = min(row["explained_share"] / _ALL_OF_IT, 1.0) * row["evidence"]
    return {**row, "is_new": any(part in fresh for part in _parts(row)), "_score": score}


def _lift_new(rows: Iterable[Row]) -> None:
    """What came up just before is likelier than what was always there and has the same calls now.

    It has no past of its own, so that its evidence is that of what it replaced.
    """
    every = list(rows)
    old = [row for row in every if not row["is_new"]]
    for row in every:
        if row["is_new"]:
            alike = [other["_score"] for other in old if _is_alike(row, other)]
            row["_score"] = max([row["_score"], *alike]) + _NEW_COUNTS


def _is_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(
        abs(one[name] - other[name]) <= _ALIKE * max(one[name], other[name])
        for name in ("seen_during", "bad_during")
    )


def _parts(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    return list(zip(row["columns"], row["values"], strict=True))


def _calls(row: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(row[f"{what}_{side}"] for what in ("seen", "bad") for side in ("during", "before"))


def _tells_as_much(pair: Mapping[str, Any], alone: Mapping[tuple[str, str], Mapping[str, Any]]) -> bool:
    parts = [alone[part] for part in _parts(pair) if part in alone]
    is_same = any(_calls(pair)[::2] == _calls(part)[::2] for part in parts)
    return not is_same and all(pair["_score"] >= part["_score"] - _AS_LIKELY for part in parts)


def _name_prompts(listed: Iterable[Row], rows: Iterable[Mapping[str, Any]]) -> None:
    """Prompt and version as another name of a hash that has the same calls: nobody knows a hash."""
    pairs = [row for row in rows if {*row["columns"]} == {"prompt_name", "prompt_version"}]
    named = {_calls(row): _name(row) for row in pairs}
    for row in listed:
        if row["columns"] == ["prompt_hash"] and _calls(row) in named:
            row["same_as"].insert(0, named[_calls(row)])


def _name(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{column}={value}" for column, value in _parts(row))


def _joined(rows: Iterable[Row]) -> list[Row]:
    """The rows, the best first; what has the very same calls as one before it is another name of that."""
    kept: dict[tuple[float, ...], Row] = {}
    for row in rows:
        name = _name(row)
        same = kept.get(_calls(row))
        if same is None:
            kept[_calls(row)] = {**row, "cause": name, "same_as": []}
        elif len(row["columns"]) <= len(same["columns"]):
            same["same_as"].append(name)
    return list(kept.values())
