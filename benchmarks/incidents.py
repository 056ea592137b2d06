"""How well `find_incidents` and `explain_incident` do on planted incidents, and how often they cry wolf.

Bank: seeded incidents of nine kinds, each planted into the last of five weeks of quiet traffic: synthetic
months before anything is planted in them, each call standing for twenty, and a real week drawn anew hour by
hour. Real are of that the arrivals, sessions and token counts (RAGPulse), and for half of the features the
token counts of Azure; neither data set has a model, a latency, an error, a tenant, a price or a score,
which are all simulated. The real week is read from a folder that is not part of the project; without it only
the first base runs.

Found: an incident whose onset lies within two hours of the first call that the planted one meets (a
regression that only scores tell: within a day) and one of whose metrics is among those that must move. In
quiet hours that call comes hours after the planted moment; how many lie within two hours of the moment is
counted apart. Cause: exactly the planted value, or the planted pair of values, among the first three, by name
or as another name of the same calls; half of a pair is counted apart. Evidence: what `incident_oracle` says
of it. Quiet: the same weeks with nothing planted, and with changes of prompts and models that do nothing.
Power: how many calls an incident must meet to be found in nine of ten cases, by the share that is
usual and the share that is bad, in simulated hours.

    python benchmarks/incidents.py --real ../shared/reference/data
    python benchmarks/incidents.py --seeds 1 --first-seed 100
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from incident_oracle import oracle_evidence

from llmops_lib import explain_incident, find_incidents, load_traces, price_calls, with_retries, write_demo
from llmops_lib.demo.incident_scene import Injected, Traffic
from llmops_lib.demo.injected import KINDS, inject
from llmops_lib.errors import LlmopsError
from llmops_lib.schema import SCORES, conform
from llmops_lib.signals.counting import WATCHED, flagged_calls
from llmops_lib.signals.gather import gathered
from llmops_lib.signals.streams import Hours, streams
from llmops_lib.stats.rate_shifts import rate_rises

WEEKS = 5
RATE = 0.25
CALLS_PER_CALL = 20
SCORED_SHARE, FAILING_SHARE = 0.2, 0.12
FIRST = datetime(2026, 8, 31, tzinfo=UTC)


def main() -> None:
    """Prints the bank, the false alarms and the baselines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--real", default="", help="folder with ragpulse_week.jsonl and azure_llm_2023_conv.csv"
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds per kind and base")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--calls-per-week", type=int, default=6000, help="of the synthetic base")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    bases = ["synthetic", *(["real"] if options.real else [])]
    rows = [row for base in bases for seed in seeds for row in _runs(base, seed, options)]
    table = pl.DataFrame(rows)
    pl.Config.set_tbl_rows(200).set_tbl_cols(20).set_tbl_width_chars(200).set_fmt_str_lengths(60)
    print(table.drop("quiet_false", "changed_false", "z_score_false", "day_over_day_false"))
    _summary(table)
    print("real: arrivals, sessions and token counts of the base 'real'; simulated: everything else")
    print(_POWER_NOTE)
    print(_power())


def _summary(table: pl.DataFrame) -> None:
    planted = table.filter(pl.col("kind") != "quiet")
    quiet = table.filter(kind="quiet")
    told = planted.group_by("base", "kind", maintain_order=True).agg(
        pl.len().alias("planted"),
        pl.col("is_found").sum(),
        (pl.col("rank") <= 3).sum().alias("cause_in_top_3"),
        pl.col("onset_error_h").median(),
        pl.col("delay_h").median(),
        pl.col("z_score_found").sum(),
        pl.col("day_over_day_found").sum(),
        pl.col("seconds").median(),
    )
    print(told)
    n = planted.height
    found = int(planted["is_found"].sum())
    print(
        f"planted {n}, found {found} ({found / n:.0%}); by z-score {int(planted['z_score_found'].sum())}, "
        f"by day over day {int(planted['day_over_day_found'].sum())}; "
        f"within two hours of the planted moment, not of the first call: {int(planted['is_near_plan'].sum())}"
    )
    print(_by_size(planted, "met_calls", (25, 41, 61, 101, 201)))
    print("evidence of somebody who knew calls, hours and metric, natural logarithm of a likelihood ratio:")
    print(_by_size(planted, "oracle", (0, 5, 10, 20, 40)))
    for metric, count in (("exactly", "rank"), ("half of a pair too", "half_rank")):
        hit = int((planted[count].fill_null(99) <= 3).sum())
        print(f"cause in the top 3, {metric}: {hit} of {n}")
    top = int((planted["rank"].fill_null(99) <= 3).sum())
    print(f"cause in the top 3: {top} of {n} ({top / n:.0%}), {top / max(found, 1):.0%} of those found")
    weeks = quiet["weeks"].sum()
    for name in ("quiet_false", "changed_false", "z_score_false", "day_over_day_false"):
        print(
            f"{name}: {int(quiet[name].sum())} in {weeks:.0f} quiet weeks, "
            f"{quiet[name].sum() / weeks:.2f} per week "
            f"(stated {RATE})"
        )


