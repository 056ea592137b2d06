"""promptfoo results, each oddity on a result as small as it can be."""

import json

import polars as pl
import pytest

from llmops_lib import load_scores
from llmops_lib.errors import BadLineError, SourceError
from llmops_lib.sources.results.promptfoo import matches, read_promptfoo
from llmops_lib.sources.results.promptfoo_csv import _blocks
from llmops_lib.sources.results.promptfoo_names import model_columns
from llmops_lib.sources.sample import take_sample


def result(**parts):
    """A result of version 3 that passed."""
    return {
        "testIdx": 0,
        "promptIdx": 0,
        "provider": {"id": "openai:chat:gpt-4o-mini", "label": ""},
        "prompt": {"raw": "capital of France", "label": "qa-v1"},
        "promptId": "17f6",
        "vars": {"q": "capital of France"},
        "success": True,
        "score": 0.75,
        "latencyMs": 168,
        "failureReason": 0,
        "response": {"output": "Paris", "cost": 0.002, "tokenUsage": {"prompt": 11, "completion": 7}},
        "gradingResult": {"pass": True, "score": 0.75, "reason": "fine", "componentResults": []},
        **parts,
    }


def component(kind, score, **parts):
    """The result of an assertion."""
    return {"pass": score > 0.5, "score": score, "reason": f"{kind}!", "assertion": {"type": kind, **parts}}


def graded(*components, **parts):
    """A grading of components."""
    return {"gradingResult": {"pass": True, "score": 1, "componentResults": list(components), **parts}}


def read(tmp_path, *results, **evaluation):
    """The scores of one evaluation."""
    inner = {"version": 3, "timestamp": "2026-11-02T08:00:00Z", "results": list(results)}
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"evalId": "eval-1", "results": inner, **evaluation}))
    return read_promptfoo(path)


def read_csv(tmp_path, *lines):
    """The scores of a CSV file."""
    path = tmp_path / "results.csv"
    path.write_text("\n".join(lines))
    return read_promptfoo(path).scores


