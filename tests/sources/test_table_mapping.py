"""The column mapping of plain tables."""

from datetime import UTC, datetime

import pytest

from llmops_lib.errors import SourceError
from llmops_lib.sources.table import read_table
from llmops_lib.sources.table_mapping import read_mapping

START = {"started_at": "at"}


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"startedat": "at"}, r"names \['startedat'\]; known columns to map to are \['trace_id'"),
        ({"input_tokens": "asked"}, "must map started_at, or both ended_at and latency_ms"),
        ({"columns": START, "constant": {}}, r"names \['constant'\]; known parts of a mapping"),
        ({"columns": START, "constants": {"operation": "talk"}}, r"names \['talk'\]; known operations"),
        ({"columns": START, "timezone": "Mars/Olympus"}, "'Mars/Olympus' is unknown; expected an IANA name"),
        ({"columns": START, "token_convention": "both"}, r"known values of token_convention"),
        ({"started_at": {"column": "at", "unit": "min"}}, r"known units of started_at are \['s', 'ms'"),
        ({"started_at": {"column": "at", "origin": "2026-01-01T00:00:00Z"}}, "so it needs a unit"),
        ({"started_at": {"column": "at", "unit": "s", "origin": "noon"}}, "origin 'noon' is no time"),
        (
            {"started_at": {"column": "at", "unit": "s", "origin": "2026-01-01T00:00:00"}},
            "is no time .naive_time",
        ),
        ({**START, "model": {"column": "m", "unit": "s"}}, r"names \['unit'\]; known settings of model"),
        ({**START, "model": 5}, "mapping of model: found 5, expected a column name"),
        ({**START, "source_file": "path"}, r"names \['source_file'\]"),
    ],
)
def test_a_mapping_that_cannot_be_meant_says_what_is_wrong(mapping, message):
    """A misspelt key would otherwise leave a column empty for months."""
    with pytest.raises(SourceError, match=message):
        read_mapping(mapping)


def test_a_mapping_may_live_in_a_yaml_file(tmp_path):
    """Whoever ingests every night keeps it beside the job."""
    path = tmp_path / "mapping.yaml"
    path.write_text("columns:\n  started_at: {column: at, unit: s, origin: 2026-01-01T00:00:00+01:00}\n")
    rule = read_mapping(path).columns["started_at"]
    assert (rule.column, rule.unit) == ("at", "s")
    assert rule.origin == datetime(2025, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["- started_at\n", "started_at: [unclosed\n"])
def test_a_yaml_file_that_is_no_mapping_is_named(tmp_path, text):
    """The error must point at the file, not at the parser."""
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    with pytest.raises(SourceError, match=r"mapping\.yaml: "):
        read_mapping(str(path))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_column_that_the_table_lacks_lists_those_it_has(tmp_path, name):
    """The usual mistake is one letter away from the right name."""
    path = tmp_path / name
    path.write_text(
        "at,asked\n2026-01-01T00:00:00Z,1\n" if name == "a.csv" else '{"at": 1772445600, "asked": 1}\n'
    )
    with pytest.raises(
        SourceError, match=r"columns \['ask'\], which the table lacks; it has \['at', 'asked'\]"
    ):
        read_table(path, columns={**START, "input_tokens": "ask"})


def test_constants_fill_what_the_table_leaves_open(tmp_path):
    """One log of one service names neither service nor model."""
    path = tmp_path / "a.csv"
    path.write_text("at,who\n2026-01-01T00:00:00Z,u1\n2026-01-01T00:00:01Z,\n")
    constants = {
        "user_id": "nobody",
        "service": "faq",
        "is_streaming": True,
        "tags": ["a", "b"],
        "input_tokens": 7,
    }
    spans = read_table(path, columns={"columns": {**START, "user_id": "who"}, "constants": constants}).spans
    assert spans["user_id"].to_list() == ["u1", "nobody"]
    assert spans.select("service", "is_streaming", "tags", "input_tokens").row(0) == (
        "faq",
        True,
        ["a", "b"],
        7,
    )


def test_a_constant_of_the_wrong_kind_is_refused(tmp_path):
    """A constant is wrong in every row, so it is not a matter for the quarantine."""
    path = tmp_path / "a.csv"
    path.write_text("at\n2026-01-01T00:00:00Z\n")
    with pytest.raises(SourceError, match="constant input_tokens cannot be 'many'"):
        read_table(path, columns={"columns": START, "constants": {"input_tokens": "many"}})