def _by_size(planted: pl.DataFrame, column: str, lows: tuple[int, ...]) -> pl.DataFrame:
    """How many were planted, found, and explained exactly, by a size from each of some numbers up."""
    steps = [pl.when(pl.col(column) >= low).then(low) for low in reversed(lows)]
    return (
        planted.group_by(pl.coalesce(*steps).alias(f"{column}_from"))
        .agg(
            pl.len().alias("planted"),
            pl.col("is_found").sum(),
            (pl.col("rank") <= 3).sum().alias("cause_in_top_3"),
        )
        .sort(f"{column}_from")
    )


def _runs(base: str, seed: int, options: argparse.Namespace) -> Iterator[dict[str, object]]:
    traffic = _traffic(base, seed, options)
    yield {"base": base, "seed": seed, "kind": "quiet", "weeks": WEEKS - 1.0, **_quiet(traffic, seed)}
    for place, kind in enumerate(KINDS):
        own = seed * 100 + place
        planted = _planted(traffic, kind, own)
        if planted:
            yield {"base": base, "seed": seed, "kind": kind, "weeks": 1.0, **_judged(*planted)}


def _planted(traffic: Traffic, kind: str, seed: int) -> tuple[Traffic, Injected] | None:
    rng = np.random.default_rng(seed)
    last_week = FIRST + timedelta(weeks=WEEKS - 1)
    for _ in range(20):
        at = last_week + timedelta(
            days=int(rng.integers(5)), hours=int(rng.integers(7, 17)), minutes=int(rng.integers(60))
        )
        try:
            return inject(
                traffic, kind, start=at, hours=float(rng.uniform(3, 8)), seed=int(rng.integers(1 << 30))
            )
        except LlmopsError:
            continue
    return None


def _judged(traffic: Traffic, planted: Injected) -> dict[str, object]:
    started = time.perf_counter()
    spans = traffic.spans
    found = find_incidents(spans, traffic.scores, findings=traffic.findings, false_alarms_per_week=RATE)
    seconds = time.perf_counter() - started
    met = _met(spans, planted)
    began = met["started_at"].min()
    near = [row for row in found.to_dicts() if _is_near(row, planted, began)]
    row = min(near, key=lambda one: abs(_hours(one["onset_at"], began)), default=None)
    told: dict[str, object] = {
        "where": ", ".join(f"{name}={value}" for name, value in planted.where.items()),
        "met_calls": met.height,
        "oracle": oracle_evidence(traffic, planted),
        "is_found": row is not None,
        "is_near_plan": any(_is_near(one, planted, planted.start) for one in found.to_dicts()),
        "metric": row["metric"] if row else None,
        "onset_error_h": _hours(row["onset_at"], began) if row else None,
        "delay_h": _hours(row["detected_at"], began) if row else None,
        "rank": None,
        "half_rank": None,
        "seconds": seconds,
    }
    if row:
        causes = explain_incident(spans, row, traffic.scores, findings=traffic.findings)
        named = [(one["rank"], _names(one)) for one in causes.to_dicts()]
        exact, whole = _exact(planted)
        told["rank"] = next((rank for rank, names in named if exact & names), None)
        told["half_rank"] = next(
            (rank for rank, names in named if any(whole & parts for parts in names)), None
        )
        told["first_cause"] = causes["cause"].first()
    return told | _baselines(traffic, planted)


def _is_near(row: dict[str, object], planted: Injected, began: datetime) -> bool:
    most = 24.0 if planted.metrics == ("quality",) else 2.0
    moved = {str(name).partition(":")[0] for name in row["metrics"]}  # type: ignore[attr-defined]
    return abs(_hours(row["onset_at"], began)) <= most and bool(moved & set(planted.metrics))


def _hours(moment: object, start: datetime) -> float:
    return (moment - start) / timedelta(hours=1)  # type: ignore[operator]