def test_a_result_becomes_the_score_of_the_whole_test(tmp_path):
    """The verdict and the call under test stand in one row."""
    row = read(tmp_path, result(), config={"description": "capitals"}).scores.row(0, named=True)
    assert (row["run_id"], row["example_id"], row["trial"]) == (
        "eval-1/openai:chat:gpt-4o-mini/qa-v1",
        "0",
        1,
    )
    assert (row["scorer"], row["score"], row["passed"], row["explanation"]) == ("score", 0.75, True, "fine")
    assert (row["provider"], row["model"], row["suite"]) == ("openai", "gpt-4o-mini", "capitals")
    assert (row["latency_ms"], row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (
        168,
        11,
        7,
        0.002,
    )
    assert (row["prompt_name"], row["prompt_hash"], row["output"]) == ("qa-v1", "17f6", '"Paris"')


def test_each_assertion_becomes_a_score_named_by_metric_or_type(tmp_path):
    """A failing suite is mended assertion by assertion, so the total alone says too little."""
    parts = graded(component("contains", 0, metric="accuracy"), component("latency", 1, threshold=500))
    scores = read(tmp_path, result(**parts)).scores
    assert scores.select("scorer", "score", "passed").rows() == [
        ("score", 0.75, True),
        ("accuracy", 0.0, False),
        ("latency", 1.0, True),
    ]
    assert json.loads(scores["metadata"][2]) == {"assertion": {"type": "latency", "threshold": 500}}


def test_nested_components_are_taken_from_the_flat_list_only(tmp_path):
    """The parts of an assert-set are written inside it and again after it; twice would be double."""
    part = {"pass": True, "score": 1, "named_scores": {"MRR": 1}, "assertion": {"type": "python"}}
    whole = {**component("python", 0.4), "componentResults": [part]}
    scores = read(tmp_path, result(**graded(whole, part))).scores
    assert scores["scorer"].to_list() == ["score", "python", "MRR"]


def test_a_named_score_without_a_component_is_kept(tmp_path):
    """Derived metrics have no assertion of their own."""
    scores = read(tmp_path, result(namedScores={"f1": 0.4})).scores
    assert scores.select("scorer", "score").rows() == [("score", 0.75), ("f1", 0.4)]


def test_a_failed_assertion_is_no_error(tmp_path):
    """The reason of a failure is repeated as an error, which would count failures as outages."""
    failed = result(success=False, score=0, failureReason=1, error="Expected Paris")
    row = read(tmp_path, failed).scores.row(0, named=True)
    assert (row["passed"], row["score"], row["error"]) == (False, 0.0, None)


def test_a_test_that_could_not_be_run_has_no_score_and_no_counts(tmp_path):
    """The zeros that promptfoo writes beside an outage were measured by nobody."""
    failed = result(
        success=False,
        score=0,
        cost=0,
        failureReason=2,
        error="API error: 400",
        gradingResult=None,
        response={"error": "API error: 400"},
        tokenUsage={"prompt": 0, "completion": 0},
    )
    row = read(tmp_path, failed).scores.row(0, named=True)
    assert (row["error"], row["passed"], row["score"]) == ("API error: 400", None, None)
    assert (row["input_tokens"], row["cost_usd"]) == (None, None)


def test_zeros_beside_a_call_whose_provider_states_nothing_are_unknown(tmp_path):
    """A script of one's own tells no cost; free calls would make it the cheapest of all."""
    silent = result(
        cost=0,
        tokenUsage={"prompt": 0, "completion": 0, "total": 0, "numRequests": 1},
        response={"output": "Paris"},
    )
    row = read(tmp_path, silent).scores.row(0, named=True)
    assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (None, None, None)


def test_zeros_that_the_provider_states_are_kept(tmp_path):
    """An answer out of the cache costs nothing, and that is known."""
    stated = result(cost=0, response={"output": "x", "cost": 0, "tokenUsage": {"prompt": 0, "completion": 0}})
    row = read(tmp_path, stated).scores.row(0, named=True)
    assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (0, 0, 0.0)


def test_a_component_without_its_assertion_is_named_by_its_place(tmp_path):
    """Scripts in files return verdicts that do not say which assertion they are on."""
    asserted = [
        {"type": "javascript", "value": "file://length.js", "metric": "length"},
        {"type": "javascript", "value": "file://tone.js"},
        {"type": "contains", "value": "o"},
    ]
    found = [{"pass": True, "score": 0.875}, {"pass": False, "score": 0.25}, component("contains", 1)]
    scores = read(tmp_path, result(testCase={"assert": asserted}, **graded(*found))).scores
    assert scores.select("scorer", "score").rows()[1:] == [
        ("length", 0.875),
        ("javascript", 0.25),
        ("contains", 1.0),
    ]


def test_what_evaluate_returned_is_an_evaluation(tmp_path):
    """A script writes the object as it is: no version, and results that name their test but no variables."""
    path = tmp_path / "output.json"
    own = {"prompts": [], "config": {"description": "capitals"}, "persisted": False}
    own |= {"id": "eval-2", "createdAt": 1_758_065_695_000}
    row = result(testCase={"vars": {"q": "capital of France"}})
    del row["vars"]
    path.write_text(json.dumps({**own, "results": [row]}))
    scores = load_scores(path)
    assert scores.select("suite", "score", "run_id").rows() == [
        ("capitals", 0.75, "eval-2/openai:chat:gpt-4o-mini/qa-v1")
    ]
    assert scores["started_at"][0].isoformat() == "2025-09-16T23:34:55+00:00"
    path.write_text(json.dumps({**own, "results": []}))
    with pytest.raises(BadLineError, match="no result of a test"):
        load_scores(path, on_bad="raise")


def test_results_that_were_cut_out_of_their_evaluation_are_read(tmp_path):
    """Large files are often kept without prompts, version and totals."""
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"results": {"results": [result()]}}))
    assert load_scores(path)["score"].to_list() == [0.75]


def test_repetitions_are_trials_of_one_example(tmp_path):
    """`--repeat` numbers them as tests of their own, and results come in the order of completion."""
    other = result(testIdx=1, vars={"q": "capital of Japan"})
    scores = read(tmp_path, result(testIdx=2), other, result(testIdx=0)).scores
    assert scores.select("example_id", "trial").rows() == [("0", 2), ("1", 1), ("0", 1)]


def test_providers_and_prompts_are_runs_of_their_own(tmp_path):
    """They are what an evaluation compares, and the key of scores holds no model."""
    others = [
        result(promptIdx=1, prompt={"raw": "x", "label": "qa-v2"}),
        result(promptIdx=2, provider="echo"),
        result(promptIdx=3, provider="echo"),
    ]
    runs = read(tmp_path, result(), *others).scores["run_id"].to_list()
    assert runs == [
        "eval-1/openai:chat:gpt-4o-mini/qa-v1",
        "eval-1/openai:chat:gpt-4o-mini/qa-v2",
        "eval-1/echo/qa-v1",
        "eval-1/echo/qa-v1 (2)",
    ]


