"""One law for every format that people keep on lines: each line is a row or is refused, whatever it holds."""

import copy
import json
from base64 import b64decode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from llmops_lib.errors import LlmopsError
from llmops_lib.schema import REASONS
from llmops_lib.sources.detect import detect_format, named_reader
from llmops_lib.sources.load import read_exports
from llmops_lib.sources.results.detect import named_score_reader
from llmops_lib.sources.results.load import read_results
from tests.sources.miniatures import SCORES, TRACES

EVERY = [*TRACES, *SCORES]
# Shrinking would write and read a file thousands of times.
LAWFUL = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
JUNK = st.sampled_from(
    [
        *(None, "", 0, -1, 1.5, 1e300, True, [], {}, [None], [[{}]], {"key": 1}, {"id": []}, "x" * 3_000),
        *(2**63 - 1, 2**63, 2**64, -(2**70), "9" * 400, "0" * 32, "NaN", "1e999", "[{", "{}", "null", '"x"'),
        *("\0", "\ud800", "{'a': 1}", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", {"low": 1, "high": 2}),
        '{"messages": [{"role": "user", "content": [1, null, {"type": []}]}]}',
    ]
) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
NEW_KEYS = st.sampled_from(["id", "type", "data", "spans", "trace", "observations", "rows", "calls", "x", ""])
DAMAGE = st.tuples(st.integers(0, 1 << 16), NEW_KEYS | st.none(), JUNK)
"""Where in a record, whether under a new key there, and what."""


def record(name, number=1):
    """A good record of a format."""
    return (TRACES | SCORES)[name][1](number)


def lines_of(name, *numbers):
    """Good lines of a format."""
    return [json.dumps(record(name, number)).encode() for number in numbers]


def read(name, path):
    """Good rows (identity -> line), quarantine and facts of a file, detected without help."""
    if name in TRACES:
        load = read_exports(path)
        rows = load.spans.select("trace_id", "span_id", "source_line")
    else:
        load = read_results(path)
        rows = load.scores.select("example_id", "scorer", "source_line")
    (facts,) = load.files
    assert facts.source_format == (TRACES | SCORES)[name][0]
    kept = load.spans.height if name in TRACES else facts.scored_count
    assert facts.rows_read == kept + load.quarantine.height
    assert set(load.quarantine["reason"].str.split(":").list.first()) <= set(REASONS)
    return {row[:2]: row[2] for row in rows.iter_rows()}, load.quarantine, facts


def read_alone(name, path):
    """What the reader of a format makes of a file, without detection and without what follows reading."""
    source_format = (TRACES | SCORES)[name][0]
    reader = named_reader(source_format) if name in TRACES else named_score_reader(source_format)
    rows = reader.read(path)
    if name in TRACES:
        assert rows.rows_read == rows.spans.height + rows.quarantine.height + rows.log_messages.height
    else:
        assert rows.rows_read == rows.scores["source_line"].n_unique() + rows.quarantine.height
    assert set(rows.quarantine["reason"].str.split(":").list.first()) <= set(REASONS)
    return rows


def good(name, tmp_path, *numbers):
    """The identities of good records, each with its line among good ones alone."""
    path = tmp_path / "good.jsonl"
    path.write_bytes(b"\n".join(lines_of(name, *numbers)))
    found, quarantine, _ = read(name, path)
    assert quarantine.is_empty()
    assert sorted(found.values()) == list(range(1, len(numbers) + 1))
    return found


def hostile_lines(shared):
    """Single lines that break parsers: bad JSON, bad encodings, odd spans, and plain text; none is blank."""

    def cases(name):
        return map(
            json.loads, (shared / "corpora" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        )

    raws = [
        b64decode(case["b64"]) if "b64" in case else case["repeat"][0].encode() * case["repeat"][1]
        for case in (*cases("json_parsing"), *cases("trace_lines"))
    ]
    raws += [case["text"].encode(errors="surrogatepass") for case in cases("naughty_strings")]
    lines = [raw.replace(b"\n", b" ").replace(b"\r", b" ") for raw in raws]
    return [line for line in lines if line.strip(b" \t\xef\xbb\xbf\x0b\x0c")]


@pytest.mark.parametrize("name", EVERY)
def test_hostile_lines_cost_only_themselves(shared, tmp_path, name):
    """A file must be recognised, and its good lines kept, whatever stands before, between and behind them."""
    hostile = hostile_lines(shared)
    first, second, third = lines_of(name, 1, 2, 3)
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"\n".join([*hostile[:40], first, *hostile[40:300], second, third, *hostile[300:]]))
    found, quarantine, facts = read(name, path)
    moved = {1: 41, 2: 302, 3: 303}
    assert found == {row: moved[line] for row, line in good(name, tmp_path, 1, 2, 3).items()}
    assert facts.rows_read == 3 + len(hostile)
    assert quarantine["source_line"].n_unique() == len(hostile)


def test_no_first_line_hides_what_a_file_is(shared, tmp_path):
    """The first line is the one that log rotation cuts off."""
    path = tmp_path / "lines.jsonl"
    for line in hostile_lines(shared):
        if not line.startswith(b"\x1f\x8b"):
            path.write_bytes(b"\n".join([line, *lines_of("langfuse", 1, 2, 3)]))
            assert detect_format(path) == "langfuse", line[:80]


@pytest.mark.parametrize("name", EVERY)
@settings(parent=LAWFUL)
@given(damaged=st.lists(st.lists(DAMAGE, min_size=1, max_size=4), min_size=5, max_size=40))
def test_records_with_junk_in_them_are_rows_or_refused(tmp_path_factory, name, damaged):
    """Any field may be absent or of any type, and no line may vanish or take others with it."""
    path = tmp_path_factory.mktemp("junk") / "lines.jsonl"
    records = [record(name)]
    records += [with_damage(record(name, number), parts) for number, parts in enumerate(damaged, start=2)]
    path.write_text("\n".join(map(json.dumps, records)))
    rows = read_alone(name, path)
    kept = (rows.spans if name in TRACES else rows.scores)["source_line"]
    assert 1 in kept
    gone = set(range(1, len(records) + 1)) - {*kept, *rows.quarantine["source_line"]}
    gone -= set(rows.log_messages["source_line"]) if name in TRACES else set()
    assert not [records[number - 1] for number in gone if not _is_empty_request(records[number - 1])]


def _is_empty_request(value):
    """OTLP whose lists are empty holds nothing, and an exporter may write it."""
    requests = value.get("resourceSpans", "")
    scopes = [scope for group in requests or () for scope in group.get("scopeSpans") or ()]
    return requests != "" and not any(scope.get("spans") for scope in scopes)


def with_damage(value, parts):
    """The record after some of its values were replaced, or keys added."""
    value = copy.deepcopy(value)
    for number, key, junk in parts:
        places = list(_places(value))
        holder, name = places[number % len(places)] if places else (value, "x")
        if key is not None and isinstance(holder, dict):
            holder[key] = copy.deepcopy(junk)
        else:
            holder[name] = copy.deepcopy(junk)
    return value


def _places(value):
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield value, name
        yield from _places(part)


@pytest.mark.parametrize("name", EVERY)
@settings(parent=LAWFUL)
@given(
    flips=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=60),
    is_first_line_whole=st.booleans(),
)
def test_flipped_bytes_lose_no_line(tmp_path_factory, name, flips, is_first_line_whole):
    """Disks and transfers damage bytes, not fields."""
    raw = bytearray(b"\n".join(lines_of(name, *range(1, 9))))
    first = raw.index(b"\n") + 1 if is_first_line_whole else 0
    for position, byte in flips:
        raw[first + position % (len(raw) - first)] = byte
    path = tmp_path_factory.mktemp("flips") / "lines.jsonl"
    path.write_bytes(raw)
    try:
        rows = read_alone(name, path)
    except LlmopsError:
        # With its beginning a file may lose what tells that it is one of lines.
        assert not is_first_line_whole
    else:
        line_count = sum(1 for line in raw.split(b"\n") if line.strip(b"\r\xef\xbb\xbf \t\x0b\x0c"))
        assert rows.rows_read >= line_count or not is_first_line_whole


