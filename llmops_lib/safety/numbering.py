"""Numbers that a gate takes for personal data on their form alone: valid in a numbering plan, or by Luhn."""

import re

from llmops_lib.safety.checks import passes_luhn

_NOT_DIGIT = re.compile(r"\D")
_EXTENSION = re.compile(r"(?i)[ ,]*(?:x|ext\.?|extension)[ .]*\d{1,6}$")
_GATE_CARD = re.compile(r"[2-6]\d{13,15}")

_PLANS = {
    "US": re.compile(r"1?[2-9]\d{2}[2-9]\d{6}"),
    "GB": re.compile(r"0[1-9]\d{8,9}"),
    "DE": re.compile(r"0[1-9]\d{6,11}"),
    "FR": re.compile(r"0[1-9]\d{8}"),
    "ES": re.compile(r"[6-9]\d{8}"),
    "IT": re.compile(r"(?:0|3)\d{6,10}"),
    "IN": re.compile(r"0?[6-9]\d{9}"),
}
"""Numbering plans that bare numbers are held to, each with the form of its national numbers."""


def phone_in_plan_end(match: re.Match[str]) -> int | None:
    """End of a number that is valid in one of the numbering plans, written as one dials it there.

    Source: the metadata of Google's libphonenumber.
    """
    import phonenumbers  # noqa: PLC0415 - loads the plans of all countries

    digits = _NOT_DIGIT.sub("", _EXTENSION.sub("", match[0]))
    for region, form in _PLANS.items():
        if form.fullmatch(digits) and phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
            return match.end()
    return None


def luhn_end(match: re.Match[str]) -> int | None:
    """End of 14 to 16 digits with a right check digit, of whatever issuer."""
    digits = _NOT_DIGIT.sub("", match[0])
    return match.end() if _GATE_CARD.fullmatch(digits) and passes_luhn(digits) else None
