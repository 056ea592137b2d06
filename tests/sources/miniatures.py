"""One small valid record of every format that people keep on lines, written out by hand.

Every record holds exactly one model call, or one passed example of an eval, and the records of different
numbers differ in their identifiers. Traces: 120 tokens in (20 of them read from a cache), 30 out, two and
a half seconds from 2026-03-02T10:00:00Z, asked with the text `hi`.
"""

from typing import Any

STARTED = "2026-03-02T10:00:00.000000Z"
ENDED = "2026-03-02T10:00:02.500000Z"
STARTED_NS = 1772445600_000_000_000
ENDED_NS = STARTED_NS + 2_500_000_000
MESSAGES = [{"role": "user", "content": "hi"}]
ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
}


def _attribute(name: str, value: str | int, key: str = "") -> dict[str, Any]:
    kind = "stringValue" if isinstance(value, str) else "intValue"
    return {"key": name, "value": {key or kind: value if isinstance(value, str) else str(value)}}


_GEN_AI: dict[str, str | int] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.input_tokens": 120,
    "gen_ai.usage.output_tokens": 30,
    "gen_ai.usage.cache_read.input_tokens": 20,
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]',
}


def otlp(number: int = 1) -> dict[str, Any]:
    """An export request of the collector with one span."""
    span = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": str(STARTED_NS),
        "endTimeUnixNano": str(ENDED_NS),
        "attributes": [_attribute(name, value) for name, value in _GEN_AI.items()],
        "status": {},
    }
    scope = {"name": "opentelemetry.instrumentation.openai_v2", "version": "2.4b0"}
    resource = {"attributes": [_attribute("service.name", "support")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": [span]}]}]}


def console(number: int = 1) -> dict[str, Any]:
    """A span as Python's console exporter prints it, on one line."""
    return {
        "name": "chat gpt-4o",
        "context": {"trace_id": f"0x{number:032x}", "span_id": f"0x{number:016x}", "trace_state": "[]"},
        "kind": "SpanKind.CLIENT",
        "parent_id": None,
        "start_time": STARTED,
        "end_time": ENDED,
        "status": {"status_code": "UNSET"},
        "attributes": dict(_GEN_AI),
        "events": [],
        "links": [],
        "resource": {"attributes": {"service.name": "support"}, "schema_url": ""},
    }


_OPENINFERENCE: dict[str, Any] = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o-2024-08-06",
    "llm.system": "openai",
    "llm.token_count.prompt": 120,
    "llm.token_count.completion": 30,
    "llm.token_count.prompt_details.cache_read": 20,
    "input.value": "hi",
}


def phoenix(number: int = 1) -> dict[str, Any]:
    """A span of Phoenix's REST API."""
    return {
        "id": f"U3Bhbjo{number}",
        "name": "ChatCompletion",
        "context": {"trace_id": f"{number:032x}", "span_id": f"{number:016x}"},
        "span_kind": "LLM",
        "parent_id": None,
        "start_time": STARTED,
        "end_time": ENDED,
        "status_code": "OK",
        "status_message": "",
        "attributes": dict(_OPENINFERENCE),
        "events": [],
    }


def phoenix_row(number: int = 1) -> dict[str, Any]:
    """A row of Phoenix's dataframe, saved as JSON Lines."""
    span = phoenix(number)
    context = {f"context.{name}": value for name, value in span.pop("context").items()}
    attributes = {f"attributes.{name}": value for name, value in span.pop("attributes").items()}
    return {**{name: value for name, value in span.items() if name != "id"}, **context, **attributes}


def phoenix_otlp(number: int = 1) -> dict[str, Any]:
    """A span of Phoenix's endpoint `otlpv1`."""
    attributes = [
        {"key": name, "value": {"string_value": None, "int_value": None, kind: value}}
        for name, value in _OPENINFERENCE.items()
        for kind in ["string_value" if isinstance(value, str) else "int_value"]
    ]
    return {
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
        "parent_span_id": "",
        "name": "ChatCompletion",
        "start_time_unix_nano": STARTED_NS,
        "end_time_unix_nano": ENDED_NS,
        "attributes": attributes,
        "status": {"code": 1, "message": ""},
        "events": [],
    }


def langfuse(number: int = 1) -> dict[str, Any]:
    """An observation of Langfuse's API and of its table export."""
    return {
        "id": f"o-{number}",
        "traceId": f"t-{number}",
        "projectId": "p-1",
        "type": "GENERATION",
        "parentObservationId": None,
        "name": "answer",
        "startTime": STARTED,
        "endTime": ENDED,
        "level": "DEFAULT",
        "statusMessage": None,
        "environment": "prod",
        "model": "gpt-4o-2024-08-06",
        "input": {"messages": MESSAGES},
        "output": {"role": "assistant", "content": "hello"},
        "metadata": {"note": "kept"},
        "usageDetails": {"input": 100, "input_cached_tokens": 20, "output": 30, "total": 150},
        "costDetails": {"total": 0.25},
    }


def langfuse_blob(number: int = 1) -> dict[str, Any]:
    """A row of Langfuse's export to blob storage."""
    return {
        "id": f"o-{number}",
        "trace_id": f"t-{number}",
        "project_id": "p-1",
        "environment": "prod",
        "type": "GENERATION",
        "parent_observation_id": None,
        "start_time": "2026-03-02 10:00:00.000000",
        "end_time": "2026-03-02 10:00:02.500000",
        "name": "answer",
        "metadata": {"note": "kept"},
        "level": "DEFAULT",
        "status_message": None,
        "input": '[{"role": "user", "content": "hi"}]',
        "output": '{"role": "assistant", "content": "hello"}',
        "provided_model_name": "gpt-4o-2024-08-06",
        "usage_details": {"input": 100, "input_cached_tokens": 20, "output": 30, "total": 150},
        "cost_details": {"total": 0.25},
        "total_cost": 0.25,
    }


def langsmith(number: int = 1) -> dict[str, Any]:
    """A run of LangSmith."""
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "trace_id": f"00000000-0000-4000-8000-{number:012d}",
        "parent_run_id": None,
        "dotted_order": f"20260302T100000000000Z00000000-0000-4000-8000-{number:012d}",
        "session_id": "6ee5b24b-5ea0-55f1-af8b-49cd45a39436",
        "name": "ChatOpenAI",
        "run_type": "llm",
        "start_time": "2026-03-02T10:00:00.000000",
        "end_time": "2026-03-02T10:00:02.500000",
        "status": "success",
        "error": None,
        "inputs": {"messages": MESSAGES},
        "outputs": ANSWER,
        "extra": {"metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o"}},
        "events": [],
        "tags": ["prod"],
        "prompt_tokens": 120,
        "completion_tokens": 30,
        "total_tokens": 150,
        "prompt_token_details": {"cache_read": 20},
        "total_cost": "0.25",
    }


