r"""What personal data looks like: patterns for reports, and more of them for a gate.

A report must not hide its own ids and counts, so it wants proof: check digits, a leading `+`, a bracketed
area code, or a word such as `phone` before a number. A gate that keeps data from leaving rather takes an id
for a phone number than let one through: there every number that is valid in a numbering plan counts.
Names and postal addresses are not found by either.

Texts are often JSON, so the letter of a `\n` escape does not glue a value to what stands before it.
"""

import re

from llmops_lib.safety.checks import card_end, iban_end, ip_end, phone_in_words_end, phone_marked_end
from llmops_lib.safety.numbering import luhn_end, phone_in_plan_end
from llmops_lib.secrets.patterns import LIKELY, POSSIBLE, Pattern

_START = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"
_EMAIL = r"(?<![\w.%+-])[\w.%+'-]{1,64}+@(?:[\w-]{1,63}+\.){1,8}[^\W\d_]{2,24}(?![\w-])"
_EMAIL_IN_URL = r"(?<![\w.+-])[\w.+'-]{1,64}+%40(?:[\w-]{1,63}+\.){1,8}[^\W\d_]{2,24}(?![\w-])"
_CARD = (
    r"(?:(?<![\w.-])|(?<=\\[nrt]))"
    r"(?:\d{4}(?P<dash>[ -])\d{4}(?P=dash)\d{4}(?P=dash)\d{1,7}"
    r"|\d{4}(?P<gap>[ -])\d{6}(?P=gap)\d{4,5}|\d{12,19})"
    r"(?![\w-]|\.\d)"
)
_IBAN = r"(?i:" + _START + r"[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}+)"
_IP4 = r"(?:(?<![\w.])|(?<=\\[nrt]))\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)"
_IP6 = r"(?:(?<![\w.:])|(?<=\\[nrt]))(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])"
_SSN = (
    r"(?:(?<![\w-])|(?<=\\[nrt]))(?!000|666|9)\d{3}(?P<dash>[ -])(?!00)\d{2}(?P=dash)(?!0000)\d{4}(?![\w-])"
)
_EXTENSION = r"(?:[ ,]{0,2}(?:x|ext\.?|extension)[ .]{0,2}\d{1,6})?"
_PHONE_MARKED = (
    r"(?:(?<![\w+])|(?<=\\[nrt]))"
    r"(?:\+|\(\+?)\d(?:[ ./()-]{0,3}\d){5,16}+" + _EXTENSION + r"(?!\w)"
)
_PHONE_IN_WORDS = (
    r"(?:(?<![\w+#.,/=-])|(?<=\\[nrt])|(?<=[:=]))\d(?:[ ./-]?\d){6,13}+" + _EXTENSION + r"(?![\w-]|[.,:]\d)"
)
_PHONE_GROUPED = (
    r"(?:(?<![\w+#.,/=-])|(?<=\\[nrt])|(?<=[:=]))"
    r"(?:0\d{1,4}[ ./-]\d{2,8}(?:[ .-]\d{2,4}){0,4}|(?:1[-. ])?[2-9]\d\d(?P<by>[-. ])[2-9]\d\d(?P=by)\d{4})"
    + _EXTENSION
    + r"(?![\w-]|[.,:]\d)"
)
_PHONE_BARE = r"(?:(?<![\w+.-])|(?<=\\[nrt]))\d(?:[ ./()-]{0,3}\d){6,14}+" + _EXTENSION + r"(?![\w-]|[.,:]\d)"

PERSONAL_PATTERNS = (
    Pattern("EMAIL", re.compile(_EMAIL), "email", needs=("@",)),
    Pattern("EMAIL", re.compile(_EMAIL_IN_URL), "email_in_url", needs=("%40",)),
    Pattern("IBAN", re.compile(_IBAN), "iban", iban_end),
    Pattern("CARD", re.compile(_CARD), "card", card_end),
    Pattern("SSN", re.compile(_SSN), "ssn", confidence=LIKELY),
    Pattern("IP", re.compile(_IP4), "ipv4", ip_end, LIKELY),
    Pattern("IP", re.compile(_IP6), "ipv6", ip_end, LIKELY),
    Pattern("PHONE", re.compile(_PHONE_MARKED), "phone_marked", phone_marked_end, LIKELY),
    Pattern("PHONE", re.compile(_PHONE_IN_WORDS), "phone_in_words", phone_in_words_end, LIKELY),
    Pattern("PHONE", re.compile(_PHONE_GROUPED), "phone_grouped", phone_in_plan_end, LIKELY),
)
"""Personal data whose form can be checked; an earlier pattern keeps its text from a later one."""

GATE_PATTERNS = (
    Pattern("CARD", re.compile(_CARD), "luhn", luhn_end, POSSIBLE),
    Pattern("PHONE", re.compile(_PHONE_BARE), "phone_in_plan", phone_in_plan_end, POSSIBLE),
)
"""What a gate looks for besides."""
