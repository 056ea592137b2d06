"""Tools are typed models; what is loaded is the JSON that was written from them."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from llmops_lib import load_tools, tool_of, write_tools
from llmops_lib.errors import ToolError
from llmops_lib.json_schemas import check_schema, misfits
from llmops_lib.registry.tool_code import tool_models
from tests.cpu_times import grows_linearly
from tests.registry.conftest import TOOL

PROJECT = Path(__file__).resolve().parents[2]
BUNDLED = PROJECT / "prompts" / "tools" / "support.py"


class FindParcel(BaseModel):
    """Find a parcel."""

    order: str
    days: int = 30


def test_a_model_becomes_a_definition():
    """The class names the tool, its docstring tells the model, its fields are the arguments."""
    tool = tool_of(FindParcel)
    assert (tool.name, tool.description) == ("find_parcel", "Find a parcel.")
    assert misfits({"order": "7-4471"}, tool.parameters) == []
    assert misfits({"days": "x"}, tool.parameters) == ["days: is not of type integer", "lacks 'order'"]


def test_what_was_written_is_loaded_again(prompts):
    """A definition survives its file."""
    write_tools([FindParcel], prompts / "tools")
    assert load_tools(folder=prompts) == [tool_of(FindParcel)]


def test_checking_writes_nothing_and_names_what_differs(prompts):
    """As a step of CI."""
    assert [path.name for path in write_tools([FindParcel], prompts / "tools", is_check=True)] == [
        "find_parcel.json"
    ]
    assert list((prompts / "tools").iterdir()) == []
    write_tools([FindParcel], prompts / "tools")
    assert write_tools([FindParcel], prompts / "tools", is_check=True) == []


def test_a_model_without_a_docstring_defines_no_tool():
    """The model would not know when to call it."""
    silent = type("Silent", (BaseModel,), {"__module__": __name__})
    with pytest.raises(ToolError, match="has no description"):
        tool_of(silent)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "found list"),
        (TOOL.replace('"parameters"', '"arguments"'), "expected an object with the keys"),
        (TOOL.replace("lookup_order", "find_order"), "expected it in find_order.json"),
        (TOOL.replace('"type": "object"', '"type": "string"'), "not of type object"),
        (TOOL.replace('{"type": "string"}', '{"type": "text"}'), "is no JSON Schema"),
        (TOOL.replace('{"type": "string"}', '{"$ref": "file:///x"}'), "only references within"),
        (TOOL.replace("lookup_order", "../x"), "tool name"),
    ],
)
def test_a_definition_that_is_not_as_expected_says_what_is_wrong(prompts, content, said):
    """The file, what was found, what was expected."""
    (prompts / "tools" / "lookup_order.json").write_text(content)
    with pytest.raises(ToolError) as refused:
        load_tools(folder=prompts)
    assert said in str(refused.value)
    assert "tools/lookup_order.json" in str(refused.value)


def test_loading_never_runs_the_code_of_tools(prompts, tmp_path):
    """A prompt of an unreviewed branch may be looked at."""
    canary = tmp_path / "ran"
    (prompts / "tools" / "evil.py").write_text(f"open({str(canary)!r}, 'w')")
    (prompts / "tools" / "lookup_order.json").write_text(TOOL)
    load_tools(folder=prompts)
    assert not canary.exists()


def test_only_models_of_the_file_itself_are_tools(tmp_path):
    """Its imports are not."""
    file = tmp_path / "mine.py"
    file.write_text(
        "from pydantic import BaseModel\nclass _Part(BaseModel):\n    x: int\n"
        "class SendNote(BaseModel):\n    'Send a note.'\n    part: _Part\n"
    )
    assert [tool_of(model).name for model in tool_models(file)] == ["send_note"]


@pytest.mark.parametrize("text", ["1 / 0", "x = 1", None])
def test_a_file_without_models_says_what_was_expected(tmp_path, text):
    """It may be the wrong file, or broken."""
    file = tmp_path / "mine.py"
    if text:
        file.write_text(text)
    with pytest.raises(ToolError, match=r"mine\.py"):
        tool_models(file)


def test_the_bundled_definitions_are_in_step_with_their_models():
    """The JSON is generated; an edit of one without the other must not land."""
    assert write_tools(tool_models(BUNDLED), BUNDLED.parent, is_check=True) == []


@pytest.mark.parametrize(
    ("tool", "arguments", "is_valid"),
    [
        ("lookup_order", {"order": "7-4471"}, True),
        ("lookup_order", {"order": "4471"}, False),
        ("lookup_order", {"order": "7-4471", "all": True}, False),
        ("issue_refund", {"order": "7-4471"}, True),
        ("issue_refund", {"order": "7-4471", "amount_usd": 12.5, "reason": "late"}, True),
        ("issue_refund", {"order": "7-4471", "amount_usd": 0}, False),
        ("issue_refund", {"order": "7-4471", "amount_usd": 501}, False),
        ("issue_refund", {"order": "7-4471", "reason": "please"}, False),
        ("issue_refund", {}, False),
    ],
)
def test_the_bundled_tools_take_what_they_should(tool, arguments, is_valid):
    """A refund has an order, a bound and a reason that is on the list."""
    tools = {one.name: one for one in load_tools(folder=PROJECT / "prompts")}
    assert (misfits(arguments, tools[tool].parameters) == []) is is_valid


def test_what_does_not_fit_is_told_without_its_value():
    """Arguments come from a model and may quote a user."""
    said = misfits({"order": "sk-secret", "sk-key": 1}, load_tools(folder=PROJECT / "prompts")[1].parameters)
    assert len(said) == 2
    assert "secret" not in str(said)
    assert "sk-key" not in str(said)


def test_a_name_that_only_the_value_has_is_not_told():
    """A key can be a secret as well as a value can."""
    schema = {
        "type": "object",
        "additionalProperties": {"type": "object", "properties": {"n": {"type": "integer"}}},
    }
    assert misfits({"sk-secret": {"n": "x"}}, schema) == ["*.n: is not of type integer"]


def test_a_pattern_takes_linear_time():
    """The arguments come from a model, and this pattern takes for ever where engines go back."""
    schema = {"pattern": "^(a+)+$"}
    assert misfits("a" * 50_000 + "!", schema) == ["does not fit pattern ^(a+)+$"]
    assert grows_linearly(lambda length: misfits("a" * length + "!", schema), length=50_000)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "text"}, "type: "),
        ({"properties": {"a": {"maxLength": -1}}}, "properties.a.maxLength"),
        ({"$ref": "#/$defs/nothing"}, "does not exist"),
        ({"$ref": "other.json"}, "only references within"),
        ({"pattern": "(?=a)b"}, "neither look-around nor back-references"),
    ],
)
def test_a_schema_that_is_none_says_where(schema, said):
    """A schema that nothing can fit, or everything, would be found in production."""
    with pytest.raises(ValueError, match=re.escape(said)):
        check_schema(schema)


def test_a_reference_is_never_fetched():
    """Jsonschema would open a connection for it."""
    with pytest.raises(ValueError, match="Retrieval is disabled"):
        misfits({}, {"$ref": "https://example.com/schema.json"})
