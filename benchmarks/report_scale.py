"""What a weekly report costs on a small and on a large store: seconds, and peak memory of all its processes.

For each size a synthetic export is written and ingested into a store of its own; then, in a fresh
process, `llmops report weekly STORE`. The report runs a notebook kernel beside the command, so memory
is that of the whole process tree, sampled. Run it on a quiet machine:

    python benchmarks/report_scale.py
    python benchmarks/report_scale.py --spans 10000 100000
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from llmops_lib.demo import write_demo

COMMAND = (sys.executable, "-c", "from llmops_lib.cli import main; main()")
WEEKS = 6
SPANS_PER_CALL = 2.37
SAMPLE_SECONDS = 0.02
MB = 1_000_000


@dataclass(frozen=True)
class Cost:
    """What a command took: wall-clock seconds and peak resident megabytes of its process tree."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Measured:
    """One size: spans in the store, and what writing, ingesting and reporting took."""

    span_count: int
    export_mb: float
    store_mb: float
    write_seconds: float
    ingest: Cost
    report: Cost


def main() -> None:
    """Measures every size and prints one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, nargs="+", default=[10_000, 1_000_000], help="sizes, about")
    parser.add_argument("--runs", type=int, default=1, help="reports per size; the fastest counts")
    options = parser.parse_args()
    rows = []
    for spans in options.spans:
        # A store of a million spans is large: each is gone before the next is made.
        with tempfile.TemporaryDirectory(prefix="report-scale-") as folder:
            rows.append(measure(Path(folder), spans, options.runs))
            print(f"measured {rows[-1].span_count:,} spans", file=sys.stderr)
    print_table(rows)


def measure(folder: Path, spans: int, runs: int) -> Measured:
    """The cost of one size.

    Args:
        folder: Empty folder to work in.
        spans: Size wanted, about.
        runs: Reports to run; the fastest counts.
    """
    export, store = folder / "export.jsonl", folder / "store"
    started = time.perf_counter()
    facts = write_demo(export, weeks=WEEKS, calls_per_week=round(spans / WEEKS / SPANS_PER_CALL))
    write_seconds = time.perf_counter() - started
    ingest = run("ingest", str(export), "--store", str(store))
    reports = [run("report", "weekly", str(store), "--output", str(folder / f"{n}")) for n in range(runs)]
    return Measured(
        span_count=facts.span_count,
        export_mb=export.stat().st_size / MB,
        store_mb=sum(file.stat().st_size for file in store.rglob("*") if file.is_file()) / MB,
        write_seconds=write_seconds,
        ingest=ingest,
        report=min(reports, key=lambda cost: cost.seconds),
    )


def run(*arguments: str) -> Cost:
    """Seconds and peak memory of an `llmops` command in a fresh process; a failing one ends the benchmark."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen([*COMMAND, *arguments], stdout=output, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None:
            peak = max(peak, tree_bytes(process.pid))
            time.sleep(SAMPLE_SECONDS)
        seconds = time.perf_counter() - started
        if process.returncode:
            output.seek(0)
            sys.exit(
                f"llmops {' '.join(arguments)} failed:\n{output.read().decode(errors='replace')[-3_000:]}"
            )
    return Cost(seconds, peak / MB)


def tree_bytes(pid: int) -> int:
    """Resident memory of a process and all its descendants; shared pages count in each."""
    try:
        parent = psutil.Process(pid)
        tree = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for process in tree:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def print_table(rows: list[Measured]) -> None:
    """One line per size, and how much more the last costs than the first."""
    head = ("spans", "export MB", "store MB", "write s", "ingest s", "ingest MB", "report s", "report MB")
    print(" ".join(f"{name:>10}" for name in head))
    for row in rows:
        costs = (row.ingest.seconds, row.ingest.peak_mb, row.report.seconds, row.report.peak_mb)
        figures = (row.export_mb, row.store_mb, row.write_seconds, *costs)
        print(f"{row.span_count:>10,} " + " ".join(f"{figure:>10,.1f}" for figure in figures))
    first, last = rows[0], rows[-1]
    print(
        f"{last.span_count / first.span_count:,.0f} times the spans: "
        f"{last.report.seconds / first.report.seconds:.1f} times the seconds, "
        f"{last.report.peak_mb / first.report.peak_mb:.1f} times the memory of a report"
    )


if __name__ == "__main__":
    main()
