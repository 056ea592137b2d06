"""Regions: read where an export states one, in the order of how exactly it does, and never guessed."""

import json

import polars as pl
import pytest

from llmops_lib import with_region
from llmops_lib.errors import EngineError, MissingColumnError

STATED = [
    ({"cloud.region": "eu-west-1"}, "eu-west-1"),
    ({"otel.resource": {"cloud.region": "europe-west4"}}, "europe-west4"),
    ({"metadata.region": "eu"}, "eu"),
    ({"langsmith.extra": {"metadata": {"region": "us-east4"}}}, "us-east4"),
    ({"litellm.hidden_params": {"region_name": "us-west-2"}}, "us-west-2"),
    ({"server.address": "bedrock-runtime.eu-central-1.amazonaws.com"}, "eu-central-1"),
    ({"url.full": f"https://us-central1-aiplatform.googleapis.com/v1/{'x' * 200}"}, "us-central1"),
    ({"litellm.api_base": "https://swedencentral.api.cognitive.microsoft.com/openai"}, "swedencentral"),
    ({"server.address": "eu.api.openai.com", "server.port": 443}, "eu"),
]
NOT_STATED = [
    {"server.address": "prod-eastus.openai.azure.com"},
    {"server.address": "eu-west-1.example.com"},
    {"said": '"region": "eu-west-1"'},
    {"tool": {"arguments": {"region": "Bavaria"}}},
    {"region": 7},
    {"region": "x" * 65},
]


def told(*attributes, engine=lambda table: table, models=None):
    """The regions of spans with these attributes."""
    texts = [one if one is None or isinstance(one, str) else json.dumps(one) for one in attributes]
    table = pl.DataFrame({"attributes": texts, "request_model": models or [None] * len(texts)},
                         schema_overrides={"request_model": pl.String})  # fmt: skip
    return with_region(engine(table))


@pytest.mark.parametrize(("attributes", "region"), STATED)
def test_a_stated_region_is_read(attributes, region):
    """By name, by the address that was called, or by the resource that called."""
    assert told(attributes)["region"].to_list() == [region]


@pytest.mark.parametrize("attributes", [*NOT_STATED, None, "[1]", "not json: region"])
def test_what_states_no_region_is_unknown(attributes):
    """A name that people chose, a text or an argument of a tool may only look like one."""
    assert told(attributes)["region"].to_list() == [None]


def test_an_arn_names_its_region():
    """Bedrock takes the ARN of an inference profile as the model."""
    arn = "arn:aws:bedrock:us-west-2:123456789012:inference-profile/x"
    assert told(None, "{}", models=[arn, "gpt-5"])["region"].to_list() == ["us-west-2", None]


def test_what_the_call_states_comes_before_where_the_caller_ran():
    """A service in one region may call an endpoint in another, and it is the endpoint that fails."""
    both = {
        "otel.resource": {"cloud.region": "us-east-1"},
        "server.address": "bedrock-runtime.eu-west-1.amazonaws.com",
    }
    assert told(both)["region"].to_list() == ["eu-west-1"]


def test_lazy_polars_and_pandas_are_read_alike():
    """The store gives a lazy frame, notebooks often hold pandas."""
    attributes = [dict(one) for one, _ in STATED[:3]]
    wanted = [region for _, region in STATED[:3]]
    assert told(*attributes, engine=pl.DataFrame.lazy).collect()["region"].to_list() == wanted
    assert told(*attributes, engine=pl.DataFrame.to_pandas)["region"].to_list() == wanted


def test_an_engine_that_cannot_is_named():
    """Nothing is collected silently."""
    duckdb = pytest.importorskip("duckdb")
    with pytest.raises(EngineError, match="with_region cannot run on"):
        told({"region": "eu"}, engine=lambda table: duckdb.from_arrow(table.to_arrow()))


def test_a_region_that_is_there_is_kept():
    """A column of one's own is better evidence than any attribute."""
    table = pl.DataFrame({"region": ["own"], "attributes": ['{"region": "eu"}']})
    assert with_region(table)["region"].to_list() == ["own"]


def test_spans_without_attributes_are_refused():
    """Null everywhere would say that no export states any."""
    with pytest.raises(MissingColumnError, match="attributes"):
        with_region(pl.DataFrame({"trace_id": ["t"]}))
