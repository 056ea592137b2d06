"""Images in a page: raster as they are, SVG without anything that acts or fetches."""

import base64
from urllib.parse import quote

import pytest

from llmops_lib.reports.images import image_faults

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


def in_base64(svg: str) -> str:
    """The address of an SVG image, base64."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


@pytest.mark.parametrize(
    "inside",
    [
        '<g fill="url(#a)" clip-path="url(#b)"><path d="M0,0"/><text>x &lt; y</text></g>',
        '<use href="#a"/><image href="data:image/png;base64,AAAA"/>',
        "<style>text { font: 12px sans-serif }</style><!-- drawn -->",
        '<defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs>',
    ],
)
def test_a_drawing_passes_in_both_encodings(inside):
    """Charts come as base64 or percent-encoded."""
    svg = SVG.format(inside)
    assert image_faults(in_base64(svg)) == []
    assert image_faults("data:image/svg+xml;charset=utf-8," + quote(svg)) == []


@pytest.mark.parametrize(
    "svg",
    [
        SVG.format("<script>1</script>"),
        SVG.format("<foreignObject><p/></foreignObject>"),
        SVG.format('<h:iframe xmlns:h="http://www.w3.org/1999/xhtml"/>'),
        SVG.format('<set attributeName="href" to="x"/>'),
        SVG.format('<g onload="1"/>'),
        SVG.format('<a href="https://example.com"><text>x</text></a>'),
        SVG.format('<a xlink:href="javascript:1"><text>x</text></a>'),
        SVG.format('<image href="https://example.com/x.png"/>'),
        SVG.format('<image href="data:image/svg+xml;base64,AAAA"/>'),
        SVG.format('<use href="other.svg#a"/>'),
        SVG.format('<g fill="url(https://example.com/x.svg#a)"/>'),
        SVG.format("<g style=\"background:url('//example.com/x')\"/>"),
        SVG.format("<style>@import 'https://example.com/x.css';</style>"),
        SVG.format("<style>text { background: url(https://example.com/x) }</style>"),
        '<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("<text>&a;</text>"),
        '<?xml-stylesheet href="x.css"?>' + SVG.format(""),
        SVG.format("<g>"),
        SVG.format("<text>ghp_" + "a1B2" * 9 + "</text>"),
        "",
    ],
)
def test_a_drawing_that_acts_or_fetches_is_refused(svg):
    """Inside an <img> most of it sleeps, until somebody opens the image alone."""
    assert image_faults(in_base64(svg))


@pytest.mark.parametrize(
    "address",
    [
        "data:image/svg+xml;base64,@@@@",
        "data:image/svg+xml,%FF%FE",
        "data:text/html,x",
        "blob:x",
        "",
        " x.png",
    ],
)
def test_other_addresses_are_refused(address):
    """What cannot be read cannot be published."""
    assert image_faults(address)
