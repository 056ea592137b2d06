"""Images inside a page: raster images as they are, SVG only without anything that acts or fetches."""

import base64
import binascii
import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from llmops_lib.reports.secrets import has_secret

_DATA = re.compile(
    r"data:(?P<mime>image/(?:svg\+xml|png|jpeg|gif|webp))(?:;charset=utf-8)?(?P<base64>;base64)?,(?P<content>.*)",
    re.DOTALL | re.IGNORECASE,
)
_ELEMENTS = frozenset(
    "svg g defs title desc metadata path rect circle ellipse line polyline polygon "  # noqa: SIM905 - words, not data
    "text tspan textPath "
    "clipPath mask pattern marker linearGradient radialGradient stop symbol use style a switch image".split()
)
_NAMESPACES = frozenset({"http://www.w3.org/2000/svg", ""})
_ACTIVE_TEXT = re.compile(
    r"url\s*\(\s*['\"]?(?!#|['\"]?#)|@import|@font-face|expression|javascript:|\\", re.IGNORECASE
)
_LOCAL = re.compile(r"#[\w.:-]*|data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")


def image_faults(address: str) -> list[str]:
    """What is wrong with the address of an image; an empty list if it may be published.

    Args:
        address: Value of a `src`, or one address of a `srcset`.

    Example:
        >>> image_faults("https://example.com/pixel.gif")
        ["an address outside the page: 'https://example.com/pixel.gif'"]
    """
    match = _DATA.fullmatch(address.strip())
    if not match:
        return [f"an address outside the page: {address[:60]!r}"]
    if match["mime"].lower() != "image/svg+xml":
        return []
    try:
        raw = base64.b64decode(match["content"], validate=True) if match["base64"] else None
        svg = raw.decode() if raw is not None else unquote(match["content"], errors="strict")
    except (binascii.Error, UnicodeDecodeError) as error:
        return [f"an SVG image that cannot be decoded: {error}"]
    return _svg_faults(svg)


def _svg_faults(svg: str) -> list[str]:
    # Declarations could define entities, which expand to whatever they like.
    if re.search(r"<!(?!--)|<\?(?!xml\s)", svg):
        return ["an SVG image with a declaration or instruction"]
    try:
        root = ET.fromstring(svg)  # noqa: S314 - no declaration, so no entity to expand
    except ET.ParseError as error:
        return [f"an SVG image that is not well formed: {error}"]
    faults = [fault for element in root.iter() for fault in _element_faults(element)]
    if has_secret(" ".join(root.itertext())):
        faults.append("an SVG image with text that looks like a key or password")
    return faults


def _element_faults(element: ET.Element) -> list[str]:
    namespace, _, name = str(element.tag).rpartition("}")
    faults = []
    if name not in _ELEMENTS or namespace.lstrip("{") not in _NAMESPACES:
        faults.append(f"an SVG image with a <{name}> element")
    for key, value in element.items():
        attribute = key.rpartition("}")[2].lower()
        if attribute.startswith("on"):
            faults.append(f"an SVG image with attribute {attribute}")
        if attribute in {"href", "src"} and not _LOCAL.fullmatch(value.strip()):
            faults.append(f"an SVG image that refers to {value[:60]!r}")
        if _ACTIVE_TEXT.search(value):
            faults.append(f"an SVG image whose {attribute} fetches or hides something")
    if name == "style" and _ACTIVE_TEXT.search("".join(element.itertext())):
        faults.append("an SVG image whose style sheet fetches something")
    return faults