def langsmith_operation(number: int = 1) -> dict[str, Any]:
    """An operation that creates a run, as LangSmith's SDKs send it."""
    run = langsmith(number)
    dropped = (
        "status",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_token_details",
        "total_cost",
    )
    usage = {"input_tokens": 120, "output_tokens": 30, "input_token_details": {"cache_read": 20}}
    kept = {name: value for name, value in run.items() if name not in dropped}
    return {**kept, "outputs": {**ANSWER, "usage_metadata": usage}}


def litellm(number: int = 1) -> dict[str, Any]:
    """A spend log of LiteLLM's proxy."""
    return {
        "request_id": f"chatcmpl-{number}",
        "call_type": "acompletion",
        "api_key": "0f",
        "spend": 0.25,
        "total_tokens": 150,
        "prompt_tokens": 120,
        "completion_tokens": 30,
        "startTime": "2026-03-02T10:00:00.000000+00:00",
        "endTime": "2026-03-02T10:00:02.500000+00:00",
        "completionStartTime": "2026-03-02T10:00:02.500000+00:00",
        "model": "openai/gpt-4o",
        "model_group": "gpt-4o",
        "custom_llm_provider": "openai",
        "user": "ann",
        "team_id": "team-a",
        "metadata": '{"usage_object": {"prompt_tokens_details": {"cached_tokens": 20}}}',
        "cache_hit": "None",
        "request_tags": '["beta"]',
        "session_id": f"s-{number}",
        "status": "success",
        "messages": MESSAGES,
        "response": ANSWER,
    }


def litellm_payload(number: int = 1) -> dict[str, Any]:
    """A standard logging payload of LiteLLM's callbacks."""
    return {
        "id": f"chatcmpl-{number}",
        "trace_id": f"s-{number}",
        "call_type": "acompletion",
        "stream": None,
        "status": "success",
        "status_fields": {"llm_api_status": "success"},
        "custom_llm_provider": "openai",
        "startTime": 1772445600.0,
        "endTime": 1772445602.5,
        "completionStartTime": 1772445602.5,
        "response_time": 2.5,
        "model": "openai/gpt-4o",
        "model_group": "gpt-4o",
        "metadata": {"usage_object": {"prompt_tokens_details": {"cached_tokens": 20}}},
        "response_cost": 0.25,
        "total_tokens": 150,
        "prompt_tokens": 120,
        "completion_tokens": 30,
        "request_tags": ["beta"],
        "messages": MESSAGES,
        "response": ANSWER,
        "hidden_params": {},
    }