def test_cached_tokens_beyond_the_input_are_added_to_it(tmp_path):
    """More cached than sent proves that the provider counts the cache apart."""
    usage = {"prompt": 9, "completion": 5, "completionDetails": {"cacheReadInputTokens": 1905}}
    scores = read(tmp_path, result(response={"output": "x", "tokenUsage": usage})).scores
    assert scores["input_tokens"].to_list() == [1914]


def test_lines_are_results_too(tmp_path):
    """JSON Lines hold the same results without the evaluation around them."""
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps(result()) + "\n{oops\n" + json.dumps(result(testIdx=1)) + "\n")
    rows = read_promptfoo(path)
    assert matches(take_sample(path))
    assert rows.scores["source_line"].to_list() == [1, 3]
    assert rows.quarantine["source_line"].to_list() == [2]


def test_an_item_that_is_no_result_is_refused_alone(tmp_path):
    """One odd item must not cost the others."""
    rows = read(tmp_path, result(), "odd", {"a": 1})
    assert (rows.rows_read, rows.scores.height) == (3, 1)
    assert rows.quarantine["source_line"].to_list() == [2, 3]


def test_csv_blocks_are_read_by_position(tmp_path):
    """Each provider repeats the names of the columns, and by name only the last would be left."""
    block = "Status,Score,Named Scores,Grader Reason"
    header = f"q,[openai:gpt-4o] v1,{block},[echo] v1,{block}"
    line = 'hi,Hello,PASS,0.75,"{""brevity"":0.125}",good,,ERROR,0.00,,'
    scores = read_csv(tmp_path, header, line)
    assert scores.select("model", "scorer", "score", "passed", "error").rows() == [
        ("gpt-4o", "score", 0.75, True, None),
        ("gpt-4o", "brevity", 0.125, None, None),
        (None, "score", None, None, "error"),
    ]


def test_old_csv_cells_begin_with_the_verdict(tmp_path):
    """Before 2025 verdict, reason and answer shared one cell."""
    scores = read_csv(
        tmp_path, "q,[a] p,[b] p", 'hi,"[PASS] (0.50)\n\nHello","[FAIL] (0.25)\n\nToo long\n---\nHi you"'
    )
    assert scores.select("score", "passed", "explanation", "output").rows() == [
        (0.5, True, None, '"Hello"'),
        (0.25, False, "Too long", '"Hi you"'),
    ]


def test_old_csv_cells_hold_named_scores_and_the_reason_again(tmp_path):
    """Releases of 2025 put them around the answer, which must be left as the model gave it."""
    cell = "[FAIL] (0.68, has-o: 1.00, tone (f1): -0.50)\n\nToo far\n---\nSay so\n\nFail Reason: Too far"
    passed = "[PASS] (1.00)\n\nPass Reason: mine\n\nPass Reason: All assertions passed"
    scores = read_csv(tmp_path, "q,[a] p,[b] p", f'hi,"{cell}","{passed}"')
    assert scores.select("scorer", "score", "passed", "explanation", "output").rows() == [
        ("score", 0.68, False, "Too far", '"Say so"'),
        ("has-o", 1.0, None, None, '"Say so"'),
        ("tone (f1)", -0.5, None, None, '"Say so"'),
        ("score", 1.0, True, "All assertions passed", '"Pass Reason: mine"'),
    ]


def test_csv_of_the_web_interface_has_reason_and_latency_in_columns(tmp_path):
    """In 2025 it had, beside a cell that began with the verdict."""
    header = "q,[a] p,Grader Reason,Comment,Latency (ms)"
    row = read_csv(tmp_path, header, "hi,[FAIL] Hello,Too long,mine,150").row(0, named=True)
    assert (row["passed"], row["explanation"], row["latency_ms"]) == (False, "Too long", 150.0)
    assert (row["output"], json.loads(row["metadata"])["comment"]) == ('"Hello"', "mine")


def test_a_csv_block_of_a_test_that_was_not_asked_is_no_score(tmp_path):
    """Beside another evaluation, or where a test names its providers, some cells hold nothing."""
    block = "Reasoning,Status,Score"
    lines = ("hi,Hello,so,PASS,1.00,,,,,pii", "ho,,,,,Hello,,FAIL,0.00,pii")
    scores = read_csv(tmp_path, f"q,[a] p,{block},[b] p,{block},pluginId", *lines)
    assert scores.select("example_id", "passed").rows() == [("0", True), ("1", False)]
    assert [json.loads(one) for one in scores["metadata"]] == [
        {"vars": {"q": "hi"}, "reasoning": "so", "pluginId": "pii"},
        {"vars": {"q": "ho"}},
    ]


