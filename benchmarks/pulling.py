"""What getting the same spans costs: from a file, from Phoenix with its client, from MLflow.

A Phoenix server and an MLflow database, both on SQLite, are filled with the same number of spans of about
one kilobyte of text. Each contender then gets all of them as a table in a fresh process, one after the
other; imports are not counted. Phoenix and MLflow live in environments of their own, full `mlflow` and not
`mlflow-skinny`:

    python benchmarks/pulling.py --phoenix-python PHOENIX/bin/python --mlflow-python MLFLOW/bin/python
    python benchmarks/pulling.py --spans 20000 --phoenix-python ... --mlflow-python ...
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pulling_servers import BASE_TRACES, PROJECT, SPANS_PER_TRACE, fill_mlflow, fill_phoenix, phoenix

FILE, PULL = "load_traces", "fetch_phoenix"
CLIENT, SEARCH = "Phoenix client", "mlflow.search_traces"

SCRIPTS = {
    FILE: """
from llmops_lib import load_traces
began = time.perf_counter()
rows = load_traces(sys.argv[1]).height
""",
    PULL: """
from llmops_lib import FetchSettings, fetch_phoenix
began = time.perf_counter()
settings = FetchSettings(server=sys.argv[1])
rows = fetch_phoenix(sys.argv[2], project=sys.argv[3], settings=settings).rows_received
""",
    CLIENT: """
from phoenix.client import Client
spans = Client(base_url=sys.argv[1]).spans
began = time.perf_counter()
rows = len(spans.get_spans_dataframe(project_identifier=sys.argv[3], limit=int(sys.argv[4]), timeout=7_200))
""",
    SEARCH: """
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
found = mlflow.get_experiment_by_name(sys.argv[3]).experiment_id
began = time.perf_counter()
rows = sum(map(len, mlflow.search_traces(locations=[found])["spans"]))
""",
}
"""What each contender runs; `rows` are spans, and the clock starts after the imports."""


def main() -> None:
    """Fills the servers, lets every contender get all spans, and prints one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=100_000, help="a multiple of the base of 200 spans")
    parser.add_argument("--phoenix-python", required=True, help="Python of an environment with arize-phoenix")
    parser.add_argument("--mlflow-python", required=True, help="Python of an environment with mlflow")
    parser.add_argument("--limit-seconds", type=int, default=1_800, help="when a contender is given up")
    options = parser.parse_args()
    base = BASE_TRACES * SPANS_PER_TRACE
    spans = max(1, options.spans // base) * base
    with tempfile.TemporaryDirectory(prefix="pulling-") as name:
        folder = Path(name)
        costs = _phoenix_costs(options, folder, spans)
        uri = fill_mlflow(options.mlflow_python, folder, spans)
        costs[SEARCH] = _measure(SEARCH, options.mlflow_python, [uri, "", PROJECT], options.limit_seconds)
        _print_table(costs, spans)


def _phoenix_costs(
    options: argparse.Namespace, folder: Path, spans: int
) -> dict[str, dict[str, float] | str]:
    fill_phoenix(options.phoenix_python, folder, spans)
    file, limit = str(folder / "spans.jsonl"), options.limit_seconds
    with phoenix(options.phoenix_python, folder) as url:
        pulled = _measure(PULL, sys.executable, [url, file, PROJECT], limit)
        client = _measure(CLIENT, options.phoenix_python, [url, "", PROJECT, str(spans)], limit)
    loaded = _measure(FILE, sys.executable, [file], limit)
    return {FILE: loaded, PULL: pulled, CLIENT: client}


def _measure(name: str, python: str, arguments: list[str], limit_seconds: int) -> dict[str, float] | str:
    code = "import json, sys, time\n" + SCRIPTS[name]
    code += 'print(json.dumps({"seconds": time.perf_counter() - began, "rows": rows}))'
    began = time.monotonic()
    try:
        run = subprocess.run(
            [python, "-c", code, *arguments],
            capture_output=True,
            text=True,
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {time.monotonic() - began:,.0f} s"
    if run.returncode:
        return f"failed: {(run.stderr.strip().splitlines() or ['no output'])[-1][:120]}"
    found: dict[str, float] = json.loads(run.stdout.strip().splitlines()[-1])
    return found


def _print_table(costs: dict[str, dict[str, float] | str], spans: int) -> None:
    base = costs[FILE]
    print(f"{spans:,} spans")
    print(f"{'':>22} {'seconds':>9} {'spans/s':>10} {'x load_traces':>14} {'spans':>9}")
    for name, cost in costs.items():
        if isinstance(cost, str):
            print(f"{name:>22} {cost}")
            continue
        ratio = cost["seconds"] / base["seconds"] if isinstance(base, dict) else float("nan")
        speed = cost["rows"] / cost["seconds"]
        print(f"{name:>22} {cost['seconds']:>9,.2f} {speed:>10,.0f} {ratio:>14,.1f} {cost['rows']:>9,.0f}")


if __name__ == "__main__":
    main()
