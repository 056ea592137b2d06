import json
import sys
import zipfile
from collections import Counter

import pytest

from llmops_lib.errors import SourceError
from llmops_lib.sources.results import inspect_archive
from llmops_lib.sources.results.detect import detect_score_reader, take_score_sample
from llmops_lib.sources.results.inspect_logs import matches, read_inspect

if sys.version_info >= (3, 14):
    zstd_zipfile = zipfile
else:
    from backports.zstd import zipfile as zstd_zipfile

HEAD = {
    "version": 2,
    "status": "success",
    "eval": {
        "eval_id": "eval-7",
        "run_id": "run-1",
        "task_id": "task-5",
        "created": "2026-11-20T08:00:00+01:00",
        "task": "capitals",
        "model": "openai/gpt-4o",
        "scorers": [{"name": "match"}],
        "packages": {"inspect_ai": "0.3.285"},
    },
    "plan": {"name": "plan"},
}


def sample(**changes):
    """One sample as Inspect writes it."""
    return {
        "id": "q1",
        "epoch": 1,
        "input": "Capital of France?",
        "target": "Paris",
        "messages": [{"role": "user", "content": "Capital of France?"}],
        "output": {"model": "gpt-4o-2024-11-20", "completion": "Paris"},
        "scores": {"match": {"value": "C", "answer": "Paris", "explanation": "same word"}},
        "model_usage": {"openai/gpt-4o": {"input_tokens": 30, "output_tokens": 4, "total_tokens": 34}},
        **changes,
    }


def read_json(tmp_path, *samples, **changes):
    """The rows of a JSON log."""
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**HEAD, **changes, "samples": samples}), encoding="utf-8")
    return read_inspect(path)


def archive_of(tmp_path, members, *, library=zipfile, method=zipfile.ZIP_DEFLATED):
    """An `.eval` archive; a member is text or bytes, or a value to be written as JSON."""
    path = tmp_path / "log.eval"
    with library.ZipFile(path, "w", method) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, str | bytes) else json.dumps(value))
    return path


def raw_value(row):
    """The value of a score as the log had it."""
    return json.dumps(row["label"] or row["score"])


def added(usages):
    """Token counts of several samples, summed by model and kind."""
    totals = {}
    for usage in usages:
        for model, counts in usage.items():
            total = totals.setdefault(model, {})
            for name, count in counts.items():
                total[name] = total.get(name, 0) + count
    return totals


def test_real_and_emitted_logs_give_the_counted_figures(shared):
    """What was counted from the raw files by plain Python is what a user finds in the table."""
    folder = shared / "fixtures" / "inspect_ai"
    for name, expected in json.loads((folder / "EXPECTED.json").read_text(encoding="utf-8")).items():
        assert matches(take_score_sample(folder / name)), name
        scores = read_inspect(folder / name).scores
        rows = scores.to_dicts()
        assert scores.select("example_id", "trial").n_unique() == expected["samples"], name
        assert scores["error"].drop_nulls().len() == expected["sample_errors"], name
        assert max((row["trial"] for row in rows), default=0) == expected["epochs"], name
        found = Counter(raw_value(row) for row in rows if row["score"] is not None)
        assert found == expected["score_values"], name
        for row in rows:
            said = json.loads(row["metadata"])
            assert (row["suite"], row["model"]) == (expected["task"], expected["model"]), name
            assert [said[key] for key in ("log_version", "status", "created")] == [
                expected[key] for key in ("log_version", "status", "created")
            ], name
            assert said.get("log_model_usage", {}) == expected["model_usage"], name


def test_tokens_of_samples_add_up_to_those_of_the_log(shared):
    """Input contains what the cache served, which Inspect counts apart; output needs no change."""
    folder = shared / "fixtures" / "inspect_ai"
    for name, expected in json.loads((folder / "EXPECTED.json").read_text(encoding="utf-8")).items():
        scores = read_inspect(folder / name).scores.drop_nulls("input_tokens")
        usage = expected["model_usage"].get(expected["model"], {})
        if scores.is_empty() or not usage:
            continue
        sent = usage["input_tokens"] + usage.get("input_tokens_cache_read", 0)
        assert scores.select("input_tokens", "output_tokens").sum().row(0) == (
            sent,
            usage["output_tokens"],
        ), name


def test_both_forms_of_one_log_give_the_same_scores(shared):
    """Archive and JSON are two ways to write the same log."""
    folder = shared / "fixtures" / "inspect_ai"
    tables = [read_inspect(folder / f"log_formats.{kind}").scores for kind in ("json", "eval")]
    same = [
        "run_id",
        "suite",
        "example_id",
        "trial",
        "scorer",
        "score",
        "label",
        "explanation",
        "input",
        "expected",
    ]
    assert tables[0].select(same).equals(tables[1].select(same))


