"""How many rows tools return at most: a file of exactly that many may be the first page of more."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Cap:
    """A number of rows at which a tool stops.

    Attributes:
        limit: Rows, or traces, that it returns at most.
        unit: `rows` or `traces`.
        formats: Values of `source_format` of what it returns; none stands for plain tables of any origin.
        source: What stops there.
    """

    limit: int
    unit: str
    formats: tuple[str, ...]
    source: str


CAPS = (
    Cap(50, "rows", ("langfuse",), "default page of Langfuse's observations API"),
    Cap(50, "traces", ("langfuse",), "default page of Langfuse's traces API"),
    Cap(100, "rows", ("langfuse",), "largest page of Langfuse's API, version 1"),
    Cap(100, "rows", ("phoenix",), "default page of Phoenix's spans endpoint, and of get_spans"),
    Cap(100, "rows", ("langsmith",), "page of LangSmith's list_runs"),
    Cap(100, "traces", ("mlflow",), "default page of MLflow's traces API"),
    Cap(1_000, "rows", ("phoenix",), "default limit of Phoenix's get_spans_dataframe"),
    Cap(1_000, "rows", ("langfuse",), "largest page of Langfuse's API, version 2"),
    Cap(1_000, "rows", ("langsmith",), "largest page of LangSmith's runs API, version 2"),
    Cap(1_000, "rows", ("braintrust",), "rows of one fetch of Braintrust's client"),
    Cap(1_000, "rows", ("weave",), "page of Weave's get_calls"),
    Cap(1_000, "rows", ("opik",), "default max_results of Opik's search_spans"),
    Cap(1_000, "traces", ("opik",), "default max_results of Opik's search_traces"),
    Cap(2_000, "rows", ("opik",), "rows of one request to Opik's server"),
    Cap(1_000, "rows", (), "usual limit of an interface or API"),
    Cap(10_000, "rows", (), "usual limit of a search interface"),
    Cap(300_000, "rows", ("helicone",), "rows of one query of Helicone's HQL"),
)
"""Limits that the tools' clients and documentation state; the two without a format are only customary.

Source: Langfuse 5.0.4, arize-phoenix-client 3.5.0, langsmith 0.15.0, braintrust 0.48.1, weave 0.54.0,
opik 2.2.122 and mlflow 3.17 as published; https://docs.helicone.ai/features/hql.
"""


def caps_met(counts: Iterable[tuple[str, str, int]]) -> list[Cap]:
    """The caps that a file's counts meet exactly.

    Args:
        counts: `source_format`, unit (`rows` or `traces`) and number of each thing counted.

    Example:
        >>> [cap.source for cap in caps_met([("phoenix", "rows", 1000)])][0]
        "default limit of Phoenix's get_spans_dataframe"
        >>> caps_met([("phoenix", "rows", 1001), ("otlp", "rows", 1000)])
        []
    """
    return [
        cap
        for source_format, unit, number in counts
        for cap in CAPS
        if (cap.limit, cap.unit) == (number, unit) and source_format in (cap.formats or ("table",))
    ]
