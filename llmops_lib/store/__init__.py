"""The span store: a directory of Parquet files by day that any engine reads, filled idempotently."""

from llmops_lib.store.completeness import completeness
from llmops_lib.store.ingest import IngestReport, ingest
from llmops_lib.store.scan import TraceSource, open_source, scan_traces

__all__ = ["IngestReport", "TraceSource", "completeness", "ingest", "open_source", "scan_traces"]
