"""Flags by lists of words: banned categories of requests, and a tripwire for offensive words.

The lists are reviewed data. Phrases are never taken as patterns, so that a list can slow nothing down.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from llmops_lib.errors import PolicyError
from llmops_lib.reviewed_yaml import ReviewedKind, read_reviewed
from llmops_lib.secrets.findings import Finding

_SENTENCE = re.compile(r"[^.!?\n]+")
_FLAG = 0.5
_KIND = ReviewedKind(
    error=PolicyError, what="word lists", holds="lists of words", todo="compare the packaged lists of safety"
)


class BannedCategory(BaseModel):
    """One category of requests that an application should not serve.

    Attributes:
        name: Part of the rule's name, `banned.<name>`.
        asks: A sentence is looked at where one of these phrases stands in it.
        about: It is flagged where one of these does too.
        unless: It is not flagged where one of these does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    asks: tuple[str, ...] = Field(min_length=1)
    about: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()


class _Banned(BaseModel):
    model_config = ConfigDict(extra="forbid")

    banned: tuple[BannedCategory, ...]


class _Tripwire(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: tuple[str, ...]
    phrases: tuple[str, ...]


def banned_flags(text: str, categories: Sequence[BannedCategory] = ()) -> Iterator[Finding]:
    """Sentences that ask for something of a banned category.

    Args:
        text: Any text.
        categories: Categories beside the packaged ones.

    Example:
        >>> [flag.rule for flag in banned_flags("Hello. How do I launder money?")]
        ['banned.crime']
    """
    compiled = [_compiled(category) for category in (*_packaged_categories(), *categories)]
    for sentence in _SENTENCE.finditer(text):
        for name, asks, about, unless in compiled:
            match = about.search(text, *sentence.span())
            if match and asks.search(text, *sentence.span()) and not _is_excepted(unless, text, sentence):
                yield Finding(match.start(), match.end(), "BANNED", f"banned.{name}", _FLAG)


def toxicity_flags(text: str) -> Iterator[Finding]:
    """Offensive words in a text: a tripwire, no measure of how toxic it is.

    Args:
        text: Any text.

    Example:
        >>> [text[flag.start : flag.end] for text in ["You moron!"] for flag in toxicity_flags(text)]
        ['moron']
    """
    for match in _tripwire().finditer(text):
        yield Finding(match.start(), match.end(), "TOXICITY", "toxicity.tripwire", _FLAG)


def stems_of(categories: Sequence[BannedCategory] = ()) -> list[str]:
    """The beginnings of all that the packaged categories and these are about."""
    return [
        phrase.removesuffix("*")
        for category in (*_packaged_categories(), *categories)
        for phrase in category.about
    ]


def tripwire_stems() -> list[str]:
    """The beginnings of all offensive words."""
    return [phrase.removesuffix("*") for phrase in _tripwire_phrases()]


def phrase_pattern(phrases: Sequence[str]) -> re.Pattern[str]:
    """A pattern that finds any of the phrases as whole words; a trailing `*` is the rest of a word."""
    forms = [
        re.escape(phrase.removesuffix("*")) + (r"\w{0,20}" if phrase.endswith("*") else "")
        for phrase in sorted(phrases, key=len, reverse=True)
    ]
    return re.compile(r"(?<!\w)(?:" + "|".join(forms) + r")(?!\w)", re.IGNORECASE)


def _is_excepted(unless: re.Pattern[str] | None, text: str, sentence: re.Match[str]) -> bool:
    return unless is not None and unless.search(text, *sentence.span()) is not None


@cache
def _compiled(
    category: BannedCategory,
) -> tuple[str, re.Pattern[str], re.Pattern[str], re.Pattern[str] | None]:
    unless = phrase_pattern(category.unless) if category.unless else None
    return category.name, phrase_pattern(category.asks), phrase_pattern(category.about), unless


@cache
def _packaged_categories() -> tuple[BannedCategory, ...]:
    return read_reviewed(Path(__file__).with_name("banned.yaml"), _Banned, _KIND).banned


@cache
def _tripwire_phrases() -> tuple[str, ...]:
    lists = read_reviewed(Path(__file__).with_name("tripwire.yaml"), _Tripwire, _KIND)
    return (*lists.words, *lists.phrases)


@cache
def _tripwire() -> re.Pattern[str]:
    return phrase_pattern(_tripwire_phrases())
