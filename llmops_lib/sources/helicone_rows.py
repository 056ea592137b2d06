"""One request that Helicone logged, as a row of SPANS.

- Counts follow the provider: Anthropic's input leaves the cache out, OpenAI's contains it. They become
  inclusive where the provider is known. A CSV names neither the provider nor the cache, so a Claude
  model's input stays as it is and the row says so.
- What Helicone served from its own cache went to no provider: its tokens stay, but it is no model call.
- A script of Helicone's for Python writes objects in Python's notation, and the bodies it fetched beside.
- Tools, searches and other events that an application logs by itself are requests of no model.
- Times have no zone and are UTC. A status below 0 is Helicone's own: -2 pending, -3 cancelled, -4 threat.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS
from llmops_lib.sources.attribute_names import PROPERTY_NAMES
from llmops_lib.sources.helicone_usage import token_columns
from llmops_lib.sources.langfuse_fields import mapping, object_in
from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.litellm_answers import answer_columns, answer_rest, request_messages
from llmops_lib.sources.providers import provider_name
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import parse_time
from llmops_lib.sources.usage import SERVICE_TIER

_OBJECTS = (
    *("request_body", "response_body", "request_properties", "properties", "scores"),
    "signed_body_content",
)
_BODIES = {"request_body": "request", "response_body": "response"}
# What `request_messages` reads of a body, and the model, which a column holds.
_ASKED = ("messages", "system", "input", "prompt", "contents", "query", "model", "stream")
_NO_CACHE = "00000000-0000-0000-0000-000000000000"
_NO_TIME = (None, 0, "0", "0.0")
_PENDING = -2
_FAILED_STATUS = {"-3": "cancelled", "-4": "threat"}
# Kinds of the events that Helicone's manual logger takes, and how their models begin.
_EVENTS = {"tool": "execute_tool", "vector_db": "retrieval", "data": "other"}
_OPERATIONS = (
    ("/embeddings", "embeddings"),
    (":embedcontent", "embeddings"),
    ("/rerank", "rerank"),
    ("/chat/completions", "chat"),
    ("/completions", "text_completion"),
    ("/images", "other"),
    ("/audio", "other"),
    ("/moderations", "other"),
)
_IN_COLUMNS = frozenset(
    (
        "request_created_at",
        "response_created_at",
        "request_body",
        "response_body",
        "request_user_id",
        "request_model",
        "response_model",
        "time_to_first_token",
        "prompt_tokens",
        "completion_tokens",
        "prompt_cache_read_tokens",
        "prompt_cache_write_tokens",
        "reasoning_tokens",
        "cost",
        "costUSD",
        "prompt_id",
        "prompt_version",
    )
)
_SESSION, _SESSION_NAME, _SESSION_PATH = (
    "helicone-session-id",
    "helicone-session-name",
    "helicone-session-path",
)


def request_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """The SPANS columns and `feature_hint` of a request.

    Args:
        record: A request of Helicone's export, API or CSV.

    Raises:
        Refused: If a time or a count cannot be right.
    """
    request = {
        name: unescaped(value) if name in _OBJECTS else value
        for name, value in record.items()
        if value is not None and value != ""
    }
    _fill_bodies(request)
    operation = _operation(request)
    is_hit = request.get("cache_reference_id", _NO_CACHE) != _NO_CACHE
    row = {
        **_models(request),
        **_content(request),
        **_identity(request),
        **_times(request),
        **_outcome(request),
        "name": operation,
        "operation": operation,
        "is_model_call": operation in MODEL_OPERATIONS and not is_hit,
        "attributes": _attributes(request, operation),
    }
    if operation in MODEL_OPERATIONS:
        counts, notes = token_columns(request, row["provider"], row["request_model"] or row["response_model"])
        row |= {**counts, "reported_cost_usd": request.get("costUSD", request.get("cost"))}
        row["attributes"] |= notes
    return row


def unescaped(value: Any) -> Any:
    """The object in a cell whose quotes Helicone's tool doubled before the CSV writer did, or of pandas.

    Args:
        value: A cell or field.

    Example:
        >>> unescaped('{""feature"":""faq""}'), unescaped("{'feature': None}")
        ({'feature': 'faq'}, {'feature': None})
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    for text in (value, value.replace('""', '"')):
        try:
            return parse_json(text.encode(errors="replace"))
        except Refused:
            continue
    return object_in(value)


def _fill_bodies(request: dict[str, Any]) -> None:
    for name in _BODIES:
        if set(mapping(request.get(name))) == {"helicone_message"}:  # says why there is no body
            request["message"] = request.pop(name)["helicone_message"]
    fetched = mapping(request.get("signed_body_content"))
    for name, part in _BODIES.items():
        if fetched.get(part) and not request.get(name):
            request[name] = fetched[part]
    if fetched and all(request.get(name) == fetched.get(part) for name, part in _BODIES.items()):
        del request["signed_body_content"]


