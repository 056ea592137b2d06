"""JUnit reports."""

import json

import pytest

from llmops_lib.errors import SourceError
from llmops_lib.sources.results.junit import matches, read_junit
from llmops_lib.sources.sample import sample_text, take_sample

SUITE = '<testsuite name="prompts" timestamp="2026-11-02T08:00:00Z">{cases}</testsuite>'


def read(tmp_path, *cases, suite=SUITE):
    """The scores of a suite of cases."""
    path = tmp_path / "report.xml"
    path.write_text(f"<testsuites>{suite.format(cases=''.join(cases))}</testsuites>")
    return read_junit(path)


def case(inside="", name="a", time="0.25"):
    """A test case."""
    return f'<testcase classname="qa" name="{name}" time="{time}">{inside}</testcase>'


def test_a_case_becomes_a_verdict(tmp_path):
    """Seconds become milliseconds; a report has no score, so none is made up."""
    row = read(tmp_path, case()).scores.row(0, named=True)
    assert (row["suite"], row["example_id"], row["scorer"]) == ("prompts", "qa::a", "test")
    assert (row["passed"], row["score"], row["latency_ms"]) == (True, None, 250)
    assert row["started_at"].isoformat() == "2026-11-02T08:00:00+00:00"


def test_failure_error_and_skip_are_three_things(tmp_path):
    """An outage is no bad answer, and a test that was not run is neither."""
    cases = [
        case('<failure message="m">expected Paris</failure>', "a"),
        case('<error message="timeout"/>', "b"),
        case("<skipped/>", "c"),
    ]
    assert read(tmp_path, *cases).scores.select("passed", "explanation", "error", "label").rows() == [
        (False, "expected Paris", None, None),
        (None, None, "timeout", None),
        (None, None, None, "skipped"),
    ]


@pytest.mark.parametrize(
    "state", ['status="notrun" result="suppressed"', 'status="disabled"', 'result="skipped"']
)
def test_a_case_that_was_not_run_may_say_so_in_an_attribute(tmp_path, state):
    """GoogleTest and CTest do, and a disabled test would count as one that passed."""
    row = read(tmp_path, f'<testcase classname="qa" name="a" {state}/>').scores.row(0, named=True)
    assert (row["passed"], row["label"]) == (None, "skipped")


def test_a_page_that_a_test_printed_is_text(tmp_path):
    """Browser tests print the page that they saw, which begins with a document type of its own."""
    page = "<failure><![CDATA[<!DOCTYPE html><p>oops</p>]]></failure>"
    assert read(tmp_path, case(page)).scores["explanation"].to_list() == ["<!DOCTYPE html><p>oops</p>"]


def test_every_failure_of_a_case_is_kept(tmp_path):
    """A test goes on after the first thing that it did not expect."""
    inside = '<failure message="short" type="Equal">too long</failure><failure message="too loud"/>'
    row = read(tmp_path, case(inside)).scores.row(0, named=True)
    assert row["explanation"] == "too long\n\ntoo loud"
    assert json.loads(row["metadata"]) == {"failure": {"message": "short", "type": "Equal"}}


def test_cases_of_one_name_in_two_classes_are_two_examples(tmp_path):
    """PHPUnit calls the class otherwise; as trials of one example the two would be averaged."""
    cases = [f'<testcase class="{name}" name="a" line="7"/>' for name in ("One", "Two")]
    scores = read(tmp_path, *cases).scores
    assert scores.select("example_id", "trial").rows() == [("One::a", 1), ("Two::a", 1)]
    assert json.loads(scores["metadata"][0]) == {"line": "7"}


def test_cases_outside_of_a_suite_are_read(tmp_path):
    """They are tests all the same."""
    rows = read(tmp_path, case(), suite="{cases}")
    assert rows.scores["example_id"].to_list() == ["qa::a"]


