"""Numbers that a gate takes for personal data on their form alone: valid in a numbering plan, or by Luhn."""

import re

from llmops_lib.safety.checks import passes_luhn

_NOT_DIGIT = re.compile(r"\D")
_EXTENSION = re.compile(r"(?i)[ ,]*(?:x|ext\.?|extension)[ .]*\d{1,6}$")
_GATE_CARD = re.compile(r"[2-6]\d{13,15}")

_PLANS = {
    "US": (1, re.compile(r"1?(?P<national>[2-9]\d{2}[2-9]\d{6})")),
    "GB": (44, re.compile(r"0(?P<national>[1-9]\d{8,9})")),
    "DE": (49, re.compile(r"0(?P<national>[1-9]\d{6,11})")),
    "FR": (33, re.compile(r"0(?P<national>[1-9]\d{8})")),
    "ES": (34, re.compile(r"(?P<national>[6-9]\d{8})")),
    "IT": (39, re.compile(r"(?P<national>0[1-9]\d{5,9}|3\d{8,9})")),
    "IN": (91, re.compile(r"0?(?P<national>[6-9]\d{9})")),
}
"""Numbering plans that bare numbers are held to: country code, and the form of a number dialled at home."""


def phone_in_plan_end(match: re.Match[str]) -> int | None:
    """End of a number that is valid in one of the numbering plans, written as one dials it there.

    Source: the metadata of Google's libphonenumber.
    """
    import phonenumbers  # noqa: PLC0415 - loads the plans of all countries

    digits = _NOT_DIGIT.sub("", _EXTENSION.sub("", match[0]))
    for region, (code, form) in _PLANS.items():
        found = form.fullmatch(digits)
        if found is None:
            continue
        # Made of its parts: taking the text apart again is most of the work of `parse`.
        national = found["national"]
        number = phonenumbers.PhoneNumber(
            country_code=code, national_number=int(national), italian_leading_zero=national[0] == "0"
        )
        if phonenumbers.is_valid_number_for_region(number, region):
            return match.end()
    return None


def luhn_end(match: re.Match[str]) -> int | None:
    """End of 14 to 16 digits with a right check digit, of whatever issuer."""
    digits = _NOT_DIGIT.sub("", match[0])
    return match.end() if _GATE_CARD.fullmatch(digits) and passes_luhn(digits) else None