def helicone(number: int = 1) -> dict[str, Any]:
    """A request of Helicone's query API."""
    return {
        "response_id": f"chatcmpl-{number}",
        "response_created_at": "2026-03-02 10:00:02.500",
        "response_status": 200,
        "response_model": "gpt-4o-2024-08-06",
        "request_id": f"00000000-0000-4000-8000-{number:012d}",
        "request_created_at": "2026-03-02 10:00:00.000",
        "request_body": {"messages": MESSAGES},
        "request_path": "https://api.openai.com/v1/chat/completions",
        "request_user_id": "ann",
        "request_properties": {"feature": "faq"},
        "request_model": "gpt-4o",
        "provider": "OPENAI",
        "delay_ms": 2500,
        "prompt_tokens": 120,
        "prompt_cache_read_tokens": 20,
        "completion_tokens": 30,
        "total_tokens": 150,
        "cost": 0.25,
        "cache_reference_id": "00000000-0000-0000-0000-000000000000",
    }


_MLFLOW: dict[str, str] = {
    "mlflow.spanType": '"CHAT_MODEL"',
    "mlflow.spanInputs": '{"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}',
    "mlflow.spanOutputs": '{"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "choices": []}',
    "mlflow.chat.tokenUsage": '{"input_tokens": 120, "output_tokens": 30, "cache_read_input_tokens": 20}',
    "mlflow.llm.cost": '{"input_cost": 0.1, "output_cost": 0.15, "total_cost": 0.25}',
}


def mlflow(number: int = 1) -> dict[str, Any]:
    """A trace of MLflow 3 with one span."""
    span = {
        "trace_id": f"{number:021d}A==",
        "span_id": f"{number:010d}A=",
        "parent_span_id": None,
        "name": "Completions",
        "start_time_unix_nano": STARTED_NS,
        "end_time_unix_nano": ENDED_NS,
        "events": [],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": dict(_MLFLOW),
    }
    info = {
        "trace_id": f"tr-{number:032x}",
        "request_time": STARTED,
        "execution_duration_ms": 2500,
        "state": "OK",
        "trace_metadata": {"mlflow.trace.session": "s-1"},
        "tags": {"feature": "qa"},
    }
    return {"info": info, "data": {"spans": [span]}}


def mlflow_2(number: int = 1) -> dict[str, Any]:
    """A trace of MLflow 2 with one span, its data as text."""
    span = {
        "name": "Completions",
        "context": {"trace_id": f"0x{number:032x}", "span_id": f"0x{number:016x}"},
        "parent_id": None,
        "start_time": STARTED_NS,
        "end_time": ENDED_NS,
        "status_code": "OK",
        "status_message": "",
        "attributes": dict(_MLFLOW),
        "events": [],
    }
    info = {
        "request_id": f"tr-{number:032x}",
        "experiment_id": "1",
        "timestamp_ms": STARTED_NS // 1_000_000,
        "execution_time_ms": 2500,
        "status": "OK",
        "request_metadata": {"mlflow.trace.session": "s-1"},
        "tags": {"feature": "qa"},
    }
    return {"info": info, "data": {"spans": [span], "request": "{}", "response": "{}"}}


def opik(number: int = 1) -> dict[str, Any]:
    """A span of Opik."""
    return {
        "id": f"s-{number}",
        "project_name": "support",
        "trace_id": f"t-{number}",
        "parent_span_id": None,
        "name": "chat_completion_create",
        "type": "llm",
        "start_time": STARTED,
        "end_time": ENDED,
        "input": {"messages": MESSAGES},
        "output": ANSWER,
        "metadata": {"created_from": "openai"},
        "model": "gpt-4o",
        "provider": "openai",
        "usage": {
            "prompt_tokens": 120,
            "completion_tokens": 30,
            "total_tokens": 150,
            "original_usage.prompt_tokens_details.cached_tokens": 20,
        },
        "total_estimated_cost": 0.25,
        "last_updated_at": "2026-03-02T10:00:02.600000Z",
    }


def braintrust(number: int = 1) -> dict[str, Any]:
    """A row of a Braintrust log."""
    return {
        "id": f"r-{number}",
        "span_id": f"s-{number}",
        "root_span_id": f"t-{number}",
        "span_parents": None,
        "span_attributes": {"name": "Chat Completion", "type": "llm"},
        "created": "2026-03-02T10:00:03Z",
        "input": MESSAGES,
        "output": ANSWER["choices"],
        "metadata": {"provider": "openai", "model": "gpt-4o"},
        "metrics": {
            "start": 1772445600.0,
            "end": 1772445602.5,
            "prompt_tokens": 120,
            "completion_tokens": 30,
            "tokens": 150,
            "prompt_cached_tokens": 20,
        },
        "tags": ["prod"],
        "project_id": "support",
        "log_id": "g",
    }