def test_archives_of_each_compression_are_read(shared):
    """Python before 3.14 cannot unpack Zstandard by itself, and new logs are written so."""
    folder = shared / "fixtures" / "inspect_ai"
    for name, expected in json.loads((folder / "EXPECTED.json").read_text(encoding="utf-8")).items():
        if expected["zip_compression_methods"]:
            with zipfile.ZipFile(folder / name) as archive:
                methods = sorted({info.compress_type for info in archive.infolist()})
            assert methods == expected["zip_compression_methods"]
            assert read_inspect(folder / name).rows_read == expected["samples"]


@pytest.mark.parametrize(
    ("value", "score", "passed", "label"),
    [
        ("C", 1.0, True, "C"),
        ("P", 0.5, None, "P"),
        ("I", 0.0, False, "I"),
        ("N", 0.0, False, "N"),
        (True, 1.0, True, None),
        (3.25, 3.25, None, None),
        ("0.75", 0.75, None, "0.75"),
        ("refused", None, None, "refused"),
        (float("nan"), None, None, None),
    ],
)
def test_a_value_becomes_a_score_and_a_verdict(tmp_path, value, score, passed, label):
    """Letters are Inspect's own scale; any other word is a category, not a number."""
    row = read_json(tmp_path, sample(scores={"match": {"value": value}})).scores.row(0, named=True)
    assert (row["score"], row["passed"], row["label"]) == (score, passed, label)


def test_each_key_of_a_value_is_a_scorer(tmp_path):
    """One judge may score several things, each with its own mean."""
    scores = {"judge": {"value": {"tone": 4, "facts": "I"}}, "steps": {"value": [1, 0.5]}}
    rows = read_json(tmp_path, sample(scores=scores)).scores
    assert rows.select("scorer", "score").rows() == [
        ("judge/tone", 4.0),
        ("judge/facts", 0.0),
        ("steps/1", 1.0),
        ("steps/2", 0.5),
    ]


def test_a_failed_sample_stays_in_the_denominator(tmp_path):
    """A run may succeed with failed samples, which have no scores."""
    failed = sample(id=2, scores=None, error={"message": "timeout", "traceback": "..."})
    rows = read_json(tmp_path, sample(), failed).scores
    assert rows.select("example_id", "scorer", "score", "error").rows() == [
        ("q1", "match", 1.0, None),
        ("2", "match", None, "timeout"),
    ]


def test_epochs_are_trials(tmp_path):
    """The same sample run again is a repetition."""
    rows = read_json(tmp_path, sample(), sample(epoch=2), sample(epoch=2))
    assert rows.scores["trial"].to_list() == [1, 2]
    assert rows.quarantine["reason"].to_list() == ["duplicate: trial 2"]


def test_a_sample_that_was_declared_invalid_and_a_grade_that_was_changed_say_so(tmp_path):
    """The score is the one that stands; who reads it must see why somebody doubted the sample."""
    history = [{"value": "I", "provenance": {"author": "ada"}}]
    graded = {"match": {"value": "C", "reason": "regraded", "history": history}}
    doubted = {"author": "ada", "reason": "wrong target"}
    rows = read_json(tmp_path, sample(scores=graded, invalidation=doubted, choices=["Paris", "Rome"]))
    kept = json.loads(rows.scores["metadata"][0])
    assert rows.scores["score"].to_list() == [1.0]
    assert (kept["invalidation"], kept["choices"]) == (doubted, ["Paris", "Rome"])
    assert (kept["reason"], kept["history"]) == ("regraded", history)


def test_latency_is_the_time_between_start_and_end(tmp_path):
    """Both stand in local time with an offset; logs of 2025 have a total only."""
    times = {"started_at": "2026-11-20T08:00:01+01:00", "completed_at": "2026-11-20T07:00:02.500+00:00"}
    rows = read_json(tmp_path, sample(**times), sample(id="q2", total_time=0.25)).scores
    assert rows["latency_ms"].to_list() == [1500.0, 250.0]
    assert rows["started_at"][0].isoformat() == "2026-11-20T07:00:01+00:00"


def test_tokens_of_graders_are_not_those_of_the_model_under_test(tmp_path):
    """A judge may cost more than what it judges."""
    usage = {
        "openai/gpt-4o": {"input_tokens": 30, "output_tokens": 4, "total_tokens": 34, "total_cost": 0.002},
        "anthropic/judge": {"input_tokens": 900, "output_tokens": 80, "total_tokens": 980},
    }
    row = read_json(tmp_path, sample(model_usage=usage)).scores.row(0, named=True)
    assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (30, 4, 0.002)
    assert json.loads(row["metadata"])["model_usage"] == usage


