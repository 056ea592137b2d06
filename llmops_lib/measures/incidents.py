"""When something went wrong: the signals that rose above their own past, and the incidents that they make."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from llmops_lib.calls import portable
from llmops_lib.signals import WATCHED
from llmops_lib.signals.changes import found_changes
from llmops_lib.signals.episodes import episodes
from llmops_lib.signals.nearest import moment_of, nearest_incident


@portable
def change_points(  # noqa: PLR0913 - the tables of three kinds, the streams, and two limits
    spans: Any,
    scores: Any = None,
    *,
    findings: Any = None,
    by: str | Sequence[str] = WATCHED,
    false_alarms_per_week: float = 0.25,
    least_excess_usd: float = 1.0,
) -> pl.DataFrame:
    """Stretches of hours in which one signal of one stream was worse than its own past.

    Watched are `spend`, `cost per call` and `latency` (share of calls dearer or slower than the 90th
    percentile of their feature and model), `errors` (all, and each class), `retries` (where `with_retries`
    was called), `refusals`, `tool failures`, `quality` (each scorer, and `feedback` of users) and `findings`
    (each kind): over all calls and each value of the columns `by` with at least 100 calls; tools by name.
    Spend is judged as by `spend_spikes`, shares by an e-detector; half of the false alarms are granted to
    shares, three eighths to spend. Values of `response_model`, `prompt_version`, `prompt_hash` and `release`
    that came up after a week or more are changes whose hour is known: less evidence is enough for what got
    worse with them. Nothing is said of a stream's first week.

    Args:
        spans: SPANS on any engine, with `cost_usd` of `price_calls` where spend is to be watched; uses
            those four columns that it has.
        scores: SCORES; those of a trace count with its calls.
        findings: What `check_calls` returns, or rows with `started_at` and `finding`; uses `finding_count`,
            `trace_id` and `by` where they have them.
        by: Columns whose values are watched one by one.
        false_alarms_per_week: False alarms to be expected per week, over all streams together.
        least_excess_usd: USD above what was usual below which a rise of spend is none.

    Returns:
        A polars DataFrame whatever came in, one row per stretch, by onset: `metric` (such as
        `errors: RateLimitError`), `dimension` and `value` (empty for all calls), `onset_at`, with its 95%
        bounds `onset_low_at` and `onset_high_at` as far as the noise of hours tells, `ended_at` (null where
        it lasts, or lasted two weeks), `detected_at` (when the evidence was in; all UTC, by the hour),
        `usual` and `during` (USD per hour, or a share), `excess` (USD, or bad ones, more than usual), `unit`
        (`USD`, `calls`, `answers` or `runs`), `call_count` (seen in the stretch), `confidence` (at least so
        sure that it is no false alarm: one minus how many as strong were to be expected over all streams and
        hours), `evidence` (minus the natural logarithm of that number), `incident` (that it is part of).

    Raises:
        LlmopsError: If the rate is not above 0.
        MissingColumnError: If a column is missing.

    Source:
        docs/incidents.md states the rules and what `benchmarks/incidents.py` measured.

    Example:
        >>> from llmops_lib import load_traces, price_calls
        >>> from llmops_lib.demo import sample_export
        >>> found = change_points(price_calls(load_traces(sample_export())))
        >>> found.filter(metric="spend", dimension="tenant")["value"].to_list()
        ['lumen-energy']
    """
    return found_changes(
        spans, scores, findings, by,
        false_alarms_per_week=false_alarms_per_week, least_excess_usd=least_excess_usd,
    )  # fmt: skip


@portable
def find_incidents(  # noqa: PLR0913 - the tables of three kinds, the streams, and two limits
    spans: Any,
    scores: Any = None,
    *,
    findings: Any = None,
    by: str | Sequence[str] = WATCHED,
    false_alarms_per_week: float = 0.25,
    least_excess_usd: float = 1.0,
) -> pl.DataFrame:
    """Incidents, one row each: change points that began together, or later in the same calls.

    Together is within two hours, bounds counted. Two that are further apart are one incident where most of
    what rose in the later one rose in the calls of the first, while that lasted; of the same metric up to
    twelve hours after its end. Separate troubles of a busy day stay separate.

    Args:
        spans: SPANS, as for `change_points`, which says what is watched and how.
        scores: SCORES, likewise.
        findings: Findings, likewise.
        by: Columns whose values are watched one by one.
        false_alarms_per_week: False alarms to be expected per week at the most.
        least_excess_usd: USD above what was usual below which a rise of spend is none.

    Returns:
        A polars DataFrame whatever came in, one row per incident, by onset: `incident` (its onset as text),
        the columns of the change point that tells it best, which is of the metric with the surest evidence
        the stream that holds most of the excess and least else (`onset_at`, `onset_low_at`, `onset_high_at`,
        `ended_at`, `metric`, `dimension`, `value`, `usual`, `during`, `excess`, `unit`, `call_count`),
        `detected_at` (of the first), `confidence` (the highest), `metrics` (list, the surest first),
        `change_count` (change points in it).

    Raises:
        LlmopsError: If the rate is not above 0.
        MissingColumnError: If a column is missing.

    Example:
        >>> from llmops_lib import load_traces, price_calls
        >>> from llmops_lib.demo import sample_export
        >>> found = find_incidents(price_calls(load_traces(sample_export())))
        >>> found.select("metric", "value").rows()
        [('spend', 'agent_refunds')]
    """
    changes = found_changes(
        spans, scores, findings, by,
        false_alarms_per_week=false_alarms_per_week, least_excess_usd=least_excess_usd,
    )  # fmt: skip
    return episodes(changes)


@portable
def find_incident(  # noqa: PLR0913 - what find_incidents takes, and the moment
    spans: Any,
    scores: Any = None,
    *,
    around: datetime | str,
    findings: Any = None,
    by: str | Sequence[str] = WATCHED,
    false_alarms_per_week: float = 0.25,
    least_excess_usd: float = 1.0,
) -> pl.DataFrame:
    """The one incident at, or else nearest to, a moment or a trace.

    Args:
        spans: SPANS, as for `change_points`.
        scores: SCORES, likewise.
        around: A moment, a time in ISO 8601 (UTC where it names no offset), or the id of a trace of `spans`.
        findings: Findings, as for `change_points`.
        by: Columns whose values are watched one by one.
        false_alarms_per_week: False alarms to be expected per week at the most.
        least_excess_usd: USD above what was usual below which a rise of spend is none.

    Returns:
        One row of `find_incidents`.

    Raises:
        NoIncidentError: If none began or lasted within a day of it; the message lists those there are.
        IncidentError: If `around` is neither a time nor a trace.

    Example:
        >>> from llmops_lib import load_traces, price_calls
        >>> from llmops_lib.demo import sample_export
        >>> spans = price_calls(load_traces(sample_export()))
        >>> find_incident(spans, around="2026-11-12T15:00Z")["value"].item()
        'agent_refunds'
    """
    moment = moment_of(spans, around)
    found = find_incidents(
        spans, scores, findings=findings, by=by,
        false_alarms_per_week=false_alarms_per_week, least_excess_usd=least_excess_usd,
    )  # fmt: skip
    return nearest_incident(found, moment)
