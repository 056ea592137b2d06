"""Causes of incidents: parts add up to the change, the tightest group comes first, aliases are named."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measures.incident_traffic import ONSET, failing, in_incident, quiet_spans

from llmops_lib import explain_incident, incident_breakdown
from llmops_lib.errors import IncidentError
from llmops_lib.signals.contrast import Sides, contrasted
from llmops_lib.signals.ranking import ranked

SEARCH = pl.col("feature") == "search"
GLOBEX = pl.col("tenant") == "globex"


def incident(metric, hours=6):
    """An incident as its row tells it."""
    return {"metric": metric, "onset_at": ONSET, "ended_at": ONSET + timedelta(hours=hours)}


@pytest.fixture(scope="module")
def quiet():
    """Quiet weeks."""
    return quiet_spans()


def test_a_pair_that_holds_the_change_comes_before_its_parts(quiet):
    """Neither the tenant nor the feature alone failed; the two together did."""
    causes = explain_incident(failing(quiet, in_incident(SEARCH, GLOBEX)), incident("errors"))
    assert causes["cause"].item(0) == "feature=search, tenant=globex"
    assert causes["explained_share"].item(0) == pytest.approx(1, abs=0.1)


def test_a_value_that_holds_the_change_comes_before_any_pair(quiet):
    """A pair that adds nothing would hide how wide the incident is."""
    causes = explain_incident(failing(quiet, in_incident(GLOBEX)), incident("errors"))
    assert causes["cause"].item(0) == "tenant=globex"


def test_the_hash_of_a_prompt_is_named_by_its_version_too(quiet):
    """Another prompt has that version too, so that only name and version together say which it is."""
    changed = in_incident(SEARCH, hours=60)
    spans = quiet.with_columns(
        prompt_name="feature",
        prompt_hash=pl.when(changed).then(pl.lit("bb22")).when(SEARCH).then(pl.lit("aa11")).otherwise(pl.lit("cc33")),
        prompt_version=pl.when(SEARCH & ~changed).then(pl.lit("1")).otherwise(pl.lit("2")),
        feedback_score=pl.when(changed).then(0.0).otherwise(1.0),
    )  # fmt: skip
    first = explain_incident(spans, incident("quality: feedback", hours=60)).row(0, named=True)
    assert (first["cause"], first["is_new"]) == ("prompt_hash=bb22", True)
    assert first["same_as"][0] == "prompt_name=search, prompt_version=2"


def test_spend_is_explained_in_dollars(quiet):
    """The runaway of one tenant, against the same hours of the weeks before."""
    runaway = in_incident(GLOBEX)
    spans = quiet.with_columns(cost_usd=pl.when(runaway).then(pl.col("cost_usd") * 15).otherwise("cost_usd"))
    first = explain_incident(spans, incident("spend")).row(0, named=True)
    assert first["cause"] == "tenant=globex"
    assert first["during"] == pytest.approx(spans.filter(runaway)["cost_usd"].sum())


def test_a_prompt_that_came_with_the_incident_is_named_as_new(quiet):
    """A version never seen before is a change in itself; its hash names the same calls."""
    changed = in_incident(SEARCH)
    spans = failing(quiet, changed).with_columns(
        prompt_version=pl.when(changed).then(pl.lit("2")).otherwise("prompt_version"),
        prompt_hash=pl.when(changed).then(pl.lit("bb22")).otherwise("prompt_hash"),
    )
    first = explain_incident(spans, incident("errors: BadRequestError")).row(0, named=True)
    assert (first["cause"], first["is_new"]) == ("prompt_version=2", True)
    assert "prompt_hash=bb22" in first["same_as"]


def test_a_release_that_all_calls_have_does_not_hide_the_tenant(quiet):
    """Something new is always around; that all calls have it explains no rise of one tenant."""
    runaway, day_before = in_incident(GLOBEX), ONSET - timedelta(hours=20)
    spans = quiet.with_columns(
        cost_usd=pl.when(runaway).then(pl.col("cost_usd") * 15).otherwise("cost_usd"),
        release=pl.when(pl.col("started_at") < day_before).then(pl.lit("1.0")).otherwise(pl.lit("1.1")),
    )
    assert explain_incident(spans, incident("spend"))["cause"].item(0) == "tenant=globex"


@pytest.mark.parametrize("metric", ["spend", "errors", "errors: BadRequestError", "latency"])
@pytest.mark.parametrize("column", ["tenant", "feature", "user_id", "release"])
def test_the_parts_of_a_column_add_up_to_the_change(quiet, metric, column):
    """Whatever the metric: a breakdown that does not add up explains something else."""
    broken = failing(quiet, in_incident(SEARCH)).with_columns(
        cost_usd=pl.when(in_incident(GLOBEX)).then(9.0).otherwise("cost_usd")
    )
    parts = incident_breakdown(broken, incident(metric), column=column)
    assert parts["contribution"].sum() == pytest.approx(parts["change"].item(0))
    assert parts["explained_share"].sum() == pytest.approx(1)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.booleans())
def test_parts_add_up_for_any_counts(seed, groups, is_amount):
    """Groups that one side lacks included; rate and mix are the whole contribution."""
    rng = np.random.default_rng(seed)
    seen = rng.integers(0, 50, (groups, 2)).astype(float)
    seen[0] += 1
    bad = np.floor(seen * rng.random((groups, 2)))
    cells = pl.DataFrame(
        {
            "group": [f"g{place}" for place in range(groups)],
            "seen_before": seen[:, 0], "bad_before": bad[:, 0],
            "seen_during": seen[:, 1], "bad_during": bad[:, 1],
        }
    )  # fmt: skip
    parts = contrasted(Sides(cells, is_amount=is_amount), ["group"])
    assert parts["contribution"].sum() == pytest.approx(parts["change"].item(0), abs=1e-9)
    if not is_amount:
        assert (parts["rate_part"] + parts["mix_part"]).to_list() == pytest.approx(
            parts["contribution"].to_list()
        )


def test_a_shift_between_values_is_mix_and_no_fault_of_either():
    """Twice as many calls of the worse model and none of it worse: the share rises all the same."""
    cells = pl.DataFrame(
        {
            "model": ["good", "bad"],
            "seen_before": [80.0, 20.0], "bad_before": [8.0, 10.0],
            "seen_during": [60.0, 40.0], "bad_during": [6.0, 20.0],
        }
    )  # fmt: skip
    parts = contrasted(Sides(cells, is_amount=False), ["model"])
    assert parts["rate_part"].to_list() == pytest.approx([0, 0])
    assert parts["mix_part"].sum() == pytest.approx(0.26 - 0.18)


def test_every_engine_explains_alike(quiet, engine):
    """The engine counts; what is done with the counts is the same code."""
    by = ["request_model", "feature", "tenant"]
    columns = ["started_at", "is_model_call", "is_error", "error_type", "model", "cost_usd", *by]
    broken = failing(quiet, in_incident(SEARCH)).select(columns)
    wanted = explain_incident(broken, incident("errors"), by=by)
    found = explain_incident(engine(broken), incident("errors"), by=by)
    assert found["cause"].to_list() == wanted["cause"].to_list()


def test_two_incidents_cannot_be_explained_as_one(quiet):
    """Each has its own time."""
    with pytest.raises(IncidentError, match="found 2 rows, expected one row"):
        explain_incident(quiet, pl.DataFrame([incident("errors"), incident("spend")]))


def test_a_pair_is_told_from_a_part_that_holds_little_else(quiet):
    """Nine in ten calls of the feature use one model: the tenth that did not fail tells the pair."""
    mostly = quiet.with_columns(
        request_model=pl.when(SEARCH & (pl.int_range(pl.len()) % 10 > 0)).then(pl.lit("large")).otherwise(
            "request_model"
        )
    ).with_columns(response_model="request_model")  # fmt: skip
    struck = in_incident(SEARCH, pl.col("request_model") == "large", hours=12)
    broken = mostly.with_columns(is_error=struck | pl.col("is_error"))
    causes = explain_incident(broken, incident("errors", hours=12))
    assert causes["cause"].item(0) == "request_model=large, feature=search"
    assert causes["cause"].item(1) == "feature=search"


def candidate(evidence, seen, **parts):
    """A candidate that explains all of the change."""
    counts = {"seen_before": 900.0, "bad_before": 1.0, "seen_during": seen, "bad_during": 26.0}
    return {
        "columns": list(parts), "values": list(parts.values()), "explained_share": 1.0, "evidence": evidence,
        **counts,
    }  # fmt: skip


@pytest.mark.parametrize(("evidence", "is_listed"), [(159.5, True), (150.0, False)])
def test_a_pair_that_is_as_likely_as_its_part_is_listed_after_it(evidence, is_listed):
    """Three good calls outside the pair are too few to say whether it was the pair or all of the feature."""
    rows = [
        candidate(161.0, 59.0, feature="search"),
        candidate(154.0, 77.0, model="large"),
        candidate(evidence, 56.0, feature="search", model="large"),
    ]
    everywhere = {**candidate(25.0, 240.0), "same_as": []}
    causes = [row["cause"] for row in ranked(rows, set(), everywhere=everywhere)]
    pair = ["feature=search, model=large"] if is_listed else []
    assert causes == ["feature=search", *pair, "model=large"]


def test_two_bad_calls_among_many_do_not_hide_a_pair():
    """One in a thousand is usual, so that two in three hundred are chance and no habit of the pair."""
    rows = [
        ("acme", "search", 300.0, 2.0, 30.0, 12.0),
        ("acme", "chat", 4000.0, 4.0, 70.0, 0.0),
        ("globex", "search", 4000.0, 4.0, 70.0, 1.0),
        ("globex", "chat", 9000.0, 9.0, 150.0, 0.0),
    ]
    names = ["tenant", "feature", "seen_before", "bad_before", "seen_during", "bad_during"]
    sides = Sides(pl.DataFrame(rows, schema=names, orient="row"), is_amount=False)
    pair = contrasted(sides, ["tenant", "feature"]).filter(tenant="acme", feature="search")
    alone = contrasted(sides, ["feature"]).filter(feature="search")
    assert pair["evidence"].item() > alone["evidence"].item()


def test_what_strikes_all_calls_alike_is_said_of_all_calls(quiet):
    """Naming whichever tenant had most of it would send the on-call to the wrong door."""
    causes = explain_incident(failing(quiet, in_incident()), incident("errors: BadRequestError"))
    first = causes.row(0, named=True)
    assert (first["cause"], first["columns"], first["values"]) == ("all calls", [], [])
    assert "release=1.0" in first["same_as"]
    assert "error_type=BadRequestError" in first["same_as"]


def test_a_region_is_among_the_causes(quiet):
    """It is no column of SPANS: it is read from attributes."""
    place = pl.int_range(pl.len()) % 2 == 0
    resource = pl.when(place).then(pl.lit("eu-west-1")).otherwise(pl.lit("us-east-1"))
    said = pl.concat_str(pl.lit('{"otel.resource": {"cloud.region": "'), resource, pl.lit('"}}'))
    spans = failing(quiet.with_columns(attributes=said), in_incident(place))
    assert explain_incident(spans, incident("errors"))["cause"].item(0) == "region=eu-west-1"


def test_error_classes_stand_beside_the_calls_that_failed(quiet):
    """What failed is a clue, where it failed is the cause."""
    causes = explain_incident(failing(quiet, in_incident(SEARCH)), incident("errors"))
    assert causes["cause"].to_list()[:3:2] == ["feature=search", "error_type=BadRequestError"]


def test_error_classes_have_parts_that_add_up_to_the_change(quiet):
    """Two classes rose, one was there before, and some failures have none."""
    broken = failing(failing(quiet, in_incident(SEARCH)), in_incident(GLOBEX), "RateLimitError")
    broken = broken.with_columns(
        error_type=pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise("error_type")
    )
    parts = incident_breakdown(broken, incident("errors"), column="error_type")
    assert set(parts["error_type"]) >= {"RateLimitError", "BadRequestError", "APITimeoutError", "(no class)"}
    assert parts["contribution"].sum() == pytest.approx(parts["change"].item(0))
    assert parts["seen_during"].n_unique() == 1
    assert parts["bad_during"].sum() == broken.filter(in_incident(), "is_error").height


def test_a_release_that_came_the_day_before_does_not_hide_the_feature(quiet):
    """All calls have it by then; only a value that has the same calls is explained by being new."""
    spans = failing(quiet, in_incident(SEARCH)).with_columns(
        release=pl.when(pl.col("started_at") < ONSET - timedelta(hours=20))
        .then(pl.lit("1"))
        .otherwise(pl.lit("2"))
    )
    assert explain_incident(spans, incident("errors"))["cause"].item(0) == "feature=search"
