"""The panel of a trace: what it shows, that its controls work, and that hostile text stays text."""

import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import polars as pl
import pytest

from llmops_lib.widgets.span_tree import span_tree_panel

START = datetime(2026, 11, 9, tzinfo=UTC)
PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</strong></li></ul><iframe src=javascript:alert(1)>",
    '" onmouseover="alert(1)',
    "&lt;b&gt;",
    "[x](javascript:alert(1))",
    "\x1b]52;c;aGk=\x07",
]
ALLOWED = {"figure", "figcaption", "ul", "li", "strong", "em", "br", "small", "p", "div"}


def trace(names, **columns):
    """A root and its children, priced, with the given names."""
    count = len(names)
    return pl.DataFrame(
        {
            "trace_id": ["t"] * count,
            "span_id": [str(place) for place in range(count)],
            "parent_span_id": [None, *["0"] * (count - 1)],
            "started_at": [START + timedelta(seconds=place) for place in range(count)],
            "name": names,
            "operation": ["chat"] * count,
            "is_model_call": [False, *[True] * (count - 1)],
            "model": ["gpt-4o"] * count,
            "latency_ms": [1500.0] * count,
            "input_tokens": [1200] * count,
            "output_tokens": [30] * count,
            "cost_usd": [None, *[0.25] * (count - 1)],
            "is_error": [False] * count,
            "error_type": [None] * count,
            "error_message": [None] * count,
            **columns,
        },
        schema_overrides={"error_type": pl.String, "error_message": pl.String},
    )


class Parsed(HTMLParser):
    """Tags, attributes and text of markup, as a browser would take it apart."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.attributes, self.text = [], set(), ""
        self.open_items = self.nested_items = 0
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Counts a tag and its attributes."""
        self.tags.append(tag)
        self.attributes |= {name for name, _value in attrs}
        if tag == "li":
            self.open_items += 1
            self.nested_items += self.open_items > 1

    def handle_endtag(self, tag):
        """Closes a list item."""
        self.open_items -= tag == "li"

    def handle_data(self, data):
        """Collects text."""
        self.text += data


def shown(panel):
    """The markup that the panel shows, taken apart."""
    return Parsed(panel.children[1].value)


def test_duration_tokens_cost_and_errors_are_shown():
    """What a reader looks for in a trace."""
    spans = trace(["agent", "ask"], is_error=[False, True], error_type=[None, "Timeout"])
    text = shown(span_tree_panel(spans)).text
    assert all(
        part in text for part in ("agent", "ask", "1.5", "1.2k → 30 tokens", "$0.25", "Timeout", "1 failed")
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_renders_inert(payload):
    """Every text of a trace was written by someone else; none may become an element or an attribute."""
    message = json.dumps([{"role": "user", "content": payload}])
    spans = trace(
        ["agent", payload],
        model=[payload] * 2,
        input=[message] * 2,
        output=[payload] * 2,
        error_type=[payload] * 2,
        error_message=[payload] * 2,
        is_error=[True, True],
        span_id=["0", payload],
        trace_id=[payload] * 2,
    )
    found = shown(span_tree_panel(spans))
    assert set(found.tags) <= ALLOWED
    assert found.attributes <= {"style", "class"}
    assert "\x1b" not in found.text
    assert payload.replace("\x1b", "\\x1b").replace("\x07", "\\x07") in found.text


def test_personal_data_is_masked():
    """A trace tree is pasted into tickets."""
    spans = trace(["agent", "ask"], input=['[{"role": "user", "content": "I am ann@example.com"}]'] * 2)
    assert "ann@example.com" not in span_tree_panel(spans).children[1].value


def test_controls_choose_what_is_shown():
    """The dropdown and the checkbox redraw."""
    panel = span_tree_panel(trace(["agent", "ask"], input=["hello", "hello"]))
    kind, texts = panel.children[0].children
    kind.value = "model calls"
    assert shown(panel).tags.count("li") == 1
    assert "hello" in shown(panel).text
    texts.value = False
    assert "hello" not in shown(panel).text
    kind.value = "failed spans"
    assert "no span of this kind" in shown(panel).text


def test_a_thousand_levels_do_not_nest_a_thousand_elements():
    """Browsers stop nesting at 512; the list is flat and says the depth."""
    count = 1_001
    spans = trace([f"step {place}" for place in range(count)]).with_columns(
        parent_span_id=pl.Series([None, *[str(place) for place in range(count - 1)]], dtype=pl.String)
    )
    found = shown(span_tree_panel(spans))
    assert found.tags.count("li") == 1_000
    assert found.nested_items == 0
    assert "depth 999" in found.text
    assert "1 more spans" in found.text
