"""The inputs of a prompt, read back out of the messages that it made."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops_lib import load_prompt
from llmops_lib.errors import PromptInputError
from llmops_lib.registry.readings import read_messages, untold_by
from tests.registry.conftest import prompts, write  # noqa: F401 - the fixtures are used by name

SUPPORT = load_prompt("support_answer")
TEXT = st.text(max_size=30).filter(lambda text: "\r" not in text)
PASSAGE = st.fixed_dictionaries(
    {"id": st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True), "text": TEXT.filter(bool)}
)


def file(template, properties, required=()):
    """A prompt file of one user message."""
    return (
        "---\nmodel: m\nowner: o\ninput_schema:\n"
        f"  {{type: object, required: [{', '.join(required)}], properties: {{{properties}}}}}\n"
        f"---\n<!-- user -->\n{template}\n"
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    company=st.text(min_size=1, max_size=20).filter(lambda text: "\r" not in text),
    passages=st.lists(PASSAGE, max_size=4),
    question=TEXT.filter(bool),
)
def test_what_the_bundled_prompt_renders_is_read_back(company, passages, question):
    """The law that a rerun stands on: whatever was put in comes out again, or the text is refused."""
    prompt = SUPPORT
    inputs = {"company": company, "passages": passages, "question": question}
    readings = read_messages(prompt, prompt.render(**inputs))
    assert inputs in readings.inputs
    assert untold_by(readings, prompt) == []


@pytest.mark.parametrize("order", [None, "7-4471"])
def test_a_condition_tells_whether_an_optional_input_was_given(order):
    """The branch that was written says so; an input that was not given must not be made up."""
    prompt = load_prompt("refund_agent")
    inputs = {"company": "Harbour Stores", "request": "Refund it."} | ({"order": order} if order else {})
    readings = read_messages(prompt, prompt.render(**inputs))
    assert list(readings.inputs) == [inputs]
    assert readings.untold == frozenset()


def test_a_text_that_the_version_cannot_have_made_is_refused(write):  # noqa: F811 - the fixture
    """A call of another version must not be read with this one."""
    prompt = load_prompt("faq", folder=write(file("Asked: {{ q }}.", "q: {type: string}")))
    with pytest.raises(PromptInputError, match="not what this version makes"):
        read_messages(prompt, [{"role": "user", "content": "Please answer: when?"}])
    with pytest.raises(PromptInputError, match="messages of system"):
        read_messages(prompt, [{"role": "system", "content": "Asked: when?."}])


def test_every_way_to_read_a_text_is_found(write):  # noqa: F811 - the fixture
    """Two values with a common word between them can be cut in two places; one of them would be a guess."""
    prompt = load_prompt(
        "faq", folder=write(file("{{ a }} and {{ b }}", "a: {type: string}, b: {type: string}"))
    )
    readings = read_messages(prompt, [{"role": "user", "content": "x and y and z"}])
    assert {(one["a"], one["b"]) for one in readings.inputs} == {("x", "y and z"), ("x and y", "z")}


@pytest.mark.parametrize(
    ("template", "properties", "value"),
    [
        ("{% if vip %}Dear guest{% else %}Hello{% endif %}", "vip: {type: boolean}", True),
        ("{% if tone == 'formal' %}Sir{% else %}Hi{% endif %}", "tone: {enum: [formal, plain]}", "formal"),
        ("{{ n }} items", "n: {type: integer}", 7),
        ("{% for x in xs %}{{ loop.index }}. {{ x }}\n{% endfor %}", "xs: {type: array}", ["a", "b"]),
        ("{{ 'Sir' if vip else 'Hi' }}", "vip: {type: boolean}", False),
        ("[{{ t | trim }}]", "t: {type: string}", "word"),
    ],
)
def test_values_come_back_in_their_own_type(template, properties, value, write):  # noqa: F811 - the fixture
    """A number read as text, or a flag lost, would render differently in the other version."""
    name = properties.split(":")[0]
    prompt = load_prompt("faq", folder=write(file(template, properties, [name])))
    readings = read_messages(prompt, prompt.render(**{name: value}))
    assert {name: value} in readings.inputs


def test_an_input_that_was_only_tested_is_not_told(write):  # noqa: F811 - the fixture
    """`Hello` says that the name is not Ann, and not what it is."""
    folder = write(
        file("{% if name == 'Ann' %}Hi Ann{% else %}Hello{% endif %}", "name: {type: string}", ["name"])
    )
    write(file("Dear {{ name }}", "name: {type: string}", ["name"]), "other.md")
    readings = read_messages(load_prompt("faq", folder=folder), [{"role": "user", "content": "Hello"}])
    assert untold_by(readings, load_prompt("other", folder=folder)) == ["name"]


def test_a_field_that_was_not_written_is_not_told(write):  # noqa: F811 - the fixture
    """Of objects that were written in parts, the other parts are unknown."""
    folder = write(
        file("{% for d in docs %}{{ d.text | tojson }}{% endfor %}", "docs: {type: array}", ["docs"])
    )
    write(file("{% for d in docs %}{{ d.text }} {{ d.date }}{% endfor %}", "docs: {type: array}"), "dated.md")
    write(file("{% for d in docs %}{{ d | tojson }}{% endfor %}", "docs: {type: array}"), "whole.md")
    write(file("{% for d in docs %}- {{ d.text }}\n{% endfor %}", "docs: {type: array}"), "listed.md")
    readings = read_messages(load_prompt("faq", folder=folder), [{"role": "user", "content": '"one""two"'}])
    assert readings.inputs == ({"docs": [{"text": "one"}, {"text": "two"}]},)
    told = {
        name: untold_by(readings, load_prompt(name, folder=folder)) for name in ("dated", "whole", "listed")
    }
    assert told == {"dated": ["docs.*.date"], "whole": ["docs.*"], "listed": []}


def test_a_hostile_text_ends_the_reading_and_not_the_machine(write):  # noqa: F811 - the fixture
    """Texts come from users; one that can be cut in a million ways is refused."""
    names = ("a", "b", "c", "d")
    properties = ", ".join(f"{name}: {{type: string}}" for name in names)
    prompt = load_prompt(
        "faq", folder=write(file("x".join(f"{{{{ {name} }}}}" for name in names), properties))
    )
    with pytest.raises(PromptInputError, match="too many ways"):
        read_messages(prompt, [{"role": "user", "content": "x" * 100_000}])
    deep = load_prompt("faq", folder=write(file("{{ a | tojson }}", "a: {type: array}")))
    with pytest.raises(PromptInputError, match="not what this version makes"):
        read_messages(deep, [{"role": "user", "content": "[" * 100_000}])


def test_what_looks_like_a_template_in_a_text_stays_text(write):  # noqa: F811 - the fixture
    """A value is read as a value, never rendered."""
    prompt = load_prompt("faq", folder=write(file("Asked: {{ q }}", "q: {type: string}")))
    hostile = "{{ ''.__class__ }}{% for x in y %}"
    readings = read_messages(prompt, [{"role": "user", "content": f"Asked: {hostile}"}])
    assert readings.inputs == ({"q": hostile},)