def json_heading(provider, text):
    """A heading of an old table: a whole prompt, its provider and metrics as JSON."""
    prompt = {"raw": text, "display": text, "id": "51f1", "provider": provider, "metrics": {"score": 2}}
    doubled = json.dumps(prompt, separators=(",", ":")).replace('"', '""')
    return f'"{doubled}"'


@pytest.mark.parametrize("length", [20, 50_000], ids=["short", "longer than what detection sees"])
def test_the_oldest_csv_headings_are_prompts_as_json(tmp_path, length):
    """In 2024 they were, with whole files of code, and no column looked like an answer."""
    headings = [json_heading("Haiku: cold", "|" * length), json_heading("openai:gpt-4o", "b; c; d\n")]
    path = tmp_path / "results.csv"
    path.write_text(f"label,text,{','.join(headings)}\nhi,ho,[PASS] (1.00) x,[FAIL] (0.25) y\n")
    scores = load_scores(path)
    assert scores.select("source_format", "score", "passed", "model", "prompt_hash").rows() == [
        ("promptfoo", 1.0, True, None, "51f1"),
        ("promptfoo", 0.25, False, "gpt-4o", "51f1"),
    ]
    assert scores["run_id"].n_unique() == 2


def test_yaml_without_an_evaluation_is_recognised(tmp_path):
    """Before 2025 nothing named the evaluation, and the file begins with its results."""
    path = tmp_path / "results.yaml"
    path.write_text(
        "results:\n  version: 2\n  results:\n    - provider: {id: echo}\n      prompt: {raw: p, label: l}\n"
        "      vars: {q: hi}\n      success: true\n      score: 0.75\nconfig: {}\n"
    )
    assert load_scores(path).select("source_format", "scorer", "score").rows() == [
        ("promptfoo", "score", 0.75)
    ]


def test_what_an_assert_set_found_bears_its_metric(tmp_path):
    """The set itself is left out of its outcome; without a name its score stood there twice."""
    asserted = [{"type": "contains", "value": "o"}, {"type": "assert-set", "metric": "manners", "assert": []}]
    found = {"pass": True, "score": 0.625, "reason": "1 of 2", "componentResults": [component("equals", 1)]}
    graded_result = result(
        testCase={"assert": asserted},
        namedScores={"manners": 0.625},
        **graded(component("contains", 1), {**found, "assertion": None}, component("equals", 1)),
    )
    scores = read(tmp_path, graded_result).scores.filter(pl.col("scorer") != "score")
    assert scores.select("scorer", "score", "passed").rows() == [
        ("contains", 1.0, True),
        ("manners", 0.625, True),
        ("equals", 1.0, True),
    ]


def test_a_csv_row_of_too_few_cells_is_refused(tmp_path):
    """Cells cannot be told apart once one is missing."""
    path = tmp_path / "results.csv"
    path.write_text("q,[a] p,Status,Score\nhi,Hello,PASS\nho,Hello,PASS,1.00\n")
    rows = read_promptfoo(path)
    assert (rows.rows_read, rows.scores.height) == (2, 1)
    assert rows.quarantine["reason"].to_list() == ["schema: 3 cells under a header of 4"]


@pytest.mark.parametrize(
    ("provider", "vendor", "model"),
    [
        ("anthropic:messages:claude-sonnet-4", "anthropic", "claude-sonnet-4"),
        ("bedrock:anthropic.claude-v2:1", "aws.bedrock", "anthropic.claude-v2:1"),
        ("openai:gpt-4o", "openai", "gpt-4o"),
        ("ollama:chat:llama3:8b", "ollama", "llama3:8b"),
        ("https://example.test/chat", None, None),
        ("echo", None, None),
        ("Haiku: cold", None, None),
    ],
)
def test_the_model_is_taken_from_the_provider_id_where_it_names_one(provider, vendor, model):
    """A script or an address names no model, and a guess would be compared like a fact."""
    columns = model_columns(provider)
    assert (columns.get("provider"), columns.get("model")) == (vendor, model)


COOKBOOK_JSON = "claude_cookbooks_retrieval_results.v2.trimmed.json"