@pytest.mark.parametrize("name", EVERY)
def test_a_line_cut_off_at_any_byte_costs_one_line(tmp_path, name):
    """A full disk and a killed process both end a file in the middle of a line."""
    first, second, third = lines_of(name, 1, 2, 3)
    path = tmp_path / "lines.jsonl"
    for length in range(1, len(second), max(len(second) // 12, 1)):
        path.write_bytes(b"\n".join([first, third, second[:length]]))
        rows = read_alone(name, path)
        kept = rows.spans if name in TRACES else rows.scores
        assert kept["source_line"].unique().sort().to_list() == [1, 2]
        assert rows.quarantine["source_line"].to_list() == [3]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("phoenix", "data"),
        ("phoenix_row", "data"),
        ("phoenix_otlp", "data"),
        ("litellm", "data"),
        ("litellm_payload", "data"),
        ("helicone", "data"),
        ("langfuse", "data"),
        ("langsmith", "runs"),
        ("opik", "spans"),
        ("opik", "content"),
        ("braintrust", "rows"),
        ("braintrust", "events"),
        ("weave", "calls"),
        ("weave", "start"),
    ],
)
def test_a_record_with_a_key_of_pages_is_still_a_record(tmp_path, name, key):
    """Taken for an empty page it would vanish without a trace."""
    path = tmp_path / "lines.jsonl"
    path.write_text(json.dumps({**record(name), key: {} if key == "start" else []}))
    assert read_alone(name, path).spans.height == 1
