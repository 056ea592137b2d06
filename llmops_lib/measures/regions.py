"""Which region a call ran in."""

from typing import Any

from llmops_lib.calls import portable
from llmops_lib.signals.regions import regional


@portable
def with_region(spans: Any) -> Any:
    """The spans with the region that each export states; null where it states none, and never guessed.

    Read, in this order: attributes named `cloud.region`, `deployment.region`, `aws.region`, `region` or
    `region_name`, of the span or of what the application said of it (metadata of Langfuse, LangSmith,
    Braintrust, Opik, Weave and LiteLLM, properties of Helicone); the address that was called, where it is a
    regional one of Bedrock, SageMaker, Vertex AI, Azure or OpenAI; the ARN of the model; and those names on
    the OpenTelemetry resource, which say where the caller ran. Names that people chose for a deployment or a
    host state nothing.

    Args:
        spans: SPANS of polars (lazy too), pandas or another engine in memory; uses `attributes`, and
            `request_model` where it is there. A table that has `region` already
            is returned as it is.

    Returns:
        The same rows with `region`.

    Raises:
        MissingColumnError: If `attributes` is missing.
        EngineError: If the engine is neither in memory nor polars.

    Example:
        >>> import polars as pl
        >>> spans = pl.DataFrame({"attributes": ['{"otel.resource": {"cloud.region": "eu-west-1"}}', "{}"]})
        >>> with_region(spans)["region"].to_list()
        ['eu-west-1', None]
    """
    return regional(spans)
