"""What a filter found in a text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One place in a text that a filter speaks of.

    Attributes:
        start: Index of its first character.
        end: Index after its last character.
        kind: Personal data (`EMAIL`, `PHONE`, `CARD`, `IBAN`, `IP`, `SSN`), `SECRET`, `CANARY`,
            `SYSTEM_PROMPT`, `PII_ECHO`, `BANNED`, `INJECTION` or `TOXICITY`.
        rule: What found it, such as `key_format.openai` or `banned.weapons`.
        confidence: How sure the rule is, 0 to 1: 0.99 a published format or check digit, 0.9 a form with
            words around it, 0.6 a form alone, 0.5 a flag. Measured precision stands in docs/safety.md.
    """

    start: int
    end: int
    kind: str
    rule: str
    confidence: float


PERSONAL_KINDS = ("EMAIL", "PHONE", "CARD", "IBAN", "IP", "SSN")
"""Kinds that are personal data."""