@pytest.mark.parametrize(
    ("version", "total", "expected"), [("0.3.285", 134, 140), ("0.3.95", 174, 140), ("0.3.95", 134, 100)]
)
def test_cache_reads_are_added_unless_they_are_inside(tmp_path, version, total, expected):
    """Older logs pass some providers' inclusive counts through, which their totals give away."""
    usage = {"input_tokens": 100, "output_tokens": 34, "total_tokens": total, "input_tokens_cache_read": 40}
    spec = {**HEAD["eval"], "packages": {"inspect_ai": version}}
    rows = read_json(tmp_path, sample(model_usage={"openai/gpt-4o": usage}), eval=spec).scores
    assert rows["input_tokens"].to_list() == [expected]


def test_texts_are_taken_back_from_the_attachments(tmp_path):
    """Inspect moves long texts out of the messages."""
    moved = sample(input="attachment://a1", attachments={"a1": "a long question"})
    assert read_json(tmp_path, moved).scores["input"].to_list() == ['"a long question"']


def test_runs_of_several_tasks_do_not_mix(tmp_path):
    """One Inspect run holds many tasks, whose samples bear the same ids."""
    spec = {key: value for key, value in HEAD["eval"].items() if key != "eval_id"}
    assert read_json(tmp_path, sample()).scores["run_id"].to_list() == ["eval-7"]
    assert read_json(tmp_path, sample(), eval=spec).scores["run_id"].to_list() == ["run-1/task-5"]


def test_samples_may_stand_before_the_head(tmp_path):
    """The order of keys means nothing in JSON."""
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"samples": [sample()], **HEAD}, indent=2), encoding="utf-8")
    assert read_inspect(path).scores["suite"].to_list() == ["capitals"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"id": 1, "id": 2}', "duplicate_key"),
        ("7", "not_object"),
        ('{"epoch": 1}', "missing_field"),
        ('{"id": 1, "scores": {"match": 1}}', "type"),
        ('{"id": 1, "scores": {"match": {"value": {"a": {"b": 1}}}}}', "type"),
        ('{"id": 1, "scores": {"match": {"value": Infinity}}}', "nonfinite"),
        ('{"id": 1, "scores": {"match": {"value": ' + "9" * 5_000 + "}}}", "json"),
        ('{"id": 1, "x": ' + "[" * 300 + "]" * 300 + "}", "depth"),
    ],
)
def test_a_bad_sample_costs_only_itself(tmp_path, bad, reason):
    """Samples read are samples scored and samples quarantined, in both forms of a log."""
    path = tmp_path / "log.json"
    path.write_text(
        json.dumps(HEAD)[:-1] + f', "samples": [{bad}, {json.dumps(sample())}]}}', encoding="utf-8"
    )
    members = {"header.json": HEAD, "samples/bad.json": bad, "samples/q1_epoch_1.json": sample()}
    for rows in (read_inspect(path), read_inspect(archive_of(tmp_path, members))):
        assert (rows.scores.height, rows.quarantine.height, rows.rows_read) == (1, 1, 2)
        assert rows.quarantine["reason"][0].split(":")[0] == reason


@pytest.mark.parametrize(
    "text", ['{"status": "success"', '{"eval": {}}', "[]", '{"eval": {"task": "x"}, "a" 1}']
)
def test_what_is_no_whole_log_is_an_error(tmp_path, text):
    """A log that broke off must not pass for one without samples."""
    path = tmp_path / "log.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"log\.json"):
        read_inspect(path)


def test_a_log_without_samples_is_set_aside(tmp_path):
    """Its averages are no examples, and it must not vanish without a word."""
    rows = read_json(tmp_path, results={"total_samples": 12, "scores": [{"name": "match"}]})
    assert (rows.scores.height, rows.rows_read) == (0, 1)
    assert rows.quarantine["reason"][0].startswith("missing_field: samples")


def test_infinite_averages_do_not_cost_the_samples(tmp_path):
    """A standard error of infinity is no JSON, and no score either."""
    results = {"scores": [{"name": "match", "metrics": {"stderr": {"value": float("inf")}}}]}
    assert read_json(tmp_path, sample(), results=results).scores["score"].to_list() == [1.0]
    members = {
        "header.json": {**HEAD, "results": results},
        "_journal/start.json": HEAD,
        "samples/q1.json": sample(),
    }
    assert read_inspect(archive_of(tmp_path, members)).scores["suite"].to_list() == ["capitals"]


