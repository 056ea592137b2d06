r"""What personal data and secrets look like: one table of patterns, each with the check that confirms a hit.

Every pattern runs in linear time on hostile text: quantifiers are bounded or possessive, a run of
characters is entered only at its start, and nothing repeats inside a repetition that could match
the same text in two ways. Texts are often JSON, so the letter of a `\n` escape does not glue a
value to what stands before it.

Phone numbers need a leading `+`, a bracketed area code or a word such as `phone` before them:
bare digit groups in traces are mostly ids, counts and times. Names and addresses are not found.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from llmops_lib.safety.checks import (
    card_end,
    iban_end,
    ip_end,
    mixed_value_end,
    phone_in_words_end,
    phone_marked_end,
)

LONGEST_MATCH = 8_192
"""No pattern reaches further than this many characters."""

Check = Callable[["re.Match[str]"], int | None]
"""End of the confirmed value, which may be before the end of the match; None where it is no hit."""

_START = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"
_END = r"(?![A-Za-z0-9_])"


@dataclass(frozen=True)
class Pattern:
    """One kind of value to hide.

    Attributes:
        kind: Word in the placeholder: `EMAIL`, `PHONE`, `CARD`, `IBAN`, `IP`, `SSN` or `SECRET`.
        regex: Finds candidates; the group `value` is what is hidden, the whole match without it.
        check: Confirms a candidate, or None where the form alone is proof.
    """

    kind: str
    regex: re.Pattern[str]
    check: Check | None = None


_KEY_FORMATS = {
    "anthropic": r"sk-ant-[\w-]{20,400}+",
    "openai": r"sk-(?:proj|svcacct|admin|None)-[\w-]{20,400}+",
    "openai, deepseek and compatible": r"sk-[A-Za-z0-9]{20,400}+",
    "openrouter": r"sk-or-[\w-]{20,400}+",
    "langfuse": r"[sp]k-lf-[\w-]{16,100}+",
    "langsmith": r"lsv2_(?:pt|sk)_[\w-]{20,200}+",
    "huggingface": r"hf_[A-Za-z0-9]{30,100}+",
    "groq": r"gsk_[A-Za-z0-9]{40,100}+",
    "xai": r"xai-[A-Za-z0-9]{40,200}+",
    "perplexity": r"pplx-[A-Za-z0-9]{30,100}+",
    "nvidia": r"nvapi-[\w-]{40,200}+",
    "replicate": r"r8_[A-Za-z0-9]{30,100}+",
    "pinecone": r"pcsk_[\w-]{40,200}+",
    "google api": r"AIza[\w-]{35,100}+",
    "google oauth": r"(?:GOCSPX-[\w-]{20,100}+|ya29\.[\w.-]{20,2000}+)",
    "aws access key": r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}" + _END,
    "github": r"(?:gh[oprsu]_[A-Za-z0-9]{36,255}+|github_pat_[A-Za-z0-9_]{22,255}+)",
    "gitlab": r"gl(?:pat|dt|soat|ptt|agent|imt|cbt|ft|oas|rt|sr|wt|ffct)-[\w-]{20,255}+",
    "slack": r"(?:xox[a-z]-[A-Za-z0-9-]{10,255}+|xapp-\d-[A-Za-z0-9-]{10,255}+)",
    "stripe": r"(?:[prs]k_(?:live|test)_[A-Za-z0-9]{10,255}+|whsec_[A-Za-z0-9+/=]{20,255}+)",
    "sendgrid": r"SG\.[\w-]{16,64}+\.[\w-]{30,100}+",
    "npm": r"npm_[A-Za-z0-9]{30,100}+",
    "python package index": r"pypi-[\w-]{50,1000}+",
    "databricks": r"dapi[0-9a-f]{32}(?:-\d)?" + _END,
    "digitalocean": r"do[opr]_v1_[0-9a-f]{64}" + _END,
    "mailchimp": r"[0-9a-f]{32}-us\d{1,2}" + _END,
    "telegram": r"\d{8,10}:AA[\w-]{33}" + _END,
    "discord": r"[MNO][A-Za-z0-9]{23,25}\.[\w-]{6}\.[\w-]{27,38}" + _END,
    "json web token": r"eyJ[\w-]{10,2000}+\.eyJ[\w-]{10,4000}+(?:\.[\w-]{10,2000}+)?",
}

_NAMED = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|credentials?|"
    r"(?:api|access|secret|private|account|encryption|signing)[ _-]?key|apikey|"
    r"(?:access|auth|refresh|api|session|bot)[ _-]?token|_authToken)"
)
_QUOTE = r"""(?:\\{0,3}["'`])"""

SECRET_PATTERNS = (
    Pattern(
        "SECRET",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?:[^-]|-(?!-)){0,6000}+-----END [A-Z0-9 ]{0,60}-----|[A-Za-z0-9+/=\s\\]{0,6000}+)"
        ),
    ),
    Pattern("SECRET", re.compile(_START + "(?:" + "|".join(_KEY_FORMATS.values()) + ")")),
    Pattern(
        "SECRET",
        re.compile(
            _START + rf"(?i:bearer|authorization{_QUOTE}?[ \t]{{0,3}}[:=][ \t]{{0,3}}{_QUOTE}?basic)"
            r"[ \t]{1,4}(?P<value>[A-Za-z0-9._~+/=-]{16,4000}+)"
        ),
        mixed_value_end,
    ),
    Pattern("SECRET", re.compile(r"://[^\s:/@\"']{0,64}:(?P<value>[^\s/@\"'<>{}]{3,128})@")),
    Pattern(
        "SECRET",
        re.compile(
            rf"(?i:{_NAMED}){_QUOTE}?[ \t]{{0,3}}(?:=>|:=|[:=])[ \t]{{0,3}}"
            rf"{_QUOTE}(?P<value>[^\s\"'`\\<>{{}}$][^\s\"'`\\<>]{{7,255}}){_QUOTE}"
        ),
        mixed_value_end,
    ),
    Pattern(
        "SECRET",
        re.compile(
            rf"(?i:{_NAMED}){_QUOTE}?[ \t]{{0,3}}(?:=>|:=|[:=])[ \t]{{0,3}}"
            r"(?P<value>[A-Za-z0-9+/=_!@#%^&*.~-]{8,255}+)(?![(\[{<$])"
        ),
        mixed_value_end,
    ),
)
"""Key formats that their makers publish, and values that stand behind a word for a secret."""

_EMAIL = r"(?<![\w.%+-])[\w.%+'-]{1,64}+@(?:[\w-]{1,63}+\.){1,8}[^\W\d_]{2,24}(?![\w-])"
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

PERSONAL_PATTERNS = (
    Pattern("EMAIL", re.compile(_EMAIL)),
    Pattern("IBAN", re.compile(_IBAN), iban_end),
    Pattern("CARD", re.compile(_CARD), card_end),
    Pattern("SSN", re.compile(_SSN)),
    Pattern("IP", re.compile(_IP4), ip_end),
    Pattern("IP", re.compile(_IP6), ip_end),
    Pattern("PHONE", re.compile(_PHONE_MARKED), phone_marked_end),
    Pattern("PHONE", re.compile(_PHONE_IN_WORDS), phone_in_words_end),
)
"""Personal data whose form can be checked; an earlier pattern keeps its text from a later one."""
