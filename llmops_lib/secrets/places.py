"""Where patterns match in a text, read as a person would read it."""

from collections.abc import Iterable, Iterator

from llmops_lib.secrets.findings import Finding
from llmops_lib.secrets.folding import plain_form
from llmops_lib.secrets.patterns import SECRET_PATTERNS, Pattern


def find_places(text: str, patterns: Iterable[Pattern]) -> list[Finding]:
    """Values of these patterns in a text, in order of place, none overlapping.

    Where two claim the same characters the earlier pattern wins. Invisible characters and ornamental letters
    hide nothing.

    Args:
        text: Any text; the time taken grows linearly with its length.
        patterns: What is looked for.
    """
    plain, places = plain_form(text)
    lowered = plain.lower()
    taken = bytearray(len(plain))
    found = []
    for pattern in patterns:
        if pattern.needs and not any(word in plain or word in lowered for word in pattern.needs):
            continue
        for start, end, rule in _hits(pattern, plain, taken):
            taken[start:end] = b"\1" * (end - start)
            if places is not None:
                start, end = places[start], places[end - 1] + 1  # noqa: PLW2901 - in the given text
            found.append(Finding(start, end, pattern.kind, rule, pattern.confidence))
    return sorted(found, key=lambda place: place.start)


def find_secrets(text: str) -> list[Finding]:
    """Keys and passwords in a text, in order of place, none overlapping.

    Example:
        >>> [place.rule for place in find_secrets("ann@example.com has hf_" + "Ab1" * 12)]
        ['key_format.huggingface']
    """
    return find_places(text, SECRET_PATTERNS)


def _hits(pattern: Pattern, text: str, taken: bytearray) -> Iterator[tuple[int, int, str]]:
    group = "value" if "value" in pattern.regex.groupindex else 0
    for match in pattern.regex.finditer(text):
        start = match.start(group)
        if taken[start]:
            continue
        end = pattern.check(match) if pattern.check else match.end(group)
        if end is not None and pattern.kind == "SECRET":
            # What stands before a place that is taken is no less of a key for it.
            end = next((at for at in range(start, end) if taken[at]), end)
        if end is not None and not any(taken[start:end]):
            named = match.lastgroup if pattern.rule == "key_format" else None
            yield start, end, f"{pattern.rule}.{named}" if named else pattern.rule