def _operation(request: Mapping[str, Any]) -> str:
    path = str(request.get("request_path") or request.get("target_url") or "").lower()
    body = mapping(request.get("request_body"))
    model = str(request.get("model") or request.get("request_model"))
    event = _EVENTS.get(str(body.get("_type") or model.partition(":")[0]))
    if event is not None:
        return event
    found = next((operation for word, operation in _OPERATIONS if word in path), None)
    if found is None and not path and "embedding" in model:
        return "embeddings"
    if found is None and not path and "input" in body and "embedding" in str(body.get("model")):
        return "embeddings"
    return found or "chat"


def _models(request: Mapping[str, Any]) -> dict[str, Any]:
    asked = request.get("request_model") or mapping(request.get("request_body")).get("model")
    answered = request.get("response_model")
    provider = request.get("provider")
    return {
        "provider": provider_name(provider) if isinstance(provider, str) else None,
        # `model` is the one that answered, or what was asked for; a CSV has no other.
        "request_model": asked or (None if answered else request.get("model")),
        "response_model": answered,
    }


def _identity(request: Mapping[str, Any]) -> dict[str, Any]:
    stated_properties = mapping(request.get("properties")) | mapping(request.get("request_properties"))
    # They are headers: `Helicone-Property-Feature` arrives as `Feature` or `feature`.
    properties = {str(name).lower(): value for name, value in stated_properties.items()}
    own_id = request.get("request_id") or request.get("response_id")
    session = properties.get(_SESSION)
    found = {
        column: next((value for name in names if _is_name(value := properties.get(name.lower()))), None)
        for column, names in PROPERTY_NAMES.items()
    }
    named = {
        "span_id": own_id,
        "trace_id": session or own_id,
        "session_id": session,
        "user_id": request.get("request_user_id"),
        "prompt_name": request.get("prompt_id"),
        "prompt_version": request.get("prompt_version"),
        "request_id": request.get("response_id"),
    }
    stated = {column: value for column, value in named.items() if value}
    hint = properties.get(_SESSION_NAME) or properties.get(_SESSION_PATH)
    return found | stated | {"feature_hint": hint if isinstance(hint, str) else None}


def _is_name(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or type(value) is int


def _times(request: Mapping[str, Any]) -> dict[str, Any]:
    first = request.get("time_to_first_token")
    is_timed = first not in _NO_TIME and not str(first).startswith("-")
    return {
        "started_at": parse_time(request.get("request_created_at"), timezone="UTC"),
        "ended_at": parse_time(request.get("response_created_at"), timezone="UTC"),
        "latency_ms": request.get("delay_ms"),
        "time_to_first_token_ms": first if is_timed else None,
        "is_streaming": True if is_timed else mapping(request.get("request_body")).get("stream"),
    }


def _outcome(request: Mapping[str, Any]) -> dict[str, Any]:
    status = str(request.get("response_status", "")).strip().removesuffix(".0")
    number = int(status) if status.removeprefix("-").isdecimal() and len(status) <= 5 else 0
    error = mapping(mapping(request.get("response_body")).get("error"))
    is_error = number >= 400 or (number < 0 and number != _PENDING)
    return {
        "is_error": is_error,
        "error_type": (error.get("type") or _FAILED_STATUS.get(status)) if is_error else None,
        "error_message": error.get("message") if is_error else None,
        "http_status": number if 100 <= number <= 599 else None,
    }


def _content(request: Mapping[str, Any]) -> dict[str, Any]:
    body = request.get("response_body")
    columns = answer_columns(body)
    columns.pop("request_id", None)
    columns.pop("response_model", None)
    return {"output": body or None} | columns | {"input": request_messages(request.get("request_body"))}


def _attributes(request: Mapping[str, Any], operation: str) -> dict[str, Any]:
    kept = (
        _IN_COLUMNS if operation in MODEL_OPERATIONS else _IN_COLUMNS - {"cost", "costUSD", "prompt_tokens"}
    )
    more = answer_rest(request.get("response_body"))
    tier = more.get("service_tier")
    rest = {
        f"helicone.{name}": value
        for name, value in request.items()
        if name not in kept and value not in ({}, [])
    }
    body = mapping(request.get("request_body"))
    asked = {name: value for name, value in body.items() if name not in _ASKED and value not in (None, "")}
    rest |= {"helicone.request_body": asked} if asked else {}
    rest |= {"helicone.response_body": more} if more else {}
    return rest | ({SERVICE_TIER: tier} if isinstance(tier, str) else {})
