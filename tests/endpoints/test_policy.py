import json

import pytest

from llmops_lib import AuditLog, Policy
from llmops_lib.chat import ChatRequest
from llmops_lib.errors import AuditError, PolicyError
from llmops_lib.safety.audit.reading import latest_entries
from tests.endpoints.conftest import echo, request

SECRET = "sk-" + "proj-" + "Ab3" * 12
VALUES = {
    "EMAIL": "ann@example.com",
    "PHONE": "+44 20 7946 0958",
    "CARD": "4111 1111 1111 1111",
    "IBAN": "GB82WEST12345698765432",
    "IP": "203.0.113.9",
    "SSN": "123-45-6789",
    "SECRET": SECRET,
}
ALLOWED = {"personal": "allow", "SECRET": "allow", "MEDIA": "allow"}


def policy(classes=None, **fields):
    """A policy for a vendor, which the loopback server stands for."""
    permission = {"classes": ALLOWED | (classes or {}), **fields.pop("permission", {})}
    rule = {"name": "vendor", "hosts": ["127.0.0.1"], "purposes": {"rerun": permission}}
    return Policy.model_validate({"endpoints": [rule | fields.pop("rule", {})], **fields})


@pytest.fixture
def log(tmp_path):
    """An empty audit log."""
    return AuditLog(tmp_path / "audit")


def rerun(text="hello", **fields):
    """A request that asks once more what a user asked."""
    return request(text, purpose="rerun", **fields)


@pytest.mark.parametrize("action", ["allow", "redact", "block"])
@pytest.mark.parametrize("kind", VALUES)
def test_each_class_of_data_is_sent_redacted_or_held_back_as_the_policy_says(
    serve, client_of, log, kind, action
):
    """Every cell of the matrix; of a denied one no byte leaves, and each decision is in the audit log."""
    server = serve(echo)
    client = client_of(server, policy=policy({kind: action}), audit=log)
    result = client.chat(rerun(f"It is {VALUES[kind]} today"))
    [entry] = latest_entries(log.folder, limit=9)
    assert entry.details["decision"] == action
    assert entry.details["classes"] == [kind]
    assert VALUES[kind] not in next(log.folder.glob("audit-*")).read_text()
    if action == "block":
        assert (result.error_type, server.asked) == ("policy", [])
        assert f"{kind} in user" in result.error
        assert VALUES[kind] not in result.error
    else:
        shown = VALUES[kind] if action == "allow" else f"<{kind}_1>"
        assert result.answer.text == f"It is {shown} today"


def test_the_same_value_has_one_placeholder_in_the_whole_request(serve, client_of):
    """The model still sees that question and tool result speak of the same person."""
    server = serve(echo)
    messages = [
        {"role": "system", "content": "Serve bob@example.com."},
        {"role": "user", "content": [{"type": "text", "text": "I am ann@example.com"}]},
        {
            "role": "assistant",
            "tool_calls": [{"function": {"name": "f", "arguments": '{"to": "ann@example.com"}'}}],
        },
        {"role": "tool", "content": "bob@example.com wrote to ann@example.com", "card": 4111111111111111},
    ]
    tools = [{"type": "function", "function": {"name": "f", "description": "ask bob@example.com"}}]
    client = client_of(server, policy=policy({"personal": "redact"}))
    client.chat(ChatRequest("m", messages, {"user": "ann@example.com"}, tools, purpose="rerun"))
    [asked] = server.asked
    text = asked.body.decode()
    assert "@example.com" not in text
    assert "4111111111111111" not in text
    sent = json.loads(text)
    assert sent["messages"][1]["content"][0]["text"] == "I am <EMAIL_2>"
    assert sent["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"to": "<EMAIL_2>"}'
    assert sent["messages"][3] == {
        "role": "tool",
        "content": "<EMAIL_1> wrote to <EMAIL_2>",
        "card": "<CARD_1>",
    }
    assert sent["tools"][0]["function"]["description"] == "ask <EMAIL_1>"
    assert sent["user"] == "<EMAIL_2>"


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}],
        [{"type": "input_audio", "input_audio": {"data": "AAAA"}}],
        "data:image/png;base64,iVBORw0KGgo=",
    ],
)
def test_what_cannot_be_searched_is_held_back_where_the_policy_says_so(serve, client_of, content):
    """Nobody knows what a picture shows."""
    server = serve(echo)
    result = client_of(server, policy=policy({"MEDIA": "block"})).chat(rerun(content))
    assert (result.error_type, server.asked) == ("policy", [])


def test_text_around_an_embedded_picture_is_searched_all_the_same(serve, client_of):
    """Else whoever begins with a picture would have everything behind it passed on."""
    server = serve(echo)
    client = client_of(server, policy=policy({"personal": "redact"}))
    answer = client.chat(rerun("data:image/png;base64,iVBORw0KGgo= of ann@example.com")).answer.text
    assert answer == "data:image/png;base64,iVBORw0KGgo= of <EMAIL_1>"


def test_a_request_that_is_nested_too_deeply_to_be_searched_is_held_back(serve, client_of):
    """A recorded message may be hostile; it must not end the run of all the others."""
    server = serve(echo)
    deep = "x"
    for _ in range(3_000):
        deep = [deep]
    results = client_of(server).chat_all([rerun(deep), rerun("hi")])
    assert [result.error_type for result in results] == ["policy", None]