def _names(cause: dict[str, object]) -> set[frozenset[str]]:
    """Every name of a cause, as its parts."""
    told = [str(cause["cause"]), *map(str, cause["same_as"])]  # type: ignore[call-overload]
    return {frozenset(one.split(", ")) for one in told}


def _exact(planted: Injected) -> tuple[set[frozenset[str]], frozenset[str]]:
    """The names that a cause may have: what was planted; version or hash of a prompt name the same calls."""
    whole = frozenset(f"{name}={value}" for name, value in planted.where.items())
    alone = {frozenset({one}) for one in whole} if planted.kind == "prompt_regression" else set()
    return {whole, *alone}, whole


def _met(spans: pl.DataFrame, planted: Injected) -> pl.DataFrame:
    """The spans of the cause in the time of the incident."""
    matches = [pl.col(name) == value for name, value in planted.where.items()]
    during = pl.col("started_at").is_between(planted.start, planted.end, closed="left")
    return spans.filter(during, *matches)


_POWER_NOTE = "power: 10 calls an hour, incidents of six hours, 60 streams"
_RUNS = 200


def _power() -> pl.DataFrame:
    """Calls that an incident must meet to be found in nine of ten runs, by usual and bad share."""
    rng = np.random.default_rng(1)
    length = 168 / (RATE / 2 / 60)
    rows = []
    for usual in (0.0, 0.01, 0.05, 0.1):
        for bad in (0.2, 0.5, 1.0):
            found = next((met for met in _SIZES if _power_at(rng, usual, bad, met, length) >= 0.9), None)
            rows.append({"usual_share": usual, "bad_share": bad, "calls_for_90_percent": found})
    return pl.DataFrame(rows)


_SIZES = (4, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300)


def _power_at(rng: np.random.Generator, usual: float, bad: float, met: int, length: float) -> float:
    hits = 0
    for _ in range(_RUNS):
        seen = rng.poisson(10, 21 * 24).astype(float)
        first = 400
        seen[first : first + 6] = rng.multinomial(met, [1 / 6] * 6)
        share = np.full(len(seen), usual)
        share[first : first + 6] = bad
        failed = rng.binomial(seen.astype(int), share).astype(float)
        rises = rate_rises(failed, seen, tolerance=0.01, average_run_length=length)
        hits += any(abs(rise.first - first) <= 6 for rise in rises)
    return hits / _RUNS


def _quiet(traffic: Traffic, seed: int) -> dict[str, object]:
    found = find_incidents(
        traffic.spans, traffic.scores, findings=traffic.findings, false_alarms_per_week=RATE
    )
    z, day = _baseline_alarms(traffic)
    return {
        "quiet_false": found.height,
        "changed_false": find_incidents(
            _with_changes(traffic.spans, seed),
            traffic.scores,
            findings=traffic.findings,
            false_alarms_per_week=RATE,
        ).height,
        "z_score_false": len(z),
        "day_over_day_false": len(day),
        "first_cause": "; ".join(
            f"{row['metric']} {row['dimension']}={row['value']} {row['incident']}" for row in found.to_dicts()
        ),
    }


