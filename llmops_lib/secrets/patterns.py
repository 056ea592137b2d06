r"""What keys and passwords look like: one table of patterns, each with the check that confirms a hit.

Every pattern of this package runs in linear time on hostile text: quantifiers are bounded or possessive, a
run of characters is entered only at its start, and nothing repeats inside a repetition that could match
the same text in two ways. Texts are often JSON, so the letter of a `\n` escape does not glue a value to what
stands before it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_MATCH = 8_192
"""No pattern reaches further than this many characters."""

Check = Callable[["re.Match[str]"], int | None]
"""End of the confirmed value, which may be before the end of the match; None where it is no hit."""

CERTAIN, LIKELY, POSSIBLE = 0.99, 0.9, 0.6
"""Confidence of a published format or check digit, of a form with words around it, of a form alone."""

_START = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"
_END = r"(?![A-Za-z0-9_])"


@dataclass(frozen=True)
class Pattern:
    """One kind of value to hide.

    Attributes:
        kind: Word in the placeholder: `EMAIL`, `PHONE`, `CARD`, `IBAN`, `IP`, `SSN` or `SECRET`.
        regex: Finds candidates; the group `value` is what is hidden, the whole match without it.
        rule: Name of the pattern; the name of another group that matched is added to it.
        check: Confirms a candidate, or None where the form alone is proof.
        confidence: How sure a hit is, 0 to 1: `CERTAIN`, `LIKELY` or `POSSIBLE`.
        needs: One of these stands in every text with a hit, as it is or in lower case: texts without are
            passed over at the speed of a plain search.
    """

    kind: str
    regex: re.Pattern[str]
    rule: str
    check: Check | None = None
    confidence: float = CERTAIN
    needs: tuple[str, ...] = ()


_HASH = re.compile("[0-9a-f]{64}")
# LiteLLM never logs its keys: here stands the SHA-256 of one, which tells whose calls these are.
# https://github.com/BerriAI/litellm, hash_token of litellm/proxy/utils.py
_HASHED_NAMES = ("user_", "litellm.")


def _mixed_value_end(match: re.Match[str]) -> int | None:
    """End of a value that holds a digit and a letter, as keys and passwords do and words of prose do not."""
    value = match["value"]
    if _HASH.fullmatch(value) and match.string[max(0, match.start() - 8) : match.start()].endswith(
        _HASHED_NAMES
    ):
        return None
    is_mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return match.end("value") if is_mixed else None


_KEY_FORMATS = {
    "anthropic": r"sk-ant-[\w-]{20,}+",
    "openai": r"sk-(?:proj|svcacct|admin|None)-[\w-]{20,}+",
    "openai_legacy": r"sk-[A-Za-z0-9]{20,}+",
    "openrouter": r"sk-or-[\w-]{20,}+",
    "langfuse": r"[sp]k-lf-[\w-]{16,}+",
    "langsmith": r"lsv2_(?:pt|sk)_[\w-]{20,}+",
    "huggingface": r"hf_[A-Za-z0-9]{30,}+",
    "groq": r"gsk_[A-Za-z0-9]{40,}+",
    "xai": r"xai-[A-Za-z0-9]{40,}+",
    "perplexity": r"pplx-[A-Za-z0-9]{30,}+",
    "nvidia": r"nvapi-[\w-]{40,}+",
    "replicate": r"r8_[A-Za-z0-9]{30,}+",
    "pinecone": r"pcsk_[\w-]{40,}+",
    "google_api": r"AIza[\w-]{35,}+",
    "google_oauth": r"(?:GOCSPX-[\w-]{20,}+|ya29\.[\w.-]{20,}+)",
    "aws_access_key": r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}" + _END,
    "github": r"(?:gh[oprsu]_[A-Za-z0-9]{36,}+|github_pat_[A-Za-z0-9_]{22,}+)",
    "gitlab": (
        r"(?:gl(?:pat|dt|soat|ptt|agent|imt|cbt|ft|oas|rt|sr|wt|ffct)-[\w-]{20,}+"
        r"|GR1348941[\w-]{20,}+)"
    ),
    "slack": (
        r"(?:xox[a-z]-[A-Za-z0-9-]{10,}+|xapp-\d-[A-Za-z0-9-]{10,}+"
        r"|hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{20,}+)"
    ),
    "stripe": r"(?:[prs]k_(?:live|test)_[A-Za-z0-9]{10,}+|whsec_[A-Za-z0-9+/=]{20,}+)",
    "sendgrid": r"SG\.[\w-]{16,64}+\.[\w-]{30,}+",
    "twilio": r"(?:AC|SK)[0-9a-z]{32}" + _END,
    # An order number such as AP20261109001234 is none.
    "artifactory": (
        r"(?:AKC[A-Za-z0-9]{10,}+|AP(?:\d(?=\d{0,99}[A-Za-z])|[A-F](?=[A-Za-z]{0,99}\d))[A-Za-z0-9]{10,}+)"
        + _END
    ),
    "square": r"(?:sq0(?:csp|atp|idp)-[\w-]{22,60}+|EAAA[\w-]{60}" + _END + ")",
    "shopify": r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}" + _END,
    "hashicorp": r"(?:hv[sbr]\.[\w-]{24,}+|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}+)",
    "doppler": r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{30,}+",
    "linear": r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}+",
    "notion": r"(?:ntn_[A-Za-z0-9]{40,60}+|secret_[A-Za-z0-9]{43}" + _END + ")",
    "postman": r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}" + _END,
    "new_relic": r"NR(?:AK|JS|RA|II)-[A-Za-z0-9]{20,}+",
    "grafana": r"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,}+",
    "fireworks": r"fw_[A-Za-z0-9]{22,60}+" + _END,
    "tavily": r"tvly-[\w-]{20,}+",
    "azure_storage": r"(?<=AccountKey=)[A-Za-z0-9+/]{80,90}={0,2}",
    "age": r"AGE-SECRET-KEY-1[0-9A-Z]{58}" + _END,
    "npmrc": r"(?<=:_authToken=)[^\s\"'$]{8,255}+",
    "npm": r"npm_[A-Za-z0-9]{30,}+",
    "pypi": r"pypi-[\w-]{50,}+",
    "databricks": r"dapi[0-9a-f]{32}(?:-\d)?" + _END,
    "digitalocean": r"do[opr]_v1_[0-9a-f]{64}" + _END,
    "mailchimp": r"[0-9a-f]{32}-us\d{1,2}" + _END,
    "telegram": r"\d{8,10}:AA[\w-]{33}" + _END,
    "json_web_token": r"eyJ[\w-]{10,2000}+\.eyJ[\w-]{10,4000}+(?:\.[\w-]{10,2000}+)?",
}

_KEY_STARTS = (
    "sk-", "pk-lf-", "lsv2_", "hf_", "gsk_", "xai-", "pplx-", "nvapi-", "r8_", "pcsk_", "AIza",
    "GOCSPX-", "ya29.", "AKIA", "ASIA", "ABIA", "ACCA", "A3T", "gho_", "ghp_", "ghr_", "ghs_", "ghu_",
    "github_pat_", "gl", "GR1348941", "xox", "xapp-", "hooks.slack.com", "k_live_", "k_test_", "whsec_",
    "SG.", "AC", "SK", "AKC", "AP", "sq0", "EAAA", "shp", "hvs.", "hvb.", "hvr.", ".atlasv1.", "dp.",
    "lin_", "ntn_", "secret_", "fw_", "PMAK-", "NR", "tvly-", "AccountKey=", "AGE-SECRET",
    "_authToken=", "npm_", "pypi-", "dapi", "dop_", "doo_", "dor_", "-us", ":AA", "eyJ",
)  # fmt: skip

_NAMED = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|credentials?|"
    r"(?:api|access|secret|private|account|encryption|signing)[ _-]?key|apikey|"
    r"(?:access|auth|refresh|api|session|bot)[ _-]?token|_authToken)"
)
_NAMES = ("passw", "passphrase", "pwd", "secret", "credential", "key", "token")
_QUOTE = r"""(?:\\{0,3}["'`])"""

SECRET_PATTERNS = (
    Pattern(
        "SECRET",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?:[^-]|-(?!-)){0,6000}+-----END [A-Z0-9 ]{0,60}-----"
            r"|(?:\s|\\{1,7}[nrt/]|[A-Za-z0-9+/=]{1,6000}+(?![_-])){0,6000}+)"
        ),
        "private_key",
        needs=("-----BEGIN ",),
    ),
    Pattern(
        "SECRET",
        re.compile(
            _START + "(?:" + "|".join(f"(?P<{name}>{form})" for name, form in _KEY_FORMATS.items()) + ")",
            re.ASCII,
        ),
        "key_format",
        needs=_KEY_STARTS,
    ),
    Pattern(
        "SECRET",
        re.compile(_START + r"[MNO][A-Za-z0-9]{23,25}\.[\w-]{6}\.[\w-]{27,38}" + _END, re.ASCII),
        "key_format.discord",
    ),
    Pattern(
        "SECRET",
        re.compile(
            _START + rf"(?i:bearer|authorization{_QUOTE}?[ \t]{{0,3}}[:=][ \t]{{0,3}}{_QUOTE}?basic)"
            r"[ \t]{1,4}(?P<value>[A-Za-z0-9._~+/=-]{16,4000}+)"
        ),
        "authorization",
        _mixed_value_end,
        LIKELY,
        ("bearer", "authorization"),
    ),
    Pattern(
        "SECRET",
        re.compile(r"://[^\s:/@\"']{0,64}:(?P<value>[^\s/@\"'<>{}]{3,128})@"),
        "password_in_url",
        confidence=LIKELY,
        needs=("://",),
    ),
    Pattern(
        "SECRET",
        re.compile(
            rf"(?i:{_NAMED}){_QUOTE}?[ \t]{{0,3}}(?:=>|:=|[:=])[ \t]{{0,3}}"
            rf"{_QUOTE}(?P<value>[^\s\"'`\\<>{{}}$][^\s\"'`\\<>]{{7,255}}){_QUOTE}"
        ),
        "named_and_quoted",
        _mixed_value_end,
        LIKELY,
        _NAMES,
    ),
    Pattern(
        "SECRET",
        re.compile(
            rf"(?i:{_NAMED}){_QUOTE}?[ \t]{{0,3}}(?:=>|:=|[:=])[ \t]{{0,3}}"
            r"(?P<value>[A-Za-z0-9+/=_!@#%^&*.~-]{8,255}+)(?![(\[{<$])"
        ),
        "named",
        _mixed_value_end,
        LIKELY,
        _NAMES,
    ),
)
"""Key formats that their makers publish, and values that stand behind a word for a secret."""