def test_a_report_without_cases_is_in_the_quarantine(tmp_path):
    """A run that found no test must not look like one in which all passed."""
    rows = read(tmp_path)
    assert rows.quarantine["reason"].to_list() == ["missing_field: testcase; the report has none"]


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-8", "utf-16"])
def test_the_encoding_that_a_report_states_is_believed(tmp_path, encoding):
    """Older tools write what their machine speaks; only text decoded by its mark says what it was before."""
    text = (
        f"<?xml version='1.0' encoding='{encoding}'?><testsuite xmlns='urn:x' name='é'>{case()}</testsuite>"
    )
    path = tmp_path / "report.xml"
    path.write_bytes(text.encode(encoding))
    assert matches(take_sample(path))
    assert read_junit(path).scores["suite"].to_list() == ["é"]


def test_properties_of_a_case_are_kept(tmp_path):
    """Pytest's record_property is where a test writes the figures that it measured."""
    inside = '<properties><property name="grade" value="0.5"/></properties>'
    metadata = read(tmp_path, case(inside)).scores["metadata"].item()
    assert json.loads(metadata) == {"properties": {"grade": "0.5"}}


def test_a_time_without_a_zone_is_unknown(tmp_path):
    """It is local to a machine that the report does not name."""
    suite = SUITE.replace("00Z", "00")
    assert read(tmp_path, case(), suite=suite).scores["started_at"].to_list() == [None]


@pytest.mark.parametrize(
    ("seconds", "latency"),
    [("1,234.5", 1_234_500.0), ("0,25", 250.0), ("0,005", 5.0), ("12,5", 12_500.0), ("1,234", None)],
)
def test_a_comma_parts_thousands_or_decimals(tmp_path, seconds, latency):
    """Both are written, and a guess between them is wrong by a factor of thousand."""
    assert read(tmp_path, case(time=seconds)).scores["latency_ms"].to_list() == [latency]


def test_a_time_as_mails_write_it_is_read(tmp_path):
    """TestCafe writes it so, and it has its zone."""
    suite = SUITE.replace("2026-11-02T08:00:00Z", "Mon, 02 Nov 2026 08:00:00 GMT")
    assert read(tmp_path, case(), suite=suite).scores["started_at"].item().isoformat() == (
        "2026-11-02T08:00:00+00:00"
    )


def test_nested_suites_give_each_case_once(tmp_path):
    """Some tools nest suites, and a case counted twice weighs double."""
    nested = f'<testsuite name="inner">{case(name="b")}</testsuite>'
    rows = read(tmp_path, case(), nested)
    assert rows.scores.select("suite", "example_id").rows() == [("prompts", "qa::a"), ("inner", "qa::b")]


def test_a_case_with_an_impossible_time_is_refused_alone(tmp_path):
    """One bad case must not cost the report."""
    rows = read(tmp_path, case(time="soon"), case(name="b"))
    assert (rows.rows_read, rows.scores.height) == (2, 1)
    assert rows.quarantine["reason"].to_list() == ["type: latency_ms is 'soon', not a number"]


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><testsuites/>',
        '<!-- <testsuites> --><!DOCTYPE a [<!ENTITY b "c">]><testsuites/>',
        "<testsuites>",
        "<html/>",
    ],
)
def test_a_file_that_is_no_report_is_an_error(tmp_path, text):
    """Entities that swell could fill the memory; a torn report would hide what failed last."""
    path = tmp_path / "report.xml"
    path.write_text(text)
    with pytest.raises(SourceError, match="report"):
        read_junit(path)


@pytest.mark.parametrize(
    ("text", "is_match"),
    [
        (b"<testsuite name='a'/>", True),
        (b"<?xml version='1.0'?>\n<testsuites/>", True),
        (b"a,b\n1,2\n", False),
    ],
)
def test_a_report_is_told_by_its_first_line(text, is_match):
    """No other known format is XML."""
    assert matches(sample_text(text)) is is_match


def test_a_real_report_holds_what_was_counted_from_it(shared):
    """The figures were counted from the raw file without this library."""
    folder = shared / "fixtures" / "promptfoo"
    name = "emitted_0.123.1.junit.xml"
    expected = {
        key: int(value) for key, value in json.loads((folder / "EXPECTED.json").read_text())[name].items()
    }
    rows = read_junit(folder / name)
    assert matches(take_sample(folder / name))
    assert rows.rows_read == rows.scores.height == expected["tests"]
    assert (~rows.scores["passed"]).sum() == expected["failures"]
    assert rows.scores["error"].count() == expected["errors"]
    assert rows.scores["label"].count() == expected["skipped"]
