import polars as pl
import pytest

from llmops_lib import Policy, load_policy, sent_data
from llmops_lib.endpoints.addresses import PUBLIC_HOSTS
from llmops_lib.errors import PolicyError
from llmops_lib.safety.policy import PACKAGED

RULE = "endpoints:\n- name: a\n  hosts: [x]\n  purposes: {any: {classes: {personal: allow}}}\n"


def test_the_packaged_policy_names_every_known_provider():
    """A provider that the client knows and the policy does not would be refused for no reason."""
    policy = load_policy(PACKAGED)
    for place in PUBLIC_HOSTS:
        host, _, port = place.partition(":")
        assert policy.rule_of_host(host, int(port), is_loopback=False).name == "known_providers"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("endpoints: []\n", "endpoints"),
        ("rules: []\n", "endpoints: is missing"),
        (RULE + "rules: []\n", "no such key; a policy has filters"),
        (RULE.replace("personal: allow", "personal: maybe"), ":4: .*maybe"),
        (RULE.replace("personal: allow", "MEDIA: redact"), "nobody knows what a picture shows"),
        (RULE.replace("any:", "fun:"), "fun"),
        (RULE.replace("hosts: [x]", "retention_days: -1"), "whole days such as 30"),
        (RULE + RULE.removeprefix("endpoints:\n"), "two endpoints are named 'a'"),
        ("endpoints: &x [*x]\n", "alias"),
        ("filters: {personal: sometimes}\n" + RULE, "sometimes"),
    ],
)
def test_a_policy_that_says_what_cannot_be_is_refused_with_its_line(tmp_path, text, message):
    """A policy with a typing error must not be taken for one that allows less, or more."""
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=message):
        load_policy(path)


def test_a_class_that_a_rule_does_not_name_is_blocked(tmp_path):
    """Default deny."""
    path = tmp_path / "policy.yaml"
    path.write_text(RULE)
    policy = load_policy(path)
    permission = policy.permission(policy.endpoints[0], "rerun")
    assert [permission.action(kind) for kind in ("EMAIL", "SECRET", "MEDIA")] == ["allow", "block", "block"]


POLICY = Policy.model_validate(
    {
        "endpoints": [
            {
                "name": "vendor",
                "providers": ["openai"],
                "purposes": {
                    "production": {"classes": {"EMAIL": "allow", "CARD": "block"}, "fields": ["user"]},
                },
            },
            {"name": "here", "hosts": ["loopback"], "purposes": {"any": {"classes": {"personal": "allow"}}}},
        ]
    }
)


def spans(rows):
    """SPANS of (provider, attributes, input, system)."""
    columns = {
        "trace_id": [f"t{at}" for at in range(len(rows))],
        "span_id": ["s"] * len(rows),
        "is_model_call": [True] * len(rows),
        "provider": [row[0] for row in rows],
        "attributes": [row[1] for row in rows],
        "input": [row[2] for row in rows],
        "output": [None] * len(rows),
        "system_instructions": [row[3] for row in rows],
    }
    texts = ("provider", "attributes", "input", "output", "system_instructions")
    return pl.DataFrame(columns, schema_overrides=dict.fromkeys(texts, pl.String))


def verdicts(rows):
    """Endpoint, field, class, verdict and number of calls."""
    columns = ("endpoint", "field", "kind", "is_violation", "call_count")
    return sent_data(spans(rows), POLICY).select(columns).rows()


def test_data_that_went_where_it_should_not_have_is_listed_first():
    """With what went there by right, so that the reader sees that it was looked for."""
    rows = [
        ("openai", None, "ann@example.com and 4111 1111 1111 1111", None),
        ("openai", None, "bob@example.com", None),
    ]
    assert verdicts(rows) == [("openai", "user", "CARD", True, 1), ("openai", "user", "EMAIL", False, 2)]


def test_every_call_to_an_endpoint_that_no_rule_names_is_against_the_policy():
    """Whatever was in it."""
    assert verdicts([("groq", None, "hello", None)]) == [("groq", "user", "ANY", True, 1)]


def test_a_field_that_may_not_be_sent_is_listed():
    """System prompts may be a secret of their own."""
    assert verdicts([("openai", None, "hi", "Be kind.")]) == [("openai", "system", "FIELD", True, 1)]


def test_the_address_of_a_call_says_more_than_its_provider():
    """A model of a provider may run on this machine."""
    here = '{"server.address": "127.0.0.1", "server.port": 8000}'
    assert verdicts([("openai", here, "ann@example.com", None)]) == [("127.0.0.1", "user", "EMAIL", False, 1)]


def test_a_call_without_an_endpoint_is_unknown_and_no_violation():
    """Null means unknown."""
    assert verdicts([(None, None, "ann@example.com", None)]) == [
        (None, "user", "ANY", None, 1),
        (None, "user", "EMAIL", None, 1),
    ]


def test_our_own_calls_are_held_to_their_purpose():
    """A rerun is not production, and the vendor's rule names no reruns."""
    found = sent_data(spans([("openai", '{"llmops.purpose": "rerun"}', "hi", None)]), POLICY)
    assert found.select("purpose", "kind", "is_violation").rows() == [("rerun", "ANY", True)]
