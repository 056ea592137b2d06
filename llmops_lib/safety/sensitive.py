"""Personal data and secrets in a text."""

from typing import Literal

from llmops_lib.safety.personal import GATE_PATTERNS, PERSONAL_PATTERNS
from llmops_lib.secrets.findings import Finding
from llmops_lib.secrets.patterns import SECRET_PATTERNS, Pattern
from llmops_lib.secrets.places import find_places

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
    return find_places(text, (*(SECRET_PATTERNS if has_secrets else ()), *_PERSONAL[mode]))
