"""What MLflow keeps on the trace: session, user, tags and assessments, brought to its spans."""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.attributes import canonical_row
from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.feedback import is_feedback
from llmops_lib.sources.mlflow_cells import cell_value, mapping, objects

_INHERITED = ("session_id", "user_id", "tenant", "feature", "environment", "release", "tags", "feature_hint")
_SESSION, _USER, _NAME = "mlflow.trace.session", "mlflow.trace.user", "mlflow.traceName"
# The previews repeat the root span, the spans stand in rows of their own.
_REPEATED = ("spans", "trace", "request", "response", "request_preview", "response_preview")
_DATA = ("trace_data", "data")
_REPEATED_METADATA = ("mlflow.traceInputs", "mlflow.traceOutputs")


def is_trace(value: Mapping[str, Any]) -> bool:
    """Whether an object is a trace of `Trace.to_dict`, with `info` and `data`."""
    return isinstance(value.get("info"), dict) and "data" in value


def as_trace(value: Mapping[str, Any]) -> dict[str, Any]:
    """A trace under the names of `Trace.to_dict`, where the server and its pages give it others.

    Args:
        value: `{"trace": {"trace_info", "spans"}}` of the REST API, `{"trace_info", "trace_data"}` of the
            user interface, or anything else, which stays as it is.

    Example:
        >>> as_trace({"trace": {"trace_info": {"trace_id": "tr-1"}, "spans": []}})
        {'info': {'trace_id': 'tr-1'}, 'data': {'spans': []}}
    """
    inner = value.get("trace")
    if isinstance(inner, dict) and "trace_info" in inner:
        value = {**{name: held for name, held in value.items() if name != "trace"}, **inner}
    if not isinstance(value.get("trace_info"), dict):
        return dict(value)
    data = next((value[name] for name in _DATA if name in value), {"spans": value.get("spans")})
    rest = {name: held for name, held in value.items() if name not in ("trace_info", "spans", *_DATA)}
    return {"info": value["trace_info"], "data": data, **rest}


def trace_info(trace: Mapping[str, Any]) -> dict[str, Any]:
    """What a trace says of its spans: SPANS columns, `feedback_score` and `attributes` of the root.

    Args:
        trace: A trace of `Trace.to_dict`, a row of `search_traces`, or an artifact, which has no info.
    """
    given = mapping(trace.get("info")) if is_trace(trace) else trace
    info = {name: cell_value(value) for name, value in given.items() if name not in _REPEATED}
    info = {name: value for name, value in info.items() if value not in (None, "", [], {})}
    for key in ("trace_metadata", "request_metadata"):
        if key in info:
            stated = mapping(info[key]).items()
            info[key] = {name: value for name, value in stated if name not in _REPEATED_METADATA}
    metadata = mapping(info.get("trace_metadata", info.get("request_metadata")))
    tags = mapping(info.get("tags"))
    own = {**metadata, **tags}
    evidence = canonical_row({"metadata": own}, name=None)
    return {
        **{name: evidence.get(name) for name in _INHERITED},
        "trace_id": info.get("trace_id", info.get("request_id")),
        **{name: own[key] for name, key in (("session_id", _SESSION), ("user_id", _USER)) if own.get(key)},
        "feature_hint": own.get(_NAME) or None,
        "feedback_score": _feedback(objects(info.get("assessments"))),
        "attributes": {f"mlflow.info.{name}": value for name, value in info.items()} | _around(trace),
    }


def _around(trace: Mapping[str, Any]) -> dict[str, Any]:
    found = beyond(mapping(trace.get("data")), ("spans", "request", "response"), "mlflow.data.")
    return found | beyond(trace, ("info", "data"), "mlflow.trace.") if is_trace(trace) else found


def span_count(info: Mapping[str, Any]) -> int | None:
    """How many spans a trace states that it has; None where it does not.

    Args:
        info: What `trace_info` returns, or nothing.
    """
    metadata = mapping(mapping(info.get("attributes")).get("mlflow.info.trace_metadata"))
    stated = mapping(cell_value(metadata.get("mlflow.trace.sizeStats"))).get("num_spans")
    return stated if type(stated) is int and stated >= 0 else None


def with_trace(row: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    """A row of SPANS with what its trace says where the span does not; the rest goes to the root.

    Args:
        row: What `span_row` returns.
        info: What `trace_info` returns, or nothing.
    """
    both = dict(row)
    for name in _INHERITED:
        if both.get(name) is None:
            both[name] = info.get(name)
    if both.get("parent_span_id") is None and info:
        both["attributes"] = {**both["attributes"], **info["attributes"]}
        both["feedback_score"] = info["feedback_score"]
    return both


def _feedback(assessments: list[dict[str, Any]]) -> float | None:
    found = [score for item in assessments if (score := _score(item)) is not None]
    return found[-1] if found else None


def _score(assessment: Mapping[str, Any]) -> float | None:
    source = mapping(assessment.get("source")).get("source_type")
    name = assessment.get("assessment_name", assessment.get("name"))
    value = mapping(assessment.get("feedback")).get("value")
    if str(source).upper() != "HUMAN" or not is_feedback(name) or not isinstance(value, int | float):
        return None
    return float(value)
