"""Which texts of a column can hold anything: one columnar pass that spares most texts the search itself.

The expressions of a column run in linear time (Rust's regex) and let through more than is found, never less.
"""

import polars as pl

from llmops_lib.safety.word_lists import BannedCategory, stems_of, tripwire_stems

_UNSEEN = (
    r"[\x{00ad}\x{034f}\x{061c}\x{115f}\x{180e}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}"
    r"\x{fe00}-\x{fe0f}\x{feff}\x{e0000}-\x{e01ef}\x{2460}-\x{24ff}\x{fe10}-\x{fe6f}\x{ff01}-\x{ff5e}"
    r"\x{1d400}-\x{1d7ff}\x{1f130}-\x{1f149}]"
)
# Letters that Python takes for ASCII ones where case does not count.
_ODD_CASE = r"[\x{0130}\x{0131}\x{017f}\x{212a}]"
_SENSITIVE = (
    r"@|%40|(?:\d[^\w\n]{0,4}){6}|\d\.\d{1,3}\.\d|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:"
    r"|[A-Za-z]{2}\d{2}[ -]?[A-Za-z0-9]"
    r"|(?i:passw|passphrase|pwd|secret|credential|key|token|bearer|authorization)"
    r"|[A-Za-z0-9_./+=-]{13}|PRIVATE|" + _UNSEEN + "|" + _ODD_CASE
)
_INJECTION = [
    "ignor", "disregard", "forget", "override", "bypass", "follow", "disable", "turn off", "prompt",
    "instruction", "message", "configuration", "rule", "directive", "programming", "guideline",
    "conversation", "everything ", "text", "words ", "amoral", "unfiltered", "uncensored", "jail",
    "anything", "moral", "ethic", "restrict", "censor", "filter", "limit", "refuse", "say no", "says no",
    "bound", "polic", "confines", "law", "opposite", "unhinged", "illegal", "openai", "evil", "care",
    "regardless", "from now", "you will", "start", "always", "every time", "character", "mode", "i am ",
    "two ", "2 ", "both ", "[classic", "[jailbreak", "\U0001f512", "\U0001f513", "<|", "[inst]",
    "<<sys>>", "##", "<system", "</system", "instructions>", "tool_result", "admin", "os.popen",
    "os.system", "subprocess", "eval", "exec", "__import__", "import os", "popen", "os command", "decode",
    "user message", "system i",
    "obey", "your", "earlier", "prior", "as if ", "security", "safety", "stop being", "print", "repeat",
    "quote", "output", "disclose", "reveal", "dump", "recite", "return", "show", "told", "precedes",
    "reading", "screening", "reviewing", "summari", "processing", "parsing", "scanning", "do not",
    "don't", "don\u2019t", "without", "end of", "full marks", "highest", "best fit",
    "rubric", "grading", "criteria", "declin", "discard", "abandon", "all ",
]  # fmt: skip


def may_be_sensitive() -> pl.Expr:
    """Whether personal data or a secret may stand in the column `text`."""
    return pl.col("text").str.contains(_SENSITIVE)


def may_be_injection() -> pl.Expr:
    """Whether a sign of prompt injection may stand in the column `text`."""
    return _has_any(_INJECTION) | pl.col("text").str.contains(r"[\x{e0020}-\x{e007e}]")


def may_be_banned(categories: tuple[BannedCategory, ...]) -> pl.Expr:
    """Whether something of a banned category may stand in the column `text`."""
    return _has_any(stems_of(categories))


def may_be_toxic() -> pl.Expr:
    """Whether an offensive word may stand in the column `text`."""
    return _has_any(tripwire_stems())


def _has_any(stems: list[str]) -> pl.Expr:
    text = pl.col("text")
    return text.str.contains_any(stems, ascii_case_insensitive=True) | text.str.contains(_ODD_CASE)
