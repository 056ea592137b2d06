"""Spans of Phoenix's endpoint otlpv1."""

from llmops_lib.sources.phoenix_otlp import span_of_otlp

KINDS = (
    "array_value",
    "bool_value",
    "bytes_value",
    "double_value",
    "int_value",
    "kvlist_value",
    "string_value",
)


def _value(**given):
    return {**dict.fromkeys(KINDS), **given}


def _attributes(**values):
    pairs = [{"key": key, "value": value} for key, value in values.items()]
    return span_of_otlp({"trace_id": "t", "attributes": pairs})["attributes"]


def test_the_value_that_is_not_null_counts():
    """Every kind of value is present, all but one as null; false and 0 are values."""
    values = {
        "a": _value(string_value="x"),
        "b": _value(int_value="12"),
        "c": _value(int_value=0),
        "d": _value(bool_value=False),
        "e": _value(double_value=0.5),
        "f": _value(),
    }
    assert _attributes(**values) == {"a": "x", "b": 12, "c": 0, "d": False, "e": 0.5, "f": None}


def test_lists_and_objects_are_unwrapped():
    """Their items are wrapped again."""
    listed = _value(array_value={"values": [_value(string_value="x"), _value(int_value="2")]})
    tree = _value(kvlist_value={"values": [{"key": "k", "value": _value(bool_value=True)}]})
    assert _attributes(listed=listed, tree=tree) == {"listed": ["x", 2], "tree": {"k": True}}


def test_nanoseconds_that_passed_through_a_float_are_rounded_to_microseconds():
    """1795424647551860992 stands for .551861; cutting it off would move spans before their parents."""
    assert span_of_otlp({"start_time_unix_nano": 1795424647551860992})["start_time"] == 1795424647551861


def test_only_status_2_is_an_error():
    """0 and 1 are unset and ok; an exporter may write the names instead."""
    codes = (0, 1, 2, "STATUS_CODE_ERROR", None)
    found = [span_of_otlp({"status": {"code": code}})["status_code"] for code in codes]
    assert found == ["UNSET", "OK", "ERROR", "ERROR", "UNSET"]
