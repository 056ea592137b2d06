"""The gate: a finished page passes only if everything in it is on the list."""

import json

import pytest

from llmops_lib.errors import ReportError
from llmops_lib.reports.gate import check_page
from llmops_lib.reports.page import POLICY, index_page, report_page, stylesheet

MANIFEST = {
    "title": "What broke",
    "period": "2026-W46",
    "is_synthetic": False,
    "figures": {},
    "price_list_version": None,
    "data": {"files": [], "fingerprint": "9f2c"},
    "parameters": {},
    "notebook": {"name": "01_fixture.ipynb"},
    "versions": {},
    "git": None,
}
SECRET = "ghp_" + "a1B2" * 9


def page(body: str = "", *, head: str = "", policy: str = POLICY, style: str | None = None) -> str:
    """A page written by hand, with the policy and the style sheet of the project."""
    named = f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>t</title>'
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">{named}'
        f"<style>{style or stylesheet()}</style>{head}</head>"
        f"<body><main><h1>t</h1>{body}</main></body></html>"
    )


def displaying(*texts: str, mime: str) -> dict:
    """A notebook whose one cell displays texts under a media type."""
    outputs = [{"output_type": "display_data", "data": {mime: text}, "metadata": {}} for text in texts]
    return {"cells": [{"cell_type": "code", "metadata": {}, "source": "", "outputs": outputs, "id": "a"}]}


def test_a_plain_page_passes():
    """The gate must not stand in the way of what views write."""
    body = """
        <div class="kpis"><p class="kpi">1</p></div><a href="#basis">x</a>
        <details open><summary>s</summary></details>
        <table border="0" class="dataframe data num-2"><tr><td colspan="2">&lt;b&gt;</td></tr></table>
        <img alt="" src="data:image/png;base64,AAAA"><span style="width:34.5%" aria-hidden="true"></span>
    """
    check_page(page(body))


@pytest.mark.parametrize(
    "body",
    [
        "<script>1</script>",
        "<SCRIPT >1</SCRIPT>",
        "<iframe></iframe>",
        "<object></object>",
        "<embed>",
        "<form></form>",
        "<input>",
        "<button>x</button>",
        "<link>",
        '<base href="#">',
        "<svg></svg>",
        "<math></math>",
        "<template></template>",
        "<noscript></noscript>",
        "<textarea></textarea>",
        "<my-element></my-element>",
        '<meta http-equiv="refresh" content="0">',
        '<meta name="referrer" content="unsafe-url">',
        '<p onclick="x">a</p>',
        '<p ONCLICK="x">a</p>',
        '<p data-commandlinker-command="x">a</p>',
        '<p data-x="x">a</p>',
        '<a href="https://example.com">a</a>',
        '<a href="other.html">a</a>',
        '<a href="javascript:x">a</a>',
        '<a href="java&#115;cript:x">a</a>',
        '<a href="vbscript:x">a</a>',
        '<a href="data:text/html,x">a</a>',
        '<a href="#x" ping="https://example.com">a</a>',
        '<img alt="" src="https://example.com/x.png">',
        '<img alt="" src="//example.com/x.png">',
        '<img alt="" src="x.png">',
        '<img alt="" src="data:text/html,x">',
        '<picture><source srcset="data:image/png;base64,AAAA 1x, https://example.com/x.png 2x"></picture>',
        '<p style="background:url(https://example.com/x.png)">a</p>',
        '<p style="background:u\\72l(x)">a</p>',
        '<p style="@import x">a</p>',
        '<td background="x.png">a</td>',
        '<img src="data:image/png;base64,AAAA">',
        "<!-- comment -->",
        "<!--><img src=x>-->",
        "<![CDATA[x]]>",
        "<?xml x?>",
        "<!DOCTYPE svg>",
        "<p>a < b</p>",
        "<p title=unquoted>a</p>",
        '<p class="a" class="b">a</p>',
        '<p title="a>b">a</p>',
        '<img alt=""src="data:image/png;base64,AAAA">',
        "<style>p { color: red }</style>",
        "</script>",
        "<body></body>",
        "<h1>second</h1>",
        f"<p>{SECRET}</p>",
    ],
)
def test_what_is_not_on_the_list_is_refused(body):
    """One thing that acts, fetches or hides is one too many."""
    with pytest.raises(ReportError, match="the page was not published"):
        check_page(page(body))


@pytest.mark.parametrize(
    "html",
    [
        page(policy="default-src *"),
        page().replace("Content-Security-Policy", "X-UA-Compatible"),
        page(head=f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        page(style=stylesheet() + "p { color: red }"),
        page()
        .replace("<title>", "<img alt='' src='data:image/png;base64,AAAA'><title>")
        .replace("<meta h", "<p><meta h"),
        "",
        "<!DOCTYPE html><html></html>",
    ],
    ids=["other policy", "no policy", "two policies", "other style", "late policy", "nothing", "empty"],
)
def test_a_page_without_exactly_our_policy_and_style_is_refused(html):
    """The policy is what holds when everything else fails."""
    with pytest.raises(ReportError, match="the page was not published"):
        check_page(html)


def test_a_secret_is_not_repeated():
    """The message of the gate goes to logs."""
    with pytest.raises(ReportError) as caught:
        check_page(page(f"<p>{SECRET}</p>"))
    assert SECRET not in str(caught.value)


def test_an_index_may_link_to_its_reports_only():
    """Its links are known when it is written."""
    report = {
        "title": "T",
        "period": "2026-W46",
        "rows_read": 1,
        "quarantined_count": 0,
        "is_synthetic": False,
    }
    html = index_page([{**report, "link": "weekly/2026-W46/report.html"}])
    check_page(html, links={"weekly/2026-W46/report.html"})
    with pytest.raises(ReportError, match="an address outside the page"):
        check_page(html, links={"weekly/2026-W45/report.html"})


def hostile_texts(shared) -> list[str]:
    """Every cross-site scripting payload of the corpus."""
    lines = (shared / "corpora" / "xss_payloads.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def test_hostile_text_passes_as_text(shared):
    """What users wrote into prompts is shown, not obeyed."""
    check_page(report_page(displaying(*hostile_texts(shared), mime="text/plain"), manifest=MANIFEST))


def test_hostile_text_that_a_view_let_through_is_stopped(shared):
    """Where the gate passes it as HTML, nothing in it can act."""
    active = ("<script", "<iframe", "<object", "<embed", "<form", "<svg", "<link", "<meta", "<base", "<style")
    for text in hostile_texts(shared):
        html = report_page(displaying(text, mime="text/html"), manifest=MANIFEST)
        try:
            check_page(html)
        except ReportError:
            continue
        shown = html.partition('<div class="output">')[2].partition("<footer>")[0].lower()
        assert not any(mark in shown for mark in active), text
