"""What a span records of the documents it found and of the tools a model was offered.

LangSmith and MLflow write documents as the output of a retrieval, OpenInference one attribute per field of
each document, OpenTelemetry one attribute with all. What is not recorded is unknown, an empty list is none.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import polars as pl

_DOCUMENT_KEYS = ("documents", "output", "docs", "results", "matches")
_DOCUMENT_ATTRIBUTES = ("gen_ai.retrieval.documents", "retrieval.documents")
_FLAT_DOCUMENT = re.compile(r"^retrieval\.documents\.(\d+)\.")
_TOOL_ATTRIBUTES = ("gen_ai.tool.definitions", "llm.tools", "tool_definitions")
_FLAT_TOOL = re.compile(r"^llm\.tools\.\d+\.(?:tool\.json_schema|tool\.name|name)$")
_MENTIONS_TOOLS = r"tool\.definitions|tool_definitions|llm\.tools|invocation_params"


def document_counts(outputs: pl.Series, attributes: pl.Series) -> pl.Series:
    """How many documents each retrieval returned; null where it is not recorded.

    Args:
        outputs: `output` of spans that retrieve.
        attributes: `attributes` of the same.

    Example:
        >>> outputs = pl.Series(['[{"page_content": "a"}]', '{"documents": []}', None, "some text"])
        >>> flat = '{"retrieval.documents.0.document.id": "x", "retrieval.documents.1.document.id": "y"}'
        >>> document_counts(outputs, pl.Series([None, None, flat, None])).to_list()
        [1, 0, 2, None]
    """
    return _read(outputs, _documents_in_output).fill_null(_read(attributes, _documents_in_attributes))


def offered_tools(attributes: pl.Series) -> pl.Series:
    """Names of the tools that each model call was offered, sorted; null where nothing of them is recorded.

    Args:
        attributes: `attributes` of model calls.

    Example:
        >>> told = '{"gen_ai.tool.definitions": [{"type": "function", "function": {"name": "find"}}]}'
        >>> offered_tools(pl.Series([told, "{}", None])).to_list()
        [['find'], None, None]
    """
    told = pl.DataFrame({"text": attributes}, schema={"text": pl.String})
    mentions = pl.when(pl.col("text").str.contains(_MENTIONS_TOOLS)).then("text")
    return _read(told.select(mentions).to_series(), _tools, pl.List(pl.String))


def _read(texts: pl.Series, read: Callable[[Any], Any], dtype: Any = pl.Int64) -> pl.Series:
    # JSON of any shape, which no column type holds: a loop, once over each distinct text.
    distinct = texts.drop_nulls().unique()
    known = pl.DataFrame(
        {"text": distinct, "found": pl.Series([read(_parsed(text)) for text in distinct], dtype=dtype)},
        schema={"text": pl.String, "found": dtype},
    )
    rows = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return rows.join(known, on="text", how="left", maintain_order="left")["found"]


def _parsed(text: Any) -> Any:
    if not isinstance(text, str | bytes):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _documents_in_output(output: Any) -> int | None:
    if isinstance(output, Mapping):
        lists = [output[key] for key in _DOCUMENT_KEYS if isinstance(output.get(key), list)]
        return len(lists[0]) if len(lists) == 1 else None
    return len(output) if isinstance(output, list) else None


def _documents_in_attributes(attributes: Any) -> int | None:
    if not isinstance(attributes, Mapping):
        return None
    flat = {found[1] for found in map(_FLAT_DOCUMENT.match, attributes) if found}
    if flat:
        return len(flat)
    lists = [one for name in _DOCUMENT_ATTRIBUTES if isinstance(one := _parsed(attributes.get(name)), list)]
    return len(lists[0]) if lists else None


def _tools(attributes: Any) -> list[str] | None:
    if not isinstance(attributes, Mapping):
        return None
    stated = [*map(attributes.get, _TOOL_ATTRIBUTES), _langsmith_tools(attributes)]
    listed = [one for one in map(_parsed, stated) if isinstance(one, list)]
    flat = [attributes[name] for name in attributes if _FLAT_TOOL.match(name)]
    if not listed and not flat:
        return None
    names = [_tool_name(tool) for tool in [*(tool for tools in listed for tool in tools), *flat]]
    return sorted({name for name in names if name})


def _langsmith_tools(attributes: Mapping[str, Any]) -> Any:
    extra = _parsed(attributes.get("langsmith.extra"))
    parameters = extra.get("invocation_params") if isinstance(extra, Mapping) else None
    return parameters.get("tools") if isinstance(parameters, Mapping) else None


def _tool_name(tool: Any) -> str | None:
    parsed = _parsed(tool)
    if parsed is None and isinstance(tool, str):
        return tool
    while isinstance(parsed, Mapping):
        if isinstance(parsed.get("name"), str):
            return str(parsed["name"])
        parsed = _parsed(parsed.get("function") or parsed.get("tool") or parsed.get("json_schema"))
    return None
