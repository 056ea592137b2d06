"""Templates are a small language: nothing in one reaches Python, and nothing in an input is one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.errors import TemplateError
from llmops_lib.registry.sandbox import MAX_CHARACTERS, compiled, rendered
from tests.cpu_times import fastest_s


def render(source, **inputs):
    """The text that a template makes of inputs."""
    return rendered(compiled(source, frozenset(inputs)), inputs)


def corpus(shared):
    """Public and own template attacks."""
    lines = (shared / "corpora" / "ssti_templates.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def test_every_public_attack_is_refused_as_a_template_or_holds_no_template_at_all(shared):
    """None may run; other engines' syntax is plain text to Jinja and must come out as it went in."""
    for text in corpus(shared):
        try:
            came_out = render(text)
        except TemplateError:
            continue
        assert came_out == text
        assert "{{" not in text
        assert "{%" not in text


def test_every_public_attack_stays_text_as_an_input(shared):
    """What a user writes is a value, byte for byte."""
    for text in corpus(shared):
        assert render("{{ x }}", x=text) == text


@given(st.text())
@settings(deadline=None)
def test_any_text_comes_out_as_it_went_in(text):
    """Nothing is trimmed, escaped or read as a template."""
    assert render("<{{ x }}>", x=text) == f"<{text}>"


@pytest.mark.parametrize(
    "source",
    [
        "{{ 7 * 7 }}",
        "{{ x * 10 }}",
        "{{ 'a' * 10**9 }}",
        "{{ x ~ x }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ x.__class__ }}",
        "{{ x['__class__'] }}",
        "{{ x[y] }}",
        "{{ x.upper() }}",
        "{{ x|attr('upper') }}",
        "{{ x|center(1000000000) }}",
        "{{ x|indent(1000000000) }}",
        "{{ x|map('upper') }}",
        "{{ x|tojson|tojson|tojson|tojson }}",
        "{{ range(10) }}",
        "{{ self }}",
        "{{ 'plain' }}",
        "{% set y = x %}",
        "{% include 'x' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}",
        "{% filter upper %}{{ x }}{% endfilter %}",
        "{% for a in x recursive %}{{ loop(a) }}{% endfor %}",
        "{% for a, b in x %}{{ a }}{% endfor %}",
        "{% for _a in x %}{% endfor %}",
        "{% for self in x %}{% endfor %}",
        "{% for a in 'abc' %}{{ a }}{% endfor %}",
        "{% for a in x[0:2] %}{{ a }}{% endfor %}",
        "{% if x is sameas(y) %}{% endif %}",
        "{# never ends",
        "{#",
        "{% raw %}",
        "{{ x",
    ],
)
def test_what_a_prompt_does_not_need_is_refused(source):
    """Each is a way to code, to memory or to a prompt that nobody can review."""
    with pytest.raises(TemplateError):
        compiled(source, frozenset({"x", "y"}))


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 5000 + "x" + ")" * 5000 + " }}",
        "{{ " + "not " * 5000 + "x }}",
        "{{ x" + ".a" * 5000 + " }}",
        "{% if x %}" * 60 + "{% endif %}" * 60,
        "{% for a in x %}" * 4 + "{% endfor %}" * 4,
    ],
    ids=["parentheses", "negations", "fields", "conditions", "loops"],
)
def test_a_template_that_nests_too_deeply_is_refused(source):
    """It could end the process instead of the rendering."""
    with pytest.raises(TemplateError):
        compiled(source, frozenset({"x"}))


def test_an_object_has_fields_and_no_methods():
    """`items` of a dict is a method in Jinja, which would print an address of memory."""
    assert render("{{ x.items }}", x={"items": "two"}) == "two"
    with pytest.raises(TemplateError, match="items"):
        render("{{ x.items }}", x={})


def test_a_missing_field_is_an_error_and_not_a_hole():
    """A prompt with a hole is sent, paid for and judged."""
    with pytest.raises(TemplateError, match="title"):
        render("{{ x.title }}", x={"text": "t"})


@pytest.mark.parametrize("value", [None, True, ["a"], {"a": 1}], ids=str)
def test_what_is_no_text_and_no_number_is_not_written(value):
    """Python's spelling of a list, of true and of null has no place in a prompt."""
    with pytest.raises(TemplateError, match="tojson"):
        render("{{ x }}", x=value)
    assert render("{{ x|tojson }}", x=value) == json.dumps(value)


def test_json_is_written_for_a_model_and_not_for_html():
    """Jinja's own filter writes < as an escape that the model would have to read."""
    assert render("{{ x|tojson }}", x="a < b & 'ü'") == "\"a < b & 'ü'\""


def test_loops_conditions_and_filters_work_together():
    """The language is small, and enough for passages, examples and optional parts."""
    source = (
        "{% for p in ps if p.text %}\n"
        "{{ loop.index }}. {{ p.title|default('untitled')|upper }}: {{ p.text|trim }}\n"
        "{% else %}\nnothing\n{% endfor %}\n{{ tags|join(', ') }} ({{ tags|length }})"
    )
    ps = [{"title": "a", "text": " one "}, {"text": ""}, {"text": "two"}]
    assert render(source, ps=ps, tags=["x", 3]) == "1. A: one\n2. UNTITLED: two\nx, 3 (2)"
    assert render(source, ps=[], tags=[]) == "nothing\n (0)"


def test_a_rendering_that_grows_too_large_stops():
    """A short template over a long list must not fill the memory."""
    with pytest.raises(TemplateError, match="characters"):
        render("{% for a in x %}{{ y }}{% endfor %}", x=[1] * 20, y="a" * (MAX_CHARACTERS // 10))


def test_a_rendering_that_takes_too_many_steps_stops():
    """Loops inside loops write nothing and run for hours."""
    nested = "{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateError, match="steps"):
        render(nested, x=[1] * 5000)


@pytest.mark.parametrize("name", ["indent", "lower", "trim", "upper"])
@pytest.mark.parametrize("value", [["a"], {"a": 1}, None, True, 7], ids=str)
def test_a_filter_for_text_takes_text_only(name, value):
    """Jinja would write Python's spelling of a list."""
    with pytest.raises(TemplateError, match="something else than text"):
        render(f"{{{{ x|{name} }}}}", x=value)


@pytest.mark.parametrize("part", ["{{x}}", "{% if x %}{% endif %}", "{{ x if x or x }}", "{{ x|trim|trim }}"])
def test_a_template_of_many_thousand_parts_is_refused_at_once(part):
    """Half a minute of compiling is a way to stop whoever looks at a branch."""

    def refuse():
        with pytest.raises(TemplateError, match="tokens"):
            compiled(part * 20_000, frozenset({"x"}))

    assert fastest_s(refuse) < 1


def test_a_variable_that_is_not_declared_is_named_with_the_declared_ones():
    """A misspelt variable is found when the prompt is loaded, not when it is sent."""
    with pytest.raises(TemplateError, match=r"'qestion'.*\['question'\]"):
        compiled("{{ qestion }}", frozenset({"question"}))


def test_the_message_names_the_line_of_the_file():
    """The template begins below the front matter."""
    with pytest.raises(TemplateError, match="line 32"):
        compiled("one\ntwo\n{{ x() }}", frozenset({"x"}), 30)