def test_seeds_and_bounds_stay_numbers(serve, client_of):
    """Ten digits may be a phone number, and an endpoint refuses a placeholder for a seed."""
    server = serve(echo)
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"maximum": 2125550143}}}]
    request = ChatRequest(
        "m", [{"role": "user", "content": "x"}], {"seed": 2125550143}, tools, purpose="rerun"
    )
    client_of(server, policy=policy({"personal": "redact"})).chat(request)
    sent = json.loads(server.asked[0].body)
    assert (sent["seed"], sent["tools"]) == (2125550143, tools)


def test_a_field_that_may_not_be_sent_holds_the_request_back(serve, client_of):
    """Tool results are another matter than what the user typed; unknown roles are never sent."""
    server = serve(echo)
    client = client_of(server, policy=policy(permission={"fields": ["user", "parameters"]}))
    assert client.chat(rerun("hi")).answer.text == "hi"
    tool = ChatRequest("m", [{"role": "tool", "content": "x"}], purpose="rerun")
    odd = ChatRequest("m", [{"role": "x", "content": "x"}], purpose="rerun")
    assert [result.error_type for result in client.chat_all([tool, odd])] == ["policy", "policy"]
    assert len(server.asked) == 1


@pytest.mark.parametrize("purpose", ["eval", "judge", "other", "anything"])
def test_a_purpose_that_no_rule_names_is_refused(serve, client_of, purpose):
    """What is not allowed is denied."""
    server = serve(echo)
    result = client_of(server, policy=policy()).chat(request("hi", purpose=purpose))
    assert result.error_type == "policy"
    assert f"allows nothing for the purpose {purpose}" in result.error
    assert server.asked == []


@pytest.mark.parametrize(
    ("limits", "rule", "reason"),
    [
        ({"regions": ["eu"]}, {"region": "us"}, "its region is us, and the policy allows eu"),
        ({"regions": ["eu"]}, {}, "its region is not known"),
        ({"longest_retention_days": 7}, {"retention_days": 30}, "for 30 days, and the policy allows 7 days"),
        ({"longest_retention_days": 7}, {}, "for how long is not known"),
    ],
)
def test_an_endpoint_of_another_region_or_that_keeps_data_longer_is_refused(
    serve, client_of, limits, rule, reason
):
    """What is not known counts as not allowed."""
    server = serve(echo)
    result = client_of(server, policy=policy(rule=rule, **limits)).chat(rerun())
    assert reason in result.error
    assert server.asked == []


def test_an_endpoint_that_no_rule_names_is_an_error_before_any_request(serve, client_of):
    """Even this machine, where the policy does not say so."""
    server = serve(echo)
    with pytest.raises(PolicyError, match="no rule of the policy names this endpoint"):
        client_of(server, policy=policy(rule={"hosts": ["api.openai.com"]}))
    assert server.asked == []


def test_without_a_policy_of_ones_own_this_machine_may_have_everything_but_keys(serve, client_of):
    """The packaged policy."""
    server = serve(echo)
    result = client_of(server).chat(request(f"{VALUES['EMAIL']} {SECRET}"))
    assert result.answer.text == f"{VALUES['EMAIL']} <SECRET_1>"


def test_the_policy_of_the_working_directory_is_kept_to(serve, client_of, tmp_path, monkeypatch):
    """A reviewed file in the project binds everybody who works in it."""
    (tmp_path / "policy.yaml").write_text(
        "endpoints:\n- {name: here, hosts: [loopback], purposes: {any: {classes: {personal: redact}}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    server = serve(echo)
    assert client_of(server).chat(request("ann@example.com")).answer.text == "<EMAIL_1>"


def test_nothing_is_sent_where_it_cannot_be_recorded(serve, client_of, tmp_path):
    """The audit log fails closed."""
    (tmp_path / "no_folder").write_text("")
    server = serve(echo)
    client = client_of(server, audit=AuditLog(tmp_path / "no_folder"))
    with pytest.raises(AuditError, match="nothing was done"):
        client.chat(request())
    assert server.asked == []


def test_every_call_is_recorded_and_a_kept_answer_is_none(serve, client_of, log, tmp_path):
    """What is answered from the cache leaves no machine."""
    server = serve(echo)
    client = client_of(server, audit=log, cache=tmp_path / "answers")
    client.chat_all([rerun(str(number)) for number in range(5)])
    client.chat_all([rerun(str(number)) for number in range(5)])
    entries = latest_entries(log.folder, limit=99)
    assert len(server.asked) == len(entries) == 5
    assert {entry.action for entry in entries} == {"endpoint_call"}


def test_spans_of_calls_hold_what_was_sent_and_for_what(serve, client_of, spans_file):
    """The raw text must not come back through our own trace."""
    client = client_of(serve(echo), policy=policy({"personal": "redact"}), spans_file=spans_file)
    client.chat(rerun("I am ann@example.com"))
    text = spans_file.read_text()
    assert "ann@" not in text
    assert "<EMAIL_1>" in text
    assert "llmops.purpose" in text
