"""What loading an export costs beside doing it by hand: MB per CPU second, and peak memory.

For each format a file of clean lines is made; then every contender reads it in a fresh process, one after
the other. CPU seconds are those of all threads and exclude imports; memory is the peak of the resident set,
sampled. Run it on a quiet machine:

    python benchmarks/ingest.py
    python benchmarks/ingest.py --mb 60 --formats otlp
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psutil
from ingest_rivals import RIVALS
from ingest_rivals_langfuse import check_langfuse_rows
from ingest_rivals_otlp import check_otlp_rows

from llmops_lib import ingest
from llmops_lib.demo import write_demo
from llmops_lib.sources.load import read_exports
from llmops_lib.sources.otlp import read_otlp

MB = 1_000_000
SAMPLE_SECONDS = 0.02
CHECKED_MB = 10
OTLP_MB_PER_CALL = 0.0025
LOAD, STORE = "load_traces", "ingest"
BASE = "orjson loop"
FIRST_AT = datetime(2026, 3, 2, tzinfo=UTC)
WORDS = ("the", "refund", "of", "an", "order", "is", "paid", "to", "your", "card", "within", "five", "days")
MODELS = (("gpt-4o-mini", 2.5e-7), ("claude-sonnet-4", 3e-6), ("gpt-4o", 2.5e-6))


@dataclass(frozen=True)
class Cost:
    """What one contender took: CPU seconds, peak resident megabytes, and rows made."""

    cpu_seconds: float
    peak_mb: float
    rows: int


def main() -> None:
    """Makes the files, measures every contender and prints one table per format."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mb", type=int, default=500, help="size of each file, about")
    parser.add_argument("--formats", nargs="+", choices=list(RIVALS), default=list(RIVALS))
    parser.add_argument("--only", nargs=3, metavar=("FORMAT", "CONTENDER", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        run_one(*options.only)
        return
    for source_format in options.formats:
        with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
            path = Path(folder) / f"{source_format}.jsonl"
            WRITERS[source_format](path, CHECKED_MB * MB)
            CHECKS[source_format](path, read_exports(path).spans)
            WRITERS[source_format](path, options.mb * MB)
            names = [*RIVALS[source_format], LOAD, STORE]
            costs = {name: measure(source_format, name, path) for name in names}
            print_table(source_format, path.stat().st_size / MB, costs)


def write_otlp(path: Path, size: int) -> None:
    """The synthetic export without the bad lines in it: the rivals lose the whole file to one of them."""
    unclean = path.with_suffix(".unclean")
    write_demo(unclean, calls_per_week=round(size / MB / OTLP_MB_PER_CALL / 6))
    bad = set(read_otlp(unclean).quarantine["source_line"])
    with unclean.open("rb") as stream, path.open("wb") as clean:
        clean.writelines(line for number, line in enumerate(stream, start=1) if number not in bad)
    unclean.unlink()


def write_langfuse(path: Path, size: int) -> None:
    """Observations as the interface exports them: a root span and a generation per trace."""
    rng = random.Random(7)  # noqa: S311 - a benchmark's texts, no secret
    written, number = 0, 1
    with path.open("wb") as stream:
        while written < size:
            for observation in _observations(rng, number):
                written += stream.write(orjson.dumps(observation) + b"\n")
            number += 1


def _observations(rng: random.Random, number: int) -> list[dict[str, object]]:
    model, price = rng.choice(MODELS)
    started_at = FIRST_AT + timedelta(seconds=number)
    counts = {"input": rng.randint(200, 4_000), "output": rng.randint(20, 900)}
    root, call = (f"{number:012x}{kind:04x}" for kind in (0, 1))
    shared = {"traceId": f"{number:032x}", "environment": "production", "level": "DEFAULT"}
    times = {
        "startTime": _iso(started_at),
        "endTime": _iso(started_at + timedelta(milliseconds=rng.random() * 9_000)),
    }
    question, answer = (" ".join(rng.choices(WORDS, k=rng.randint(20, 160))) for _ in range(2))
    span = {
        "id": root,
        "parentObservationId": None,
        "type": "SPAN",
        "name": "answer",
        "input": {"question": question},
    }
    generation = {
        "id": call,
        "parentObservationId": root,
        "type": "GENERATION",
        "name": "chat",
        "model": model,
        "input": [{"role": "user", "content": question}],
        "output": {"role": "assistant", "content": answer},
        "usageDetails": counts | {"total": sum(counts.values())},
        "costDetails": {"total": round(counts["input"] * price, 8)},
        "metadata": {"tenant": f"tenant-{number % 40}", "attempt": 1},
    }
    return [span | shared | times | {"output": {"answer": answer}}, generation | shared | times]


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


WRITERS = {"otlp": write_otlp, "langfuse": write_langfuse}
CHECKS = {"otlp": check_otlp_rows, "langfuse": check_langfuse_rows}


def run_one(source_format: str, name: str, path: str) -> None:
    """Runs one contender in this process and prints its CPU seconds and rows."""
    before = _cpu_seconds()
    if name == LOAD:
        rows = read_exports(path).spans.height
    elif name == STORE:
        rows = ingest(path, Path(path).parent / "store").span_count_added
    else:
        rows = RIVALS[source_format][name](Path(path))
    print(json.dumps({"cpu": _cpu_seconds() - before, "rows": rows}))


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def measure(source_format: str, name: str, path: Path) -> Cost | str:
    """The cost of one contender, or the last line of its error: some cannot read what others can."""
    command = [sys.executable, __file__, "--only", source_format, name, str(path)]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident_bytes(process.pid))
            time.sleep(SAMPLE_SECONDS)
        output.seek(0)
        last = (output.read().decode(errors="replace").strip().splitlines() or ["no output"])[-1]
    if process.returncode:
        return f"failed with exit code {process.returncode}: {last[:120]}"
    found = json.loads(last)
    return Cost(found["cpu"], peak / MB, found["rows"])


def _resident_bytes(pid: int) -> int:
    try:
        parent = psutil.Process(pid)
        return sum(process.memory_info().rss for process in (parent, *parent.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def print_table(source_format: str, size_mb: float, costs: dict[str, Cost | str]) -> None:
    """One line per contender: its speed, how many times that of the orjson loop, its memory and rows."""
    base = costs[BASE]
    print(f"\n{source_format}: {size_mb:,.0f} MB")
    print(f"{'':>14} {'MB/CPU s':>10} {'x loop':>8} {'CPU s':>8} {'peak MB':>9} {'rows':>11}")
    for name, cost in costs.items():
        if isinstance(cost, str):
            print(f"{name:>14} {cost}")
            continue
        speed = size_mb / max(cost.cpu_seconds, 1e-3)
        ratio = base.cpu_seconds / max(cost.cpu_seconds, 1e-3) if isinstance(base, Cost) else float("nan")
        print(
            f"{name:>14} {speed:>10,.1f} {ratio:>8.2f} {cost.cpu_seconds:>8.2f} {cost.peak_mb:>9,.0f} "
            f"{cost.rows:>11,}"
        )


if __name__ == "__main__":
    main()
