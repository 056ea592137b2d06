"""Lines that must end in the quarantine: nothing in them can be taken, each for its own reason."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from llmops_lib.demo.otlp import export_line
from llmops_lib.demo.planted import epoch_ns
from llmops_lib.demo.spans import count_attribute, text_attribute

BAD_LINE_COUNT = 7


def bad_lines() -> tuple[Callable[[datetime], bytes], ...]:
    """Makers of the lines; each takes the day in which the line stands."""
    return (_cut_off, _log_text, _negative_tokens, _not_a_request, _without_id, _without_start, _not_utf8)


def _cut_off(day: datetime) -> bytes:
    line = _request(_span(day))
    return line[: len(line) * 2 // 3]


def _log_text(day: datetime) -> bytes:
    return f"{day:%Y-%m-%dT%H:%M:%SZ} WARN exporter queue is full, dropping data".encode()


def _negative_tokens(day: datetime) -> bytes:
    span = _span(day)
    span["attributes"].append(count_attribute("gen_ai.usage.input_tokens", -1))
    return _request(span)


def _not_a_request(_day: datetime) -> bytes:
    return b'["resourceSpans"]'


def _without_id(day: datetime) -> bytes:
    return _request({**_span(day), "spanId": ""})


def _without_start(day: datetime) -> bytes:
    return _request({**_span(day), "startTimeUnixNano": "0"})


def _not_utf8(day: datetime) -> bytes:
    return _request({**_span(day), "name": "caf?"}).replace(b"caf?", b"caf\xe9")


def _span(day: datetime) -> dict[str, Any]:
    digits = f"{epoch_ns(day):016x}"
    return {
        "traceId": digits * 2,
        "spanId": digits,
        "parentSpanId": "",
        "name": "chat gpt-4o-mini",
        "kind": 3,
        "startTimeUnixNano": str(epoch_ns(day)),
        "endTimeUnixNano": str(epoch_ns(day) + 10**9),
        "attributes": [
            text_attribute("gen_ai.operation.name", "chat"),
            text_attribute("gen_ai.request.model", "gpt-4o-mini"),
        ],
        "status": {},
    }


def _request(span: dict[str, Any]) -> bytes:
    return export_line({0: [span]})
