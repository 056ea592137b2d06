"""Lines that an ingester must judge as stated, written as OTLP, and exports with values replaced by junk."""

import copy
import json
import random
from base64 import b64decode

import pytest

from llmops_lib.schema import REASONS
from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.otlp import read_otlp
from llmops_lib.sources.refusals import Refused

# OTLP states its unit and has no times without a zone; those cases are tests of parse_time.
NOT_OTLP = ("epoch_ms", "epoch_s_float", "naive_time", "blank_line")
REASON_NAMES = {"clock_skew": "time_range"}
JUNK = (
    None,
    "",
    0,
    -1,
    1.5,
    True,
    [],
    {},
    [None],
    {"key": 1},
    {"stringValue": {"x": [1]}},
    {"intValue": "x"},
    {"arrayValue": {"values": [{"kvlistValue": {"values": [{"key": "a"}]}}]}},
    {"kvlistValue": {"values": 3}},
    "x" * 2_000,
    "[{",
    '{"messages": [{"role": "user", "content": [1, null, {"type": []}]}]}',
    2**70,
    "0" * 32,
    {"stringValue": '[{"role": "user", "parts": [3]}]'},
    {"stringValue": '{"usage": {"cache_read_input_tokens": []}, "id": 5}'},
)


def _cases(shared):
    text = (shared / "corpora" / "trace_lines.jsonl").read_text()
    return [case for case in map(json.loads, text.splitlines()) if case["name"] not in NOT_OTLP]


def _raw(case):
    raw = b64decode(case["b64"]).replace(b"\n", b" ")
    if grow := case.get("grow"):
        field = json.loads(raw)[grow["field"]]
        raw = raw.replace(json.dumps(field).encode(), json.dumps(field * grow["times"]).encode())
    return raw


def _as_otlp(raw):
    """The flat span of a case in an envelope of OTLP; a line that is no span stays as it is."""
    try:
        flat = parse_json(raw.removeprefix(b"\xef\xbb\xbf"))
    except Refused:
        return raw
    if not isinstance(flat, dict) or "traceId" in flat:
        return raw
    span = {
        "traceId": flat.get("trace_id"),
        "spanId": flat.get("span_id"),
        "parentSpanId": flat.get("parent_span_id"),
        "name": flat.get("name"),
        "startTimeUnixNano": flat.get("start_time"),
        "endTimeUnixNano": flat.get("end_time"),
        "attributes": _attributes(flat),
        **{name: value for name, value in flat.items() if name == "extra"},
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def _attributes(flat):
    attributes = flat.get("attributes", {})
    if not isinstance(attributes, dict):
        return attributes
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    listed = [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}]
    listed += [{"key": name, "value": {kinds[type(value)]: value}} for name, value in attributes.items()]
    for name in ("input", "output"):
        value = flat.get(name)
        text = value if isinstance(value, str) else json.dumps(value)
        listed.append({"key": f"gen_ai.{name}.messages", "value": {"stringValue": text}})
    return listed


def test_every_line_gets_the_verdict_that_was_stated(shared, tmp_path):
    """Accepted or refused is decided by the corpus; reasons are those of this library."""
    path = tmp_path / "line.jsonl"
    for case in _cases(shared):
        path.write_bytes(b'{"resourceSpans": []}\n' + _as_otlp(_raw(case)))
        found = read_otlp(path)
        is_accepted = case["verdict"].startswith("accept")
        assert (found.spans.height, found.quarantine.height) == ((1, 0) if is_accepted else (0, 1)), case[
            "name"
        ]
        if not is_accepted:
            reason = found.quarantine["reason"].item().split(":")[0]
            assert reason == REASON_NAMES.get(case["reason"], case["reason"]), case["name"]


def test_bad_lines_change_no_number_of_the_good_ones(shared, tmp_path):
    """A week of spend must not depend on what was lost beside it."""
    path = tmp_path / "lines.jsonl"
    cases = [case for case in _cases(shared) if "grow" not in case]
    path.write_bytes(b"\n".join(_as_otlp(_raw(case)) for case in cases))
    found = read_otlp(path)
    accepted = [case for case in cases if case["verdict"].startswith("accept")]
    assert found.rows_read == len(cases)
    assert found.spans.height == len(accepted)
    usage = [case for case in accepted if case["name"] != "no_usage"]
    assert found.spans["input_tokens"].sum() == 120 * len(usage)


@pytest.mark.parametrize("seed", range(20))
def test_junk_anywhere_in_an_export_raises_nothing(shared, tmp_path, seed):
    """Every value of a real export may be missing or of any type, and each row must still be in one table."""
    chance = random.Random(seed)  # noqa: S311 - repeatable junk, no secret
    files = sorted((shared / "fixtures" / "otlp_json").glob("*.jsonl"))
    lines = [line for file in chance.sample(files, 3) for line in file.read_text().splitlines()]
    path = tmp_path / "junk.jsonl"
    path.write_text("\n".join(json.dumps(_damaged(json.loads(line), chance)) for line in lines))
    found = read_otlp(path)
    assert found.rows_read == found.spans.height + found.quarantine.height + found.log_messages.height
    assert {reason.split(":")[0] for reason in found.quarantine["reason"]} <= set(REASONS)
    for column in ("input", "output", "tool_calls", "attributes"):
        for text in found.spans[column].drop_nulls():
            json.loads(text)


def _damaged(value, chance):
    value = copy.deepcopy(value)
    places = list(_places(value))
    for holder, name in chance.sample(places, min(20, len(places))):
        holder[name] = copy.deepcopy(chance.choice(JUNK))
    return value


def _places(value):
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, child in children:
        yield value, name
        yield from _places(child)