def _with_changes(spans: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The same traffic with changes that do nothing: weekly prompt versions, a dated name of each model."""
    rng = np.random.default_rng(seed)
    started_at = pl.col("started_at")
    for week in range(1, WEEKS):
        for name in spans["prompt_name"].drop_nulls().unique().sort():
            at = FIRST + timedelta(weeks=week, hours=float(rng.uniform(0, 168)))
            is_new = (pl.col("prompt_name") == name) & (started_at >= at)
            spans = spans.with_columns(
                prompt_version=pl.when(is_new).then(pl.lit(f"v{week}-{name}")).otherwise("prompt_version"),
                prompt_hash=pl.when(is_new).then(pl.lit(f"{name}-{week}")).otherwise("prompt_hash"),
            )
    for name in spans["request_model"].drop_nulls().unique().sort():
        at = FIRST + timedelta(weeks=float(rng.uniform(1, WEEKS)))
        is_new = (pl.col("request_model") == name) & (started_at >= at)
        is_new &= pl.col("response_model").is_not_null()
        spans = spans.with_columns(
            response_model=pl.when(is_new).then(pl.lit(f"{name}-dated")).otherwise("response_model")
        )
    return spans


def _baselines(traffic: Traffic, planted: Injected) -> dict[str, object]:
    z, day = _baseline_alarms(traffic)
    names = {True: "z_score_found", False: "day_over_day_found"}
    until = planted.start + timedelta(hours=26)
    return {
        names[alarms is z]: any(
            planted.start - timedelta(hours=1) <= at <= until and metric in planted.metrics
            for at, metric in alarms
        )
        for alarms in (z, day)
    }


def _baseline_alarms(traffic: Traffic) -> tuple[list[tuple[datetime, str]], list[tuple[datetime, str]]]:
    """Episodes of two rules of thumb on the same streams.

    An hour above mean + 3 sd of its past four weeks; a day of at least 1.5 times the day before, with at
    least 5 bad ones, or $1.
    """
    signals = gathered(
        flagged_calls(traffic.spans, WATCHED),
        ["hour_at", *WATCHED],
        scores=traffic.scores,
        findings=traffic.findings,
    )
    hours = Hours.of(signals.calls)
    z_found, day_found = set(), set()
    for stream in streams(signals, WATCHED):
        metric = stream.signal.metric
        if metric == "spend":
            (day_values,) = hours.spread(stream.rows, "spend_usd")
            values = day_values
            days = day_values.reshape(-1, 24).sum(axis=1)
            least = 1.0
            bad_days = days
        else:
            bad, seen = hours.spread(stream.rows, "bad_count", "seen_count")
            values = np.divide(bad, seen, out=np.zeros_like(bad), where=seen > 0)
            bad_days, seen_days = bad.reshape(-1, 24).sum(axis=1), seen.reshape(-1, 24).sum(axis=1)
            days = np.divide(bad_days, seen_days, out=np.zeros_like(bad_days), where=seen_days > 0)
            least = 5.0
        for day in range(7, len(days)):
            past = values[max(0, day - 28) * 24 : day * 24]
            limit = past.mean() + 3 * past.std()
            z_found |= {
                (hours.at(day * 24 + int(hour)), metric)
                for hour in np.flatnonzero(values[day * 24 : day * 24 + 24] > limit)
            }
            if days[day] > 1.5 * days[day - 1] and bad_days[day] >= least:
                day_found.add((hours.at(day * 24), metric))
    z_all, day_all = sorted(z_found), sorted(day_found)
    return _merged(z_all), [(at + timedelta(hours=23), metric) for at, metric in _merged(day_all)]


def _merged(alarms: list[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    """Alarms of one metric less than twelve hours apart, as one."""
    last: dict[str, datetime] = {}
    kept = []
    for at, metric in alarms:
        if metric not in last or at - last[metric] > timedelta(hours=12):
            kept.append((at, metric))
        last[metric] = at
    return kept


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="llmops-incidents-"))


def _traffic(base: str, seed: int, options: argparse.Namespace) -> Traffic:
    spans = (
        _synthetic(seed, options.calls_per_week) if base == "synthetic" else _real(seed, Path(options.real))
    )
    rng = np.random.default_rng(seed)
    answered = spans.filter("is_model_call", ~pl.col("is_error"))
    sample = answered.filter(pl.Series(rng.random(answered.height) < SCORED_SHARE))
    passed = pl.Series(rng.random(sample.height) >= FAILING_SHARE)
    scores = sample.select(
        "started_at",
        "trace_id",
        "model",
        run_id=pl.lit("online"),
        example_id=pl.col("span_id"),
        trial=pl.lit(1),
        scorer=pl.lit("correct"),
        score=passed.cast(pl.Float64),
        passed=passed,
        source_format=pl.lit("simulated"),
        source_file=pl.lit("simulated"),
    )
    found = answered.filter(pl.Series(rng.random(answered.height) < 0.002))
    findings = found.select("started_at", "trace_id", finding=pl.lit("personal data in an answer"))
    return Traffic(spans, conform(scores, SCORES), findings)


def _synthetic(seed: int, calls_per_week: int) -> pl.DataFrame:
    path = _folder() / f"quiet-{seed}.jsonl"
    # What is planted in the demonstration comes in its second half, which is left out.
    write_demo(path, seed=seed, weeks=2 * WEEKS, calls_per_week=calls_per_week, last_week="2026-W45")
    spans = with_retries(price_calls(load_traces(path)))
    path.unlink()
    dear = spans.with_columns(pl.col("cost_usd") * CALLS_PER_CALL)
    return dear.filter(pl.col("started_at") < FIRST + timedelta(weeks=WEEKS))


TENANTS = ("arts", "law", "medicine", "science", "staff")
FEATURES = ("course_questions", "enrolment", "library", "code_help")
MODELS = (("model-a", 30.0, 0.6, 2.4), ("model-b", 12.0, 0.15, 0.6), ("model-c", 20.0, 3.0, 15.0))


def _real(seed: int, folder: Path) -> pl.DataFrame:
    """Five weeks like the real one: arrivals drawn from its hours, the rest from sessions."""
    rng = np.random.default_rng(seed)
    week = pl.read_ndjson(folder / "ragpulse_week.jsonl").with_columns(pl.col("timestamp").cast(pl.Float64))
    # The trace starts on a Wednesday at noon.
    place = ((week["timestamp"] / 3600 + 2 * 24 + 12) % 168).to_numpy()
    parts = []
    for number in range(WEEKS):
        drift = np.exp(rng.normal(0, 0.08, 7))[(place // 24).astype(int)]
        chosen = np.repeat(np.arange(week.height), rng.poisson(drift))
        hour = np.floor(place[chosen]) + rng.random(len(chosen))
        parts.append(week[chosen].with_columns(hour=pl.Series(hour + 168 * number)))
    rows = pl.concat(parts).sort("hour")
    return _dressed(rng, rows, folder)


def _dressed(rng: np.random.Generator, rows: pl.DataFrame, folder: Path) -> pl.DataFrame:
    n = rows.height
    session = (rows["session_id"].hash(7) % 1_000_003).cast(pl.Int64).to_numpy()
    tenant, feature = session % 97 % len(TENANTS), session // 97 % 89 % len(FEATURES)
    model = np.where(rng.random(n) < 0.2, rng.integers(3, size=n), feature % 3)
    azure = pl.read_csv(folder / "azure_llm_2023_conv.csv").sample(
        n, with_replacement=True, seed=int(rng.integers(1 << 30))
    )
    is_azure = feature >= 2
    inputs = np.where(is_azure, azure["ContextTokens"].to_numpy(), rows["input_length"].to_numpy())
    outputs = np.where(is_azure, azure["GeneratedTokens"].to_numpy(), rows["output_length"].to_numpy())
    per_token, input_price, output_price = (
        np.array([row[column] for row in MODELS])[model] for column in (1, 2, 3)
    )
    latency = (300 + 0.05 * inputs + per_token * outputs) * rng.lognormal(0, 0.4, n)
    is_error = rng.random(n) < 0.012
    kinds = np.array(["RateLimitError", "APITimeoutError", "InternalServerError"])[rng.integers(3, size=n)]
    names = np.array([row[0] for row in MODELS])[model]
    refuses = rng.random(n) < 0.01
    texts = np.where(
        refuses,
        '[{"role":"assistant","content":"Sorry, but I cannot help with that."}]',
        '[{"role":"assistant","content":"Room 12."}]',
    )
    frame = pl.DataFrame(
        {
            "trace_id": [f"t{row}" for row in range(n)],
            "span_id": [f"s{row}" for row in range(n)],
            "is_model_call": True,
            "operation": "chat",
            "tool_name": pl.Series([None] * n, dtype=pl.String),
            "hour": rows["hour"],
            "latency_ms": latency,
            "request_model": names,
            "response_model": names,
            "model": names,
            "provider": np.where(model == 2, "two", "one"),
            "input_tokens": inputs,
            "output_tokens": outputs,
            "cost_usd": (inputs * input_price + outputs * output_price) / 1e6 * CALLS_PER_CALL,
            "is_error": is_error,
            "error_type": kinds,
            "http_status": 500,
            "finish_reason": "stop",
            "session_id": rows["session_id"],
            "user_id": rows["session_id"],
            "tenant": np.array(TENANTS)[tenant],
            "feature": np.array(FEATURES)[feature],
            "prompt_name": np.array(FEATURES)[feature],
            "prompt_version": "1",
            "prompt_hash": np.array([f"{f}-1" for f in FEATURES])[feature],
            "release": "1.0",
            "output": texts,
            "is_retry": False,
            "feedback_score": pl.Series([None] * n, dtype=pl.Float64),
        }
    )
    started = pl.lit(FIRST) + (pl.col("hour") * 3.6e9).cast(pl.Int64).cast(pl.Duration("us"))
    fails = pl.col("is_error")
    empty = ["output", "response_model", "cost_usd"]
    return (
        frame.with_columns(
            started_at=started,
            ended_at=started + (pl.col("latency_ms") * 1e3).cast(pl.Int64).cast(pl.Duration("us")),
            http_status=pl.when(fails).then("http_status").cast(pl.Int32),
            error_type=pl.when(fails).then("error_type"),
        )
        .with_columns(pl.when(~fails).then(pl.col(empty)).name.keep())
        .drop("hour")
    )


if __name__ == "__main__":
    main()
