"""The last look at a finished page: what it holds is on a list, or it is not published.

A checker that reads HTML in another way than a browser can be led past what the browser will do. So
besides the lists of elements and attributes the page must be written plainly: no comments, every tag
complete and quoted, no stray `<`. Read that way, this parser and a browser see the same elements.
"""

import re
from collections import Counter
from collections.abc import Collection
from html.parser import HTMLParser

from llmops_lib.errors import ReportError
from llmops_lib.reports.images import image_faults
from llmops_lib.reports.page import POLICY, stylesheet
from llmops_lib.reports.secrets import has_secret

_ELEMENTS = frozenset(
    "html head meta title style body header nav main footer section article aside "  # noqa: SIM905 - words, not data
    "div span p br hr "
    "h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr th td "
    "figure figcaption picture source img details summary blockquote pre code kbd samp var "
    "a abbr b strong i em u s del ins mark small sub sup q cite dfn time wbr".split()
)
_ATTRIBUTES = frozenset(
    "class id title lang dir role tabindex hidden style href src srcset alt width height "  # noqa: SIM905 - as above
    "media sizes type "
    "loading decoding colspan rowspan scope headers span border start reversed value open datetime abbr "
    "charset name content http-equiv align valign".split()
)
_META = {"viewport", "color-scheme"}
_ONCE = ("html", "head", "title", "body", "main", "h1")
_BEFORE_POLICY = {"html", "head", "meta"}
_ADDRESSES = frozenset({"href", "src", "srcset"})

_PLAIN_TAG = re.compile(r"""<[a-z][a-z0-9]*(?:\s+[a-z][a-z-]*(?:="[^"<>]*"|='[^'<>]*')?)*\s*/?>""")
_ACTIVE_STYLE = re.compile(
    r"url\s*\(|image\s*\(|image-set|@|expression|behavior|binding|\\|/\*", re.IGNORECASE
)
_SOURCE_SIZE = re.compile(r"\d+(?:\.\d+)?[wx]")


def check_page(html: str, *, links: Collection[str] = ()) -> None:
    """Passes a page that holds nothing active, nothing from elsewhere and no secret.

    Args:
        html: The finished page.
        links: Relative addresses that an index may link to; a report has none.

    Raises:
        ReportError: If the page holds anything else; the message lists the first faults.
    """
    reader = _Reader(links)
    reader.feed(html)
    reader.close()
    faults = reader.faults
    if reader.policies != [POLICY]:
        faults.append(
            f"found {len(reader.policies)} content security policies, expected the one of this project"
        )
    if [style.strip() for style in reader.styles] != [stylesheet().strip()]:
        faults.append("found a style sheet other than the one of this project")
    repeated = [tag for tag in _ONCE if reader.counts[tag] != 1]
    if repeated:
        faults.append(f"found {repeated} not exactly once")
    if has_secret(html):
        faults.append("found text that looks like a key or password")
    if faults:
        msg = f"the page was not published, {len(faults)} faults: {'; '.join(faults[:5])}"
        raise ReportError(msg)


class _Reader(HTMLParser):
    """Walks a page and notes its faults, its policies and its style sheets."""

    def __init__(self, links: Collection[str]) -> None:
        super().__init__(convert_charrefs=False)
        self.links = links
        self.faults: list[str] = []
        self.policies: list[str | None] = []
        self.styles: list[str] = []
        self.counts: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Holds an element and its attributes to the lists."""
        self.counts[tag] += 1
        text = self.get_starttag_text() or ""
        if not _PLAIN_TAG.fullmatch(text):
            self._fault(f"a <{tag}> tag that is not written plainly")
        if tag not in _ELEMENTS:
            self._fault(f"a <{tag}> element")
        # A policy in a <meta> holds only for what follows it.
        if tag not in _BEFORE_POLICY and not self.policies:
            self._fault(f"a <{tag}> before the content security policy")
        named = dict(attrs)
        if len(named) != len(attrs):
            self._fault(f"a <{tag}> with an attribute twice")
        for name, value in attrs:
            self._check_attribute(tag, name, value or "")
        if tag == "meta":
            self._check_meta(named)
        if tag == "img" and "alt" not in named:
            self._fault("an <img> without alt text")
        if tag == "style":
            self.styles.append("")

    def handle_endtag(self, tag: str) -> None:
        """Refuses the end of an element that is not on the list."""
        if tag not in _ELEMENTS:
            self._fault(f"a </{tag}> element")

    def handle_data(self, data: str) -> None:
        """Keeps the text of style sheets; refuses a stray `<`, which browsers may read as a tag."""
        if self.cdata_elem == "style":
            self.styles[-1] += data
        elif "<" in data:
            self._fault("a stray <")

    def handle_comment(self, data: str) -> None:
        """Refuses comments, whose end browsers and parsers see in different places."""
        self._fault(f"a comment {data[:20]!r}")

    def handle_decl(self, decl: str) -> None:
        """Refuses every declaration but the document type."""
        if decl.lower() != "doctype html":
            self._fault(f"a declaration {decl[:20]!r}")

    def handle_pi(self, data: str) -> None:
        """Refuses processing instructions."""
        self._fault(f"a processing instruction {data[:20]!r}")

    def unknown_decl(self, data: str) -> None:
        """Refuses marked sections."""
        self._fault(f"a marked section {data[:20]!r}")

    def _check_attribute(self, tag: str, name: str, value: str) -> None:
        if name not in _ATTRIBUTES and not name.startswith("aria-"):
            self._fault(f"a <{tag}> with attribute {name}")
        if name in _ADDRESSES:
            for fault in self._address_faults(tag, name, value):
                self._fault(f"<{tag} {name}>: {fault}")
        if name == "style" and _ACTIVE_STYLE.search(value):
            self._fault(f"a <{tag}> whose style fetches or hides something: {value[:40]!r}")

    def _address_faults(self, tag: str, name: str, value: str) -> list[str]:
        if name == "href":
            is_inside = tag == "a" and (re.fullmatch(r"#[\w-]*", value) or value in self.links)
            return [] if is_inside else [f"an address outside the page: {value[:60]!r}"]
        if name == "src":
            return image_faults(value)
        parts = (part.rstrip(",") for part in value.split())
        return [fault for part in parts if not _SOURCE_SIZE.fullmatch(part) for fault in image_faults(part)]

    def _check_meta(self, named: dict[str, str | None]) -> None:
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(named.get("content"))
        elif "http-equiv" in named or ("name" in named and named["name"] not in _META):
            self._fault(f"a <meta> of another kind: {sorted(named.items())}")

    def _fault(self, text: str) -> None:
        line, _ = self.getpos()
        self.faults.append(f"line {line}: {text}")
