"""Playbooks are data that is checked, their evidence runs, and the planted kind is the one that matches."""

from datetime import timedelta

import polars as pl
import pytest
from measures.incident_traffic import ONSET, failing, in_incident, quiet_spans

import llmops_lib
from llmops_lib import load_playbooks, matching_playbooks
from llmops_lib.errors import IncidentError

PLAYBOOKS = load_playbooks()
KINDS = {
    "cost_runaway", "data_leak", "failing_requests", "hallucinated_facts", "model_regression",
    "prompt_injected_agent", "provider_outage", "retry_storm", "schema_break",
}  # fmt: skip


def incident(*metrics, times=9.0):
    """An incident in which these metrics moved."""
    return {"metric": metrics[0], "metrics": list(metrics), "onset_at": ONSET, "usual": 1.0, "during": times}


def causes(*columns, is_new=False):
    """One cause that names these columns."""
    return pl.DataFrame({"columns": [list(columns)], "values": [["x"] * len(columns)], "is_new": [is_new]})


def changed(kind, what):
    """One change just before."""
    return pl.DataFrame({"kind": [kind], "what": [what]})


def test_there_is_a_playbook_for_each_of_nine_kinds():
    """Those that the on-call meets."""
    assert {playbook.name for playbook in PLAYBOOKS} == KINDS
    assert all(playbook.body for playbook in PLAYBOOKS)


CASES = {
    "cost_runaway": (incident("spend"), causes("feature", "tenant"), None),
    "data_leak": (incident("findings: email address"), causes("feature"), None),
    "failing_requests": (incident("errors", "errors: ContentPolicyViolation"), causes("feature"), None),
    "hallucinated_facts": (incident("quality: correct", times=2), causes("prompt_hash", is_new=True), None),
    "model_regression": (
        incident("quality: correct", times=2), causes("response_model", is_new=True),
        changed("first seen", "response_model=x"),
    ),
    "prompt_injected_agent": (incident("findings: prompt injection"), causes("user_id"), None),
    "provider_outage": (incident("latency", "errors: APITimeoutError"), causes("request_model"), None),
    "retry_storm": (incident("errors: RateLimitError", "retries"), causes("tenant"), None),
    "schema_break": (incident("tool failures"), causes("tool_name"), changed("tool commit", "pay (c0ffee)")),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_incident_of_a_kind_matches_its_playbook_best(kind):
    """The wrong playbook costs the first half hour."""
    row, found, before = CASES[kind]
    matches = matching_playbooks(row, found, before)
    assert matches["playbook"].item(0) == kind
    assert matches["match_share"].item(0) > 0.6


@pytest.mark.parametrize("error_type", ["BadRequestError", "ContentPolicyViolation", "JSONDecodeError"])
def test_a_burst_of_errors_of_one_feature_has_steps_that_fit(error_type):
    """The plainest incident of all; that of an outage would move traffic away from a model that works."""
    matches = matching_playbooks(incident("errors", f"errors: {error_type}"), causes("feature"))
    assert matches["playbook"].item(0) == "failing_requests"
    assert matches["match_share"].item(0) > 0.6


@pytest.mark.parametrize("error_type", ["InternalServerError", "APITimeoutError", "ServiceUnavailable"])
def test_errors_of_the_server_on_one_model_stay_an_outage(error_type):
    """What the feature sends is not to blame where the provider fails."""
    matches = matching_playbooks(incident("errors", f"errors: {error_type}"), causes("request_model"))
    assert matches["playbook"].item(0) == "provider_outage"


def test_ratings_alone_are_no_sign_of_wrong_facts():
    """Users dislike a tone too."""
    first = matching_playbooks(incident("quality: feedback"), causes("prompt_hash", is_new=True)).row(
        0, named=True
    )
    assert first["missing"] == ["a scorer of facts, grounding or correctness fell"]


def test_a_required_sign_that_does_not_hold_rules_a_playbook_out():
    """Quality that fell without a new model is no update of a provider."""
    matches = matching_playbooks(incident("quality: correct"), causes("feature"))
    assert "model_regression" not in matches["playbook"].to_list()


def test_a_match_says_what_holds_and_what_is_missing():
    """A share alone cannot be argued with."""
    first = matching_playbooks(incident("spend", times=1.5), causes("provider")).row(0, named=True)
    assert first["held"] == ["spend rose", "no failures with it that would be paid for twice"]
    assert "at least three times the usual" in first["missing"]
    assert first["match_share"] == 0.5


@pytest.fixture(scope="module")
def notebook():
    """What a cell of evidence finds in a notebook: a burst of failed calls, and the library."""
    spans = failing(quiet_spans(), in_incident()).with_columns(is_retry=False, is_retried=False)
    row = incident("errors") | {"ended_at": ONSET + timedelta(hours=6)}
    return {
        "spans": spans.with_columns(tool_name=pl.lit("pay")),
        "incident": row,
        "where": {"tenant": "acme"},
    }


@pytest.mark.parametrize(
    "cell", sorted({evidence.cell for playbook in PLAYBOOKS for evidence in playbook.evidence})
)
def test_every_cell_of_evidence_runs(cell, notebook):
    """A cell that fails at three in the morning is worse than none."""
    code = compile(cell, "evidence", "eval")
    public = {name: getattr(llmops_lib, name) for name in code.co_names if name in llmops_lib.__all__}
    assert isinstance(eval(code, public | notebook), pl.DataFrame)  # noqa: S307 - the library's own reviewed data


def written(folder, text):
    """A folder with one playbook of this text."""
    (folder / "own.md").write_text(text, encoding="utf-8")
    return folder


OWN = """---
title: Own
signature: [{says: spend rose, metrics: [spend]}]
evidence: [{what: who, cell: spans}]
mitigation: [stop]
rollback: git revert X
follow_ups: [learn]
---
Why.
"""


def test_own_playbooks_are_read(tmp_path):
    """Every company has incidents of its own."""
    (playbook,) = load_playbooks(written(tmp_path, OWN))
    assert (playbook.name, playbook.body) == ("own", "Why.")
    assert matching_playbooks(incident("spend"), causes("tenant"), playbooks=[playbook]).height == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: Own", "titel: Own", "title: Field required"),
        ("metrics: [spend]", "metrics: [mood]", "metrics .'mood'. are unknown, expected some of spend"),
        (", metrics: [spend]", "", "states no condition"),
        ("title: Own", "title: &a Own\nbody2: *a", "no plain YAML"),
        ("---\ntitle", "title", "found no front matter"),
        (
            "title: Own",
            "title: !!python/object/apply:os.system [ls]",
            "title: Input should be a valid string",
        ),
    ],
)
def test_what_is_wrong_with_a_playbook_is_said(tmp_path, old, new, said):
    """The file and the field, before anybody relies on it."""
    with pytest.raises(IncidentError, match=rf"own\.md: .*{said}"):
        load_playbooks(written(tmp_path, OWN.replace(old, new)))


def test_a_folder_without_playbooks_is_an_error(tmp_path):
    """A mistyped folder must not read as no incident known."""
    with pytest.raises(IncidentError, match="holds no playbook"):
        load_playbooks(tmp_path)
