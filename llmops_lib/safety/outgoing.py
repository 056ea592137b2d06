"""What of a request may leave: each text searched, data redacted or the whole request held back."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops_lib.safety.filters import FilterPolicy
from llmops_lib.safety.policy import Permission
from llmops_lib.safety.sensitive import find_sensitive
from llmops_lib.secrets.placeholders import Placeholders

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_MEDIA_TYPES = frozenset(
    f"{prefix}{what}{suffix}"
    for what in ("image", "audio", "video", "file", "document")
    for prefix in ("", "input_")
    for suffix in ("", "_url")
)
_MEDIA = re.compile(r"data:[\w.+-]{1,40}/[\w.+-]{1,80}(?:;[\w=.+-]{1,40}){0,4};base64,[A-Za-z0-9+/=_-]*+")
_LEAST_DIGITS = 1_000_000
_SETTINGS = ("tools", "parameters")


@dataclass
class Screening:
    """The texts of one request, screened.

    Args:
        permission: What may be sent.
        filters: What is looked for.

    Attributes:
        found: How often each class was found in each field.
        held: Why the request may not be sent: fields and classes.
    """

    permission: Permission
    filters: FilterPolicy
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    held: list[str] = field(default_factory=list)
    _numbers: Placeholders = field(default_factory=Placeholders)

    @property
    def redacted(self) -> list[str]:
        """Classes of which something was replaced."""
        return sorted({kind for _, kind in self.found if self.permission.action(kind) == "redact"})

    @property
    def classes(self) -> list[str]:
        """Classes that were found."""
        return sorted({kind for _, kind in self.found})

    def messages(self, messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The messages with what must not leave replaced."""
        return [
            self.value(dict(message), _ROLES.get(str(message.get("role")), "unknown")) for message in messages
        ]

    def value(self, value: Any, part: str) -> Any:
        """A part of a request with what must not leave replaced, keys of mappings and numbers too.

        Args:
            value: Anything that JSON can hold.
            part: Field that it belongs to.
        """
        if part not in self.permission.fields and value:
            self._hold(f"field {part}")
            return value
        return self._screened(value, part)

    def _screened(self, value: Any, part: str) -> Any:
        if isinstance(value, str):
            return self._text(value, part)
        if isinstance(value, Mapping):
            if value.get("type") in _MEDIA_TYPES:
                self._count(part, "MEDIA")
            return {self._text(str(key), part): self._screened(item, part) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._screened(item, part) for item in value]
        # Numbers among settings and schemas are seeds and bounds, and an endpoint wants them as numbers.
        if part not in _SETTINGS and isinstance(value, int) and abs(value) >= _LEAST_DIGITS:
            written = self._text(str(value), part)
            return value if written == str(value) else written
        return value

    def _text(self, text: str, part: str) -> str:
        media = _MEDIA.search(text)
        if media is not None:
            self._count(part, "MEDIA")
            if media.span() == (0, len(text)):
                return text
        places = find_sensitive(text, mode=self.filters.personal, has_secrets=self.filters.secrets)
        for place in places:
            self._count(part, place.kind)
        replaced = [place for place in places if self.permission.action(place.kind) == "redact"]
        return self._numbers.replaced(text, replaced) if replaced else text

    def _count(self, part: str, kind: str) -> None:
        self.found[part, kind] += 1
        if self.permission.action(kind) == "block":
            self._hold(f"{kind} in {part}")

    def _hold(self, reason: str) -> None:
        if reason not in self.held:
            self.held.append(reason)