def test_a_crashed_archive_is_read_as_far_as_it_goes(tmp_path):
    """It has no header, and samples that were scored may stand in the journal's summaries alone."""
    summaries = [sample(error="out of memory", scores=None, id="q2"), sample()]
    members = {
        "_journal/start.json": {key: HEAD[key] for key in ("version", "eval", "plan")},
        "samples/q1_epoch_1.json": sample(),
        "_journal/summaries/1.json": summaries,
    }
    path = archive_of(tmp_path, members, library=zstd_zipfile, method=zstd_zipfile.ZIP_ZSTANDARD)
    rows = read_inspect(path)
    assert matches(take_score_sample(path))
    assert rows.scores.select("example_id", "score", "error").rows() == [
        ("q1", 1.0, None),
        ("q2", None, "out of memory"),
    ]
    assert json.loads(rows.scores["metadata"][0])["status"] == "started"


def test_a_damaged_member_costs_only_itself(tmp_path):
    """A flipped byte in one sample leaves the others whole."""
    members = {"header.json": HEAD, "samples/q0.json": "x" * 99, "samples/q1.json": sample()}
    path = archive_of(tmp_path, members, method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"x" * 99, b"y" * 99))
    rows = read_inspect(path)
    assert rows.quarantine["reason"].to_list() == ["json: damaged member samples/q0.json (BadZipFile)"]
    assert rows.scores.height == 1


@pytest.mark.parametrize("library", [zipfile, zstd_zipfile])
def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, monkeypatch, library):
    """A few kilobytes must not fill the memory."""
    monkeypatch.setattr(inspect_archive, "_ALLOWANCE", 1 << 20)
    method = library.ZIP_DEFLATED if library is zipfile else library.ZIP_ZSTANDARD
    members = {"header.json": HEAD, "samples/bomb.json": b"0" * (16 << 20)}
    path = archive_of(tmp_path, members, library=library, method=method)
    with pytest.raises(SourceError, match="unpack to over"):
        read_inspect(path)


def test_too_long_a_member_is_refused_alone(tmp_path, monkeypatch):
    """One monstrous transcript must not cost the run."""
    monkeypatch.setattr(inspect_archive, "SIZE_LIMIT", 5_000)
    members = {"header.json": HEAD, "samples/a.json": "0" * 6_000, "samples/q1.json": sample()}
    rows = read_inspect(archive_of(tmp_path, members))
    assert rows.quarantine["reason"][0].startswith("line_too_long")
    assert rows.scores.height == 1


def test_too_many_members_are_an_error(tmp_path, monkeypatch):
    """An index of millions of entries is no log."""
    monkeypatch.setattr(inspect_archive, "MEMBER_LIMIT", 1)
    with pytest.raises(SourceError, match="2 members"):
        read_inspect(archive_of(tmp_path, {"header.json": HEAD, "samples/q1.json": sample()}))


def test_an_archive_that_breaks_off_is_an_error(tmp_path):
    """Without its index nothing says what was in it."""
    path = archive_of(tmp_path, {"header.json": HEAD, "samples/q1.json": sample()})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SourceError, match="not a whole ZIP archive"):
        read_inspect(path)


def test_an_archive_without_a_head_is_an_error(tmp_path):
    """Scores of an unknown run could not be compared with anything."""
    with pytest.raises(SourceError, match="missing or damaged"):
        read_inspect(archive_of(tmp_path, {"samples/q1.json": sample()}))


def test_names_of_members_are_never_paths(tmp_path):
    """An archive must not write beside itself, or anywhere."""
    members = {"header.json": HEAD, "samples/../../escaped.json": sample()}
    rows = read_inspect(archive_of(tmp_path, members))
    assert rows.scores.height == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["log.eval"]


def test_a_log_that_was_never_scored_says_so(tmp_path):
    """Its results are null, and its `version` made it one of promptfoo, of which nothing was read at all."""
    unscored = {name: value for name, value in sample().items() if name != "scores"}
    head = {**HEAD, "eval": {**HEAD["eval"], "scorers": None}, "results": None}
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**head, "samples": [unscored]}), encoding="utf-8")
    assert detect_score_reader(path).source_format == "inspect"
    reasons = read_inspect(path).quarantine["reason"].to_list()
    assert reasons == ["missing_field: scores; the log was not scored, `inspect score` does so"]


def test_the_scorer_of_a_log_of_version_1_has_its_name(tmp_path):
    """Logs of spring 2024 hold one score per sample, and say once whose it is."""
    old = {name: value for name, value in sample(score={"value": "C"}).items() if name != "scores"}
    head = {**HEAD, "version": 1, "eval": {**HEAD["eval"], "scorers": None}}
    path = tmp_path / "log.json"
    results = {"scorer": {"name": "includes"}, "metrics": {}}
    path.write_text(json.dumps({**head, "results": results, "samples": [old]}), encoding="utf-8")
    assert read_inspect(path).scores.select("scorer", "score").rows() == [("includes", 1.0)]
