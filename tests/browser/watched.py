"""A page on which whatever acts is seen: dialogs, windows, scripts that fail, requests, foreign elements."""

import re

from tests.conftest import BROWSER_MS

ELEMENTS = """parts => parts.flatMap(part => [part, ...part.querySelectorAll('*')]).flatMap(
    element => [element.localName, ...element.getAttributeNames().map(name =>
        name + (/^(href|xlink:href|src|srcset|srcdoc|action|formaction|data|poster|background)$/.test(name)
            ? '=' + element.getAttribute(name).slice(0, 80) : ''))])"""
"""Names of elements and attributes, and where those that lead somewhere lead."""

TEXTS = """part => [part, ...part.querySelectorAll('*')].flatMap(element => [
    ...(['td', 'th', 'option', 'li', 'p', 'figcaption', 'text', 'strong', 'small'].includes(element.localName)
        ? [element.textContent] : []),
    ...[...element.childNodes].filter(node => node.nodeType === 3).map(node => node.data),
    ...['aria-label', 'title', 'alt'].map(name => element.getAttribute(name) || '')])"""
"""Every text of a part of a page: of its options, cells, marks and descriptions."""

# Voila asks for icons that nothing here shows; the policy of voila.json stops it.
_VOILA_ICONS = "https://cdn.jsdelivr.net/npm/@fortawesome/"


class Watched:
    """A page, and what happened on it that nobody meant.

    Args:
        page: A page of the browser.
        own: Pattern of the addresses that the application itself asks for; all others are refused.
    """

    def __init__(self, page, own):
        self.page = page
        self.acted = []
        page.set_default_timeout(BROWSER_MS)
        page.on("dialog", lambda dialog: (self.acted.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("popup", lambda other: self.acted.append(f"window {other.url}"))
        page.on("download", lambda file: self.acted.append(f"download {file.url}"))
        page.on("pageerror", lambda error: self.acted.append(f"error {error}"))
        page.on("console", self._said)
        page.on("websocket", lambda socket: self._asked(socket.url.replace("ws", "http", 1), own))
        page.route(lambda url: not re.fullmatch(own, url), self._refuse)

    def _asked(self, url, own):
        if not re.fullmatch(own, url):
            self.acted.append(f"connection {url}")

    def _refuse(self, route):
        if not route.request.url.startswith(_VOILA_ICONS):
            self.acted.append(f"request {route.request.url}")
        route.abort()

    def _said(self, message):
        # What a content security policy stops is never asked for.
        if "Content Security Policy" in message.text and _VOILA_ICONS not in message.text:
            self.acted.append(message.text)

    def elements(self, parts):
        """Names of elements and attributes in parts of the page."""
        return set(parts.evaluate_all(ELEMENTS))

    def texts(self, part):
        """Texts of a part of the page, each on one line."""
        return {" ".join(text.split()) for text in part.evaluate(TEXTS)}
