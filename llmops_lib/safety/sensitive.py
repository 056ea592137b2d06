"""Personal data and secrets in a text."""

from collections.abc import Iterator
from typing import Literal

from llmops_lib.safety.findings import Finding
from llmops_lib.safety.folding import plain_form
from llmops_lib.safety.patterns import SECRET_PATTERNS, Pattern
from llmops_lib.safety.personal import GATE_PATTERNS, PERSONAL_PATTERNS

Mode = Literal["report", "gate", "off"]
"""How personal data is looked for: with proof, on form alone too, or not at all."""

_PERSONAL: dict[Mode, tuple[Pattern, ...]] = {
    "report": PERSONAL_PATTERNS,
    "gate": (*PERSONAL_PATTERNS, *GATE_PATTERNS),
    "off": (),
}


def find_sensitive(text: str, *, mode: Mode = "report", has_secrets: bool = True) -> list[Finding]:
    """Personal data and secrets in a text, in order of place, none overlapping.

    Where two kinds claim the same characters a secret wins over personal data, then the kind whose
    form says more (an e-mail address over an IP address, a card over a phone number). Invisible characters
    and ornamental letters hide nothing.

    Args:
        text: Any text; the time taken grows linearly with its length.
        mode: How personal data is looked for.
        has_secrets: Whether secrets are looked for.

    Example:
        >>> find_sensitive("write to ann@example.com")
        [Finding(start=9, end=24, kind='EMAIL', rule='email', confidence=0.99)]
        >>> [place.rule for place in find_sensitive("0285983803", mode="gate")]
        ['phone_in_plan']
    """
    plain, places = plain_form(text)
    lowered = plain.lower()
    taken = bytearray(len(plain))
    found = []
    for pattern in (*(SECRET_PATTERNS if has_secrets else ()), *_PERSONAL[mode]):
        if pattern.needs and not any(word in plain or word in lowered for word in pattern.needs):
            continue
        for start, end, rule in _hits(pattern, plain, taken):
            taken[start:end] = b"\1" * (end - start)
            if places is not None:
                start, end = places[start], places[end - 1] + 1  # noqa: PLW2901 - in the given text
            found.append(Finding(start, end, pattern.kind, rule, pattern.confidence))
    return sorted(found, key=lambda place: place.start)


def _hits(pattern: Pattern, text: str, taken: bytearray) -> Iterator[tuple[int, int, str]]:
    group = "value" if "value" in pattern.regex.groupindex else 0
    for match in pattern.regex.finditer(text):
        start = match.start(group)
        if taken[start]:
            continue
        end = pattern.check(match) if pattern.check else match.end(group)
        if end is not None and not any(taken[start:end]):
            named = match.lastgroup if pattern.rule == "key_format" else None
            yield start, end, f"{pattern.rule}.{named}" if named else pattern.rule
