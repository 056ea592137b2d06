"""Where a call ran, as far as its export states it: by name, by the address that was called, or by its ARN.

A region is never guessed. A deployment of Azure, a resource or a host that people named `prod-eastus` states
none, and neither does a prefix such as `eu.` of a Bedrock inference profile, which spans several regions.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import narwhals as nw
import polars as pl

from llmops_lib.frames import narwhal

_NAMES = ("cloud.region", "deployment.region", "aws.region", "region", "region_name")
_GROUPS = (
    "metadata",
    "langfuse.metadata",
    "langsmith.extra",
    "litellm.metadata",
    "litellm.hidden_params",
    "helicone.properties",
)
"""Objects in attributes that hold what the application itself said of a call."""

_ADDRESSES = ("server.address", "gen_ai.openai.api_base", "litellm.api_base", "url.full", "http.url")
_OWN = (*_NAMES, *(f"metadata.{name}" for name in _NAMES))
_RESOURCE = "otel.resource"
_LONGEST = 64

_AWS = r"(?:bedrock|bedrock-runtime|bedrock-agent-runtime|runtime\.sagemaker)"
_HOSTS = tuple(
    re.compile(rf"^(?:https?://)?{host}(?:[:/]|$)")
    for host in (
        # docs.aws.amazon.com/general/latest/gr/bedrock.html
        rf"{_AWS}(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)",
        # cloud.google.com/vertex-ai/docs/reference/rest
        r"([a-z0-9-]+)-aiplatform\.googleapis\.com",
        r"aiplatform\.([a-z0-9-]+)\.rep\.googleapis\.com",
        # learn.microsoft.com/azure/ai-services/cognitive-services-custom-subdomains, ../azure/ai-foundry
        r"([a-z0-9]+)\.api\.cognitive\.microsoft\.com",
        r"[a-z0-9-]+\.([a-z0-9]+)\.(?:models\.ai|inference\.ai|inference\.ml)\.azure\.com",
        # platform.openai.com/docs/guides/your-data: regional host names
        r"(eu|us)\.api\.openai\.com",
    )
)
_ARN = re.compile(r"^arn:aws[a-z-]*:(?:bedrock|sagemaker):([a-z0-9-]+):")
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


def region_of(attributes: str | None, model: str | None = None) -> str | None:
    """The region that attributes state by name, else by the address or the ARN that was called.

    Args:
        attributes: JSON object, as in SPANS.
        model: Model asked for; an ARN names its region.

    Example:
        >>> region_of('{"server.address": "bedrock-runtime.eu-west-1.amazonaws.com", "server.port": 443}')
        'eu-west-1'
        >>> region_of('{"server.address": "eu-west-1.example.com"}') is None
        True
    """
    stated = _object(attributes.encode() if attributes else b"")
    return next((found for found in _stated(stated, model) if 0 < len(found) <= _LONGEST), None)


def regional(spans: Any) -> Any:
    """The spans with `region`, which is kept where they have it.

    Args:
        spans: SPANS of polars or of an engine in memory; uses `attributes`, and `request_model` where it is
            there.

    Raises:
        MissingColumnError: If `attributes` is missing.
        RuntimeError: If the engine is another: JSON of any shape is read of tables in memory only.
    """
    names = narwhal(spans).collect_schema().names()
    if "region" in names:
        return spans
    frame = narwhal(spans, columns=["attributes"])
    used = [name for name in ("attributes", "request_model") if name in names]
    native = frame.to_native()
    if isinstance(native, pl.DataFrame | pl.LazyFrame):
        return native.with_columns(pl.struct(used).map_batches(_regions, pl.String).alias("region"))
    if isinstance(frame, nw.LazyFrame):
        msg = "attributes are JSON of any shape, which is read of tables in memory only."
        raise RuntimeError(msg)  # noqa: TRY004 - @portable turns it into an EngineError
    # NaN stands for null in pandas.
    rows = pl.DataFrame([pl.Series(name, frame[name].to_list(), pl.String, strict=False) for name in used])
    found = _regions(rows.to_struct()).to_list()
    series = nw.new_series("region", found, nw.String, backend=frame.implementation)
    return frame.with_columns(series).to_native()


def tells_region(spans: Any) -> bool:
    """Whether the spans have `region`, or an engine that `regional` can read it with."""
    frame = narwhal(spans)
    names = frame.collect_schema().names()
    is_read = isinstance(frame, nw.DataFrame) or isinstance(frame.to_native(), pl.LazyFrame)
    return "region" in names or ("attributes" in names and is_read)


def _regions(rows: pl.Series) -> pl.Series:
    table = rows.struct.unnest().cast(pl.String)  # a column of nulls has no type
    nothing = pl.repeat(None, table.height, dtype=pl.String, eager=True)
    models = table["request_model"] if "request_model" in table.columns else nothing
    # No expression reads nested JSON of any shape; rows that state nothing are told by their text.
    is_told = table["attributes"].str.contains_any(["region", *_ADDRESSES]) | models.str.starts_with("arn:")
    places = is_told.fill_null(value=False).arg_true()
    found = [region_of(*row) for row in zip(table["attributes"][places], models[places], strict=True)]
    return nothing.scatter(places, pl.Series(found, dtype=pl.String))


def _stated(attributes: Mapping[str, Any], model: str | None) -> Iterator[str]:
    yield from _named(attributes, _OWN)
    for name in _GROUPS:
        if name in attributes:
            group = _object(attributes[name])
            yield from _named(group, _NAMES)
            yield from _named(_object(group.get("metadata")), _NAMES)
    for called in _named(attributes, _ADDRESSES):
        yield from _matches(_HOSTS, called)
    yield from _matches((_ARN,), model or "")
    yield from _named(_object(attributes.get(_RESOURCE)), _NAMES)


def _object(text: Any) -> Mapping[str, Any]:
    try:
        return _OBJECT.decode(text) if text else {}
    except msgspec.MsgspecError:
        return {}


def _named(stated: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    """The texts that stand under any of the names, in the order of the names."""
    for name in names:
        if name in stated:
            with contextlib.suppress(msgspec.MsgspecError):
                yield _TEXT.decode(stated[name]).strip()


def _matches(patterns: Iterable[re.Pattern[str]], text: str) -> Iterator[str]:
    hits = (pattern.match(text) for pattern in patterns)
    return (hit.group(1) for hit in hits if hit)