def weave(number: int = 1) -> dict[str, Any]:
    """A call of Weave."""
    usage = {
        "requests": 1,
        "prompt_tokens": 120,
        "completion_tokens": 30,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 20},
    }
    return {
        "id": f"c-{number}",
        "project_id": "team/support",
        "op_name": "weave:///team/support/op/openai.chat.completions.create:v1",
        "trace_id": f"t-{number}",
        "parent_id": None,
        "started_at": STARTED,
        "ended_at": ENDED,
        "attributes": {"env": "prod"},
        "inputs": {"model": "gpt-4o", "messages": MESSAGES},
        "output": ANSWER,
        "exception": None,
        "summary": {"usage": {"gpt-4o-2024-08-06": usage}},
    }


def table(number: int = 1) -> dict[str, Any]:
    """A row of a plain table under canonical names."""
    return {
        "trace_id": f"t-{number}",
        "span_id": f"s-{number}",
        "started_at": STARTED,
        "ended_at": ENDED,
        "model": "gpt-4o",
        "input_tokens": 120,
        "output_tokens": 30,
        "cache_read_tokens": 20,
        "input": "hi",
    }


TRACES = {
    "otlp": ("otlp", otlp),
    "console": ("otlp", console),
    "phoenix": ("phoenix", phoenix),
    "phoenix_row": ("phoenix", phoenix_row),
    "phoenix_otlp": ("phoenix", phoenix_otlp),
    "langfuse": ("langfuse", langfuse),
    "langfuse_blob": ("langfuse", langfuse_blob),
    "langsmith": ("langsmith", langsmith),
    "langsmith_operation": ("langsmith", langsmith_operation),
    "litellm": ("litellm", litellm),
    "litellm_payload": ("litellm", litellm_payload),
    "helicone": ("helicone", helicone),
    "mlflow": ("mlflow", mlflow),
    "mlflow_2": ("mlflow", mlflow_2),
    "opik": ("opik", opik),
    "braintrust": ("braintrust", braintrust),
    "weave": ("weave", weave),
    "table": ("table", table),
}
"""Name -> source format, and what writes the record of a number."""


def promptfoo(number: int = 1) -> dict[str, Any]:
    """A result of promptfoo."""
    return {
        "provider": {"id": "openai:gpt-4o"},
        "prompt": {"raw": "x", "label": "x"},
        "testIdx": number,
        "vars": {"q": f"question {number}"},
        "success": True,
        "score": 1,
        "response": {"output": "hi"},
    }


def openai_evals(number: int = 1) -> dict[str, Any]:
    """An event of a log of OpenAI evals."""
    return {
        "run_id": "r",
        "event_id": number,
        "sample_id": f"s.{number}",
        "type": "match",
        "data": {"correct": True, "expected": "hi", "picked": "hi"},
        "created_at": "2026-03-02 10:00:00.000000+00:00",
    }


def lm_eval(number: int = 1) -> dict[str, Any]:
    """A sample of lm-evaluation-harness."""
    return {
        "doc_id": number,
        "doc": {"question": "q"},
        "target": "hi",
        "arguments": [["q", " hi"]],
        "resps": [["hi"]],
        "filtered_resps": ["hi"],
        "filter": "none",
        "metrics": ["acc"],
        "acc": 1.0,
    }


def ragas(number: int = 1) -> dict[str, Any]:
    """A row of a RAGAS dataframe."""
    return {
        "user_input": f"question {number}",
        "retrieved_contexts": ["c"],
        "response": "hi",
        "reference": "hi",
        "faithfulness": 0.5,
    }


def alpaca_eval(number: int = 1) -> dict[str, Any]:
    """An annotation of AlpacaEval."""
    return {
        "instruction": f"question {number}",
        "output_1": "x",
        "output_2": "hi",
        "generator_1": "reference",
        "generator_2": "m",
        "annotator": "judge",
        "preference": 2,
    }


def score_table(number: int = 1) -> dict[str, Any]:
    """A row of a plain table of scores."""
    return {"example_id": f"e-{number}", "scorer": "exact", "score": 1, "output": "hi"}


SCORES = {
    "promptfoo": ("promptfoo", promptfoo),
    "openai_evals": ("openai_evals", openai_evals),
    "lm_eval": ("lm_eval", lm_eval),
    "ragas": ("ragas", ragas),
    "alpaca_eval": ("alpaca_eval", alpaca_eval),
    "score_table": ("table", score_table),
}
"""Name -> source format of eval results that stand on lines, and what writes the record of a number."""
