"""Which texts of a column can hold a key or password: one pass in Rust that spares the rest the search.

It lets through more than `find_secrets` finds, never less. All forms are one expression, so that a text is
gone through once; each says as much of a form as costs nothing and tells it from prose and ids.
"""

import polars as pl

_W, _N = "[A-Za-z0-9_-]", "[A-Za-z0-9]"
_KEYS = (
    rf"sk-{_W}{{16}}", "[sp]k-lf-", "lsv2_", rf"hf_{_N}{{8}}", rf"gsk_{_N}{{8}}", rf"xai-{_N}{{8}}", "pplx-",
    "nvapi-", rf"r8_{_N}{{8}}", "pcsk_", rf"AIza{_W}{{8}}", "GOCSPX-", r"ya29\.",
    "(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{4}", rf"gh[oprsu]_{_N}{{8}}", "github_pat_",
    "gl(?:pat|dt|soat|ptt|agent|imt|cbt|ft|oas|rt|sr|wt|ffct)-", "GR1348941", "xox[a-z]-", "xapp-",
    r"hooks\.slack\.com", "[prs]k_(?:live|test)_", "whsec_", rf"SG\.{_W}{{8}}", "(?:AC|SK)[0-9a-z]{16}",
    rf"AKC{_N}{{8}}", rf"AP[0-9A-F]{_N}{{8}}", "sq0(?:csp|atp|idp)-", rf"EAAA{_W}{{8}}",
    "shp(?:at|ca|pa|ss)_", rf"hv[sbr]\.{_W}{{8}}", r"dp\.(?:pt|st|ct|sa|scim|audit)\.", "lin_(?:api|oauth)_",
    "ntn_", "secret_", "PMAK-", "NR(?:AK|JS|RA|II)-", "gl(?:sa|c)_", "fw_", "tvly-", "AGE-SECRET-KEY",
    "npm_", "pypi-", "dapi[0-9a-f]{8}", "do[opr]_v1_", rf"[MNO]{_N}{{23}}", rf"eyJ{_W}{{8}}",
)  # fmt: skip
_ANYWHERE = (
    r"\.atlasv1\.", "AccountKey=", "_authToken=", "-us[0-9]", rf":AA{_W}{{8}}",
    "-----BEGIN [A-Z0-9 ]{0,40}PRIVATE", r"://[^\s:/@\"']{0,64}:[^\s/@\"'<>{}]{3,128}@",
    r"(?i:bearer|basic)[ \t]",
)  # fmt: skip
_NAMED = (
    "(?i:passw(?:or)?d|passphrase|pwd|secret|credentials?"
    "|(?:api|access|secret|private|account|encryption|signing)[ _-]?key"
    "|(?:access|auth|refresh|api|session|bot)[ _-]?token)"
    r"""(?:\\{0,3}["'`])?[ \t]{0,3}(?:=>|:=|[:=])[ \t]{0,3}(?:\\{0,3}["'`])?[^\s"'`\\<>]{8}"""
)
_PLAIN = rf"(?:^|[^A-Za-z0-9_]|\\[nrt])(?:{'|'.join(_KEYS)})|{'|'.join(_ANYWHERE)}|{_NAMED}"
_UNSEEN = (
    r"[\x{00ad}\x{034f}\x{061c}\x{115f}\x{180e}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}"
    r"\x{fe00}-\x{fe0f}\x{feff}\x{e0000}-\x{e01ef}]"
)
_ORNAMENTAL = r"[\x{2460}-\x{24ff}\x{fe10}-\x{fe6f}\x{ff01}-\x{ff5e}\x{1d400}-\x{1d7ff}\x{1f130}-\x{1f149}]"
_FIRST = f"{_PLAIN}|{_UNSEEN}|{_ORNAMENTAL}"


def may_hold_secret(text: pl.Expr) -> pl.Expr:
    """Whether a key or password, or characters that nobody sees, may stand in a text; null of null."""
    return text.str.contains(_FIRST)


def suspects(texts: pl.Series) -> pl.Series:
    """The distinct texts that can hold a key or password.

    Args:
        texts: String, of which `may_hold_secret` holds.

    Example:
        >>> suspects(pl.Series(["the key is on the table", "key: hf_" + "Ab1" * 12])).len()
        1
    """
    found = texts.unique()
    # Emoji hold characters that nobody sees as well: such a text is looked at again without them.
    seen = found.str.replace_all(_UNSEEN, "").str.normalize("NFKC")
    return found.filter(found.str.contains(_PLAIN) | seen.str.contains(_PLAIN))
