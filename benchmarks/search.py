"""How long searches of a large span store take, in this process and warm, best of several.

A synthetic export is written and ingested into a store of its own, or a store that is there is taken:

    python benchmarks/search.py
    python benchmarks/search.py --spans 100000
    python benchmarks/search.py --store traces

Conditions are drawn from the store: the ids of a call in its middle, so that searches go through half of it
or, where nothing else matches, all of it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib import find_traces, ingest, scan_traces, search_traces
from llmops_lib.demo import write_demo

WEEKS = 6
SPANS_PER_CALL = 2.37
RUNS = 5


def main() -> None:
    """Makes or takes a store and prints one line per search."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=1_000_000, help="spans of the store, about")
    parser.add_argument("--store", type=Path, help="a store that is there")
    options = parser.parse_args()
    if options.store:
        measure(options.store)
        return
    with tempfile.TemporaryDirectory(prefix="search-") as folder:
        export, store = Path(folder) / "export.jsonl", Path(folder) / "store"
        write_demo(export, weeks=WEEKS, calls_per_week=round(options.spans / WEEKS / SPANS_PER_CALL))
        print("ingesting", file=sys.stderr)
        ingest(export, store)
        export.unlink()
        measure(store)


def measure(store: Path) -> None:
    """Times every search."""
    spans = scan_traces(store)
    days = spans.select(
        pl.len().alias("count"),
        pl.col("started_at").min().alias("first"),
        pl.col("started_at").max().alias("last"),
    )
    count, first, last = days.collect().row(0)
    middle = first + (last - first) / 2
    at_hand = pl.col("started_at").is_between(middle, middle + timedelta(hours=6)) & pl.col("is_model_call")
    call = spans.filter(at_hand & pl.col("request_id").is_not_null()).head(1).collect().row(0, named=True)
    day = {"since": middle, "until": middle + timedelta(days=1)}
    week = {"since": middle, "until": middle + timedelta(days=7)}
    searches: dict[str, dict[str, Any]] = {
        "latest failed": {"is_error": True},
        "latest of a user": {"user_id": call["user_id"]},
        "session, all days": {"session_id": call["session_id"]},
        "request id, all days": {"request_id": call["request_id"]},
        "request id, its day": {"request_id": call["request_id"], **day},
        "trace, all days": {"trace_id": call["trace_id"]},
        "user, one week, all spans": {"user_id": call["user_id"], "limit": None, **week},
        "error class, one day": {"error_type": "RateLimitError", **day},
        "latency from 29 s, one week": {"min_latency_ms": 29_000, **week},
        "cost from 0.05 USD, one day": {"min_cost_usd": 0.05, **day},
        "text that is there": {"text": "refund"},
        "text that is not, one day": {"text": "zebra crossing", **day},
        "text that is not, all days": {"text": "zebra crossing"},
    }
    print(f"{count:,} spans, {(last - first).days + 1} days; best of {RUNS}")
    for name, conditions in searches.items():
        show(name, lambda conditions=conditions: search_traces(store, **conditions))
    show("whole trace", lambda: find_traces(store, call["trace_id"]))


def show(name: str, search: Callable[[], pl.DataFrame]) -> None:
    """Prints the best time of a search and how much it found."""
    best = float("inf")
    for _ in range(RUNS):
        started = time.perf_counter()
        found = search()
        best = min(best, time.perf_counter() - started)
    print(f"{name:<28} {1000 * best:>8.1f} ms {found.height:>7,} spans")


if __name__ == "__main__":
    main()