@pytest.mark.parametrize("name", [COOKBOOK_JSON, "emitted_0.123.1.json"])
def test_real_json_results_hold_what_was_counted_from_them(shared, name):
    """The figures were counted from the raw file without this library."""
    folder = shared / "fixtures" / "promptfoo"
    expected = json.loads((folder / "EXPECTED.json").read_text())[name]
    rows = read_promptfoo(folder / name)
    whole = rows.scores.filter(pl.col("scorer") == "score")
    assert rows.rows_read == whole.height == expected["rows"]
    assert whole["passed"].sum() == expected["success"]
    assert (~whole["passed"]).sum() == expected["failed_assert"]
    assert whole["error"].count() == expected["errored"]
    assert whole["cost_usd"].sum() == pytest.approx(expected["cost"])
    assert whole["input_tokens"].sum() == expected["prompt_tokens"]
    assert whole["output_tokens"].sum() == expected["completion_tokens"]
    assert {json.loads(text)["provider"]["id"] for text in whole["metadata"]} == set(expected["providers"])


def test_real_lines_hold_what_was_counted_from_them(shared):
    """The figures were counted from the raw file without this library."""
    folder = shared / "fixtures" / "promptfoo"
    expected = json.loads((folder / "EXPECTED.json").read_text())["emitted_0.123.1.jsonl"]
    whole = read_promptfoo(folder / "emitted_0.123.1.jsonl").scores.filter(pl.col("scorer") == "score")
    assert (whole.height, whole["passed"].sum(), whole["error"].count()) == (
        expected["rows"],
        expected["success"],
        expected["errored"],
    )


@pytest.mark.parametrize(
    ("name", "runs", "passed"),
    [("emitted_0.123.1.csv", 4, 6), ("claude_cookbooks_text_to_sql_results.csv", 10, 18)],
)
def test_real_csv_files_hold_what_was_counted_from_them(shared, name, runs, passed):
    """One row per test, as the export counts; each of its blocks is a run."""
    folder = shared / "fixtures" / "promptfoo"
    expected = json.loads((folder / "EXPECTED.json").read_text())[name]
    rows = read_promptfoo(folder / name)
    whole = rows.scores.filter(pl.col("scorer") == "score")
    assert rows.rows_read == expected["data_rows"]
    assert (whole["run_id"].n_unique(), whole.height) == (runs, runs * expected["data_rows"])
    assert whole["passed"].sum() == passed


def test_csv_and_json_of_one_evaluation_agree(shared):
    """The same evaluation must not look better in one form of its export."""
    folder = shared / "fixtures" / "promptfoo"
    columns = ["model", "prompt_name", "example_id", "passed", pl.col("error").is_null()]
    found = [
        read_promptfoo(folder / f"emitted_0.123.1.{kind}")
        .scores.filter(pl.col("scorer") == "score")
        .select(columns)
        .sort(pl.all())
        for kind in ("json", "csv")
    ]
    assert found[0].equals(found[1])


def test_yaml_and_json_of_one_evaluation_agree(shared):
    """YAML writes repeated objects as references, which must not change what they hold."""
    folder = shared / "fixtures" / "promptfoo"
    found = [
        read_promptfoo(folder / f"emitted_0.123.1.{kind}").scores.drop("source_file", "metadata")
        for kind in ("json", "yaml")
    ]
    key = ["run_id", "example_id", "scorer"]
    assert found[0].sort(key).equals(found[1].sort(key))


@pytest.mark.parametrize(
    "text",
    [
        "evalId: [\n",
        "evalId: &a [x]\nresults: &b [*b]\n",
        "evalId: x\n"
        + "".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 20) if n else 1}]\n" for n in range(9)),
        "evalId: " + "[" * 100_000,
    ],
    ids=["torn", "endless", "swelling", "deep"],
)
def test_yaml_that_cannot_be_held_is_an_error(tmp_path, text):
    """A few lines of references can stand for more than memory holds."""
    path = tmp_path / "results.yaml"
    path.write_text(text)
    assert matches(take_sample(path))
    with pytest.raises(SourceError, match="JSON instead"):
        read_promptfoo(path)


def test_a_table_whose_header_lost_its_prompts_gives_no_score_and_no_crash():
    """A flipped byte in the heading of the only prompt: its rows are refused, one by one."""
    assert list(_blocks(["question", "openai:gpt-4o] answer"], "eval")) == []
    assert [
        (block.start, block.end) for block in _blocks(["question", "[openai:gpt-4o] answer"], "eval")
    ] == [(1, 2)]


def test_an_evaluation_without_results_is_in_the_quarantine(tmp_path):
    """Newer releases keep results in a database; a file without them must not look like one of no tests."""
    rows = read(tmp_path)
    assert (rows.rows_read, rows.quarantine.height) == (1, 1)
