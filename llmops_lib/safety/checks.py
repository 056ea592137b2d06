"""Checks that tell a value from text of the same form: check digits, registers of lengths, words before it.

Each takes a candidate match and returns where the confirmed value ends, or None where it is no hit.
"""

import ipaddress
import re

_NOT_ALNUM = re.compile(r"[^A-Za-z0-9]")
_NOT_DIGIT = re.compile(r"\D")

_ISSUER = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[68]\d|9\d)\d{11}"  # Diners Club
    r"|(?:6011|64[4-9]\d|65\d{2}|62\d{2})\d{12,15}"  # Discover, UnionPay
    r"|35\d{14,17}|(?:1800|2131)\d{11}"  # JCB
    r"|(?:50|5[6-8]|6[0-9])\d{10,17}"  # Maestro
)

_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FO FI GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip

_VERSION_BEFORE = re.compile(r"(?i)(?:\bv|version|release|build|sections?|chapter|clause|§)[ :=]{0,2}$")

_PHONE_WORD_BEFORE = re.compile(
    r"(?i)\b(?:tel|t[eé]l[eé]f|phone|telephone|mobile?|m[oó]vil|cell|handy|rufnummer|fax|desk|landline|hotline"
    r"|whatsapp|sms)\w{0,8}[^\w\n]{1,4}(?:(?:number|no|is|nr)\b[^\w\n]{0,4}){0,3}$"
)
_REACH_BEFORE = re.compile(
    r"(?i)\b(?:(?:call|dial|ring|text) |(?:call|phon|reach|contact|text|answer|messag|dial|ring)\w{0,5} "
    r"(?:[^\n]{0,64} )?(?:on|at|to|or|back):? )$"
)
_DOMESTIC = re.compile(r"0\d|[2-9]\d\d[-. ]?[2-9]\d\d[-. ]?\d{4}")
_EXTENSION = re.compile(r"(?i)[ ,]*(?:x|ext\.?|extension)[ .]*\d{1,6}$")
_AREA_CODE = re.compile(r"\((?:\+?0\d{1,4}|[2-9]\d{2}|\d{2}|\+\d{1,3})\)")
_DATE = re.compile(r"(?:19|20)\d{2}[-./ ]?[01]\d[-./ ]?[0-3]\d(?!\d)")


def card_end(match: re.Match[str]) -> int | None:
    """End of a payment card number: an issuer's prefix and length, and the Luhn check digit.

    Source: ISO/IEC 7812-1.
    """
    digits = _NOT_DIGIT.sub("", match[0])
    return match.end() if _ISSUER.fullmatch(digits) and passes_luhn(digits) else None


def iban_end(match: re.Match[str]) -> int | None:
    """End of an IBAN: the country's length, and remainder 1 when divided by 97.

    Source: ISO 13616-1; lengths from the SWIFT IBAN registry.
    """
    text = match[0]
    length = _IBAN_LENGTHS.get(text[:2].upper())
    positions = [at for at, character in enumerate(text) if character.isalnum()]
    if length is None or len(positions) < length:
        return None
    end = positions[length - 1] + 1
    if text[end : end + 1].isalnum():
        return None
    compact = _NOT_ALNUM.sub("", text[:end]).upper()
    number = "".join(str(int(character, 36)) for character in compact[4:] + compact[:4])
    return match.start() + end if int(number) % 97 == 1 else None


def ip_end(match: re.Match[str]) -> int | None:
    """End of an IP address that can name a machine of somebody: not a loopback, not a version number."""
    text = match[0]
    if ":" in text and not (text.count(":") == 7 or _is_short_ip6(text)):
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.is_loopback or address.is_unspecified:
        return None
    return None if _VERSION_BEFORE.search(_before(match, 12)) else match.end()


def phone_marked_end(match: re.Match[str]) -> int | None:
    """End of a phone number that a `+` or a bracketed area code marks as one.

    Source: ITU-T E.164 (at most 15 digits); North American area codes start with 2 to 9.
    """
    number = _EXTENSION.sub("", match[0])
    digits = _NOT_DIGIT.sub("", number)
    if number.startswith("+"):
        is_phone = 8 <= len(digits) <= 15 and not re.match(r"0|1[01]|1\d{0,9}$", digits)
    else:
        is_phone = 7 <= len(digits) <= 13 and _AREA_CODE.match(number) is not None
    return match.end() if is_phone else None


def phone_in_words_end(match: re.Match[str]) -> int | None:
    """End of a bare phone number, which needs an extension or words such as `reach me at` before it.

    After a verb alone the number must also be written as one: grouped, or in a national form. Traces
    say `called at 1700000000` of a time.
    """
    number = _EXTENSION.sub("", match[0])
    if _DATE.match(number):
        return None
    is_national = _DOMESTIC.match(number) is not None
    before = _before(match, 96)
    is_phone = (
        (is_national and number != match[0])
        or _PHONE_WORD_BEFORE.search(before) is not None
        or ((is_national or not number.isdigit()) and _REACH_BEFORE.search(before) is not None)
    )
    return match.end() if is_phone else None


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others, by the algorithm of Luhn."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[::-2]))) % 10 == 0


def _before(match: re.Match[str], width: int) -> str:
    return match.string[max(0, match.start() - width) : match.start()]


def _is_short_ip6(text: str) -> bool:
    groups = [group for group in text.split(":") if group]
    return text.count("::") == 1 and len(groups) > 1 and any(map(str.isdigit, text))
