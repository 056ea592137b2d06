import pytest

from llmops_lib.sources.otlp_values import any_value, attribute_dict, camel_cased, int64, span_identifier
from llmops_lib.sources.refusals import Refused


def _reason(function, *arguments):
    with pytest.raises(Refused) as refusal:
        function(*arguments)
    return refusal.value.reason


@pytest.mark.parametrize(
    ("value", "held"),
    [
        ({"stringValue": "x"}, "x"),
        ({"stringValue": ""}, ""),
        ({"intValue": "120"}, 120),
        ({"intValue": 120}, 120),
        ({"intValue": {"low": -1, "high": 1, "unsigned": False}}, 8589934591),
        ({"doubleValue": 0.5}, 0.5),
        ({"boolValue": False}, False),
        ({"bytesValue": "AAE="}, "AAE="),
        ({"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "2"}]}}, ["a", 2]),
        ({"arrayValue": {}}, []),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}}, {"a": 1}),
        ({"string_value": None, "int_value": "7", "array_value": None}, 7),
        ({}, None),
        (None, None),
        ({"newValue": 1}, None),
    ],
)
def test_every_kind_of_value_is_read(value, held):
    """Protobuf writers, the JavaScript exporter and converters spell values differently."""
    assert any_value(value) == held


def test_attributes_without_a_value_are_known_to_be_there():
    """Protobuf leaves defaults out, so the value of an empty text may be missing."""
    assert attribute_dict([{"key": "a"}, {"key": "b", "value": None}]) == {"a": None, "b": None}
    assert attribute_dict(None) == {}


@pytest.mark.parametrize(
    "attributes", [[1], {"a": 1}, "x", [{"value": {}}], [{"key": 1}], [{"key": "a", "value": 1}]]
)
def test_malformed_attributes_are_refused(attributes):
    """A span whose attributes cannot be read may hide its tokens."""
    assert _reason(attribute_dict, attributes) == "type"


def test_an_attribute_with_two_values_is_refused():
    """Either may be right; the same value twice is harmless."""
    twice = [{"key": "a", "value": {"intValue": "1"}}, {"key": "a", "value": {"intValue": 1}}]
    assert attribute_dict(twice) == {"a": 1}
    assert _reason(attribute_dict, [*twice, {"key": "a", "value": {"intValue": "2"}}]) == "duplicate_key"


def test_integers_keep_every_digit():
    """Times in nanoseconds are beyond what a double holds."""
    assert int64("1795424049931588912") == 1795424049931588912
    assert int64({"low": 1342177279, "high": 418031573}) == (418031573 << 32) + 1342177279


@pytest.mark.parametrize("value", [None, 1.5, True, "", "many", "9" * 5_000, {"low": 1}, []])
def test_what_is_no_integer_stays_as_it_is(value):
    """The check of the column names the reason."""
    assert int64(value) is value


@pytest.mark.parametrize(
    ("value", "identifier"),
    [
        ("B7AD6B7169203331", "b7ad6b7169203331"),
        ("0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319c"),
        ("HnWcHAY9I/s=", "1e759c1c063d23fb"),
        ("/bXthvq6dR5sz47Tzv6znQ==", "fdb5ed86faba751e6ccf8ed3cefeb39d"),
        ("", None),
        (None, None),
        ("0" * 16, "0" * 16),
    ],
)
def test_ids_are_lower_case_hex_from_every_dialect(value, identifier):
    """The same trace must have one id in every file that holds a part of it."""
    assert span_identifier(value, "spanId") == identifier


@pytest.mark.parametrize(
    ("value", "reason"),
    [("xyz", "invalid_id"), ("g" * 16, "invalid_id"), ("!" * 12, "invalid_id"), (7, "type")],
)
def test_what_is_no_id_is_refused(value, reason):
    """A made-up id would join spans that do not belong together."""
    assert _reason(span_identifier, value, "spanId") == reason


def test_protobuf_names_become_those_of_otlp():
    """Converters write the names of the schema."""
    fields = {"trace_id": "t", "start_time_unix_nano": 1, "name": "n"}
    assert camel_cased(fields) == {"traceId": "t", "startTimeUnixNano": 1, "name": "n"}
