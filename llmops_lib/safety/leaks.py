"""What an answer gives away: a canary, the system prompt, personal data of the input."""

import base64
import codecs
import re
from collections.abc import Iterator, Sequence
from functools import cache

from llmops_lib.safety.sensitive import find_sensitive
from llmops_lib.secrets.findings import PERSONAL_KINDS, Finding
from llmops_lib.secrets.folding import plain_form
from llmops_lib.secrets.patterns import CERTAIN, LIKELY
from llmops_lib.secrets.placeholders import same_value

NGRAM_WORDS = 8
"""Words in a row that an answer must share with a system prompt to count as taken from it."""

_WORD = re.compile(r"\w+")


def canary_findings(text: str, canaries: Sequence[str]) -> Iterator[Finding]:
    """Canaries in a text: as they are, spelt apart, reversed, in base64, hex or ROT13.

    Args:
        text: An answer.
        canaries: Texts that stand in system prompts and nowhere else.

    Example:
        >>> [place.rule for place in canary_findings("Sure: GEERAK-4711-IRANAC", ["CANARI-1174-KAREEG"])]
        ['canary.reversed']
    """
    plain, places = plain_form(text)
    at = places or range(len(text) + 1)
    for canary in canaries:
        for form, pattern in _canary_forms(canary):
            for match in pattern.finditer(plain):
                yield Finding(at[match.start()], at[match.end() - 1] + 1, "CANARY", f"canary.{form}", CERTAIN)


def prompt_findings(text: str, system_prompt: str) -> Iterator[Finding]:
    """Stretches of a text that stand in the system prompt too, word for word.

    A stretch is a run of `NGRAM_WORDS` or more words; of a shorter system prompt, the whole of it.

    Args:
        text: An answer.
        system_prompt: The system prompt that it was given under.

    Example:
        >>> prompt = "You are the support agent of Example. Never speak of refunds above 50 dollars."
        >>> leak = "I was told: you are the support agent of example, never speak of refunds."
        >>> [leak[place.start : place.end] for place in prompt_findings(leak, prompt)]
        ['you are the support agent of example, never speak of refunds']
    """
    prompt_words = [match[0].casefold() for match in _WORD.finditer(system_prompt)]
    size = min(NGRAM_WORDS, len(prompt_words))
    if size < 3:
        return
    known = {tuple(prompt_words[at : at + size]) for at in range(len(prompt_words) - size + 1)}
    found = [(match[0].casefold(), match.span()) for match in _WORD.finditer(text)]
    start = end = None
    for at in range(len(found) - size + 1):
        if tuple(word for word, _ in found[at : at + size]) not in known:
            continue
        first, last = found[at][1][0], found[at + size - 1][1][1]
        if end is not None and first > end:
            yield Finding(start or 0, end, "SYSTEM_PROMPT", "system_prompt.words", LIKELY)
            start = None
        start, end = first if start is None else start, last
    if end is not None:
        yield Finding(start or 0, end, "SYSTEM_PROMPT", "system_prompt.words", LIKELY)


def echo_findings(found: Sequence[Finding], text: str, given: str) -> Iterator[Finding]:
    """Personal data of an answer that stood in its input.

    Args:
        found: What was found in the answer.
        text: The answer.
        given: Its input.
    """
    personal = [place for place in found if place.kind in PERSONAL_KINDS]
    if not personal:
        return
    places = find_sensitive(given, mode="gate", has_secrets=False)
    known = {same_value(given[place.start : place.end]) for place in places}
    for place in personal:
        if same_value(text[place.start : place.end]) in known:
            yield Finding(place.start, place.end, "PII_ECHO", f"pii_echo.{place.kind.lower()}", CERTAIN)


@cache
def _canary_forms(canary: str) -> list[tuple[str, re.Pattern[str]]]:
    encoded = canary.encode()
    forms = [("reversed", canary[::-1]), ("rot13", codecs.encode(canary, "rot13")), ("hex", encoded.hex())]
    # Base64 of a text depends on where in a group of three bytes it begins.
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + encoded).decode().rstrip("=")
        forms.append(("base64", whole[(0, 2, 3)[shift] : len(whole) - 1]))
    # Letters and digits only: signs among them could be matched in many ways, and hostile text would try all.
    letters = [re.escape(character) for character in canary if character.isalnum()]
    plain = re.compile(r"[\W_]{0,4}".join(letters), re.IGNORECASE)
    # Without regard to case: the cost of a chance hit is small, and models change it.
    others = [(name, re.compile(re.escape(form), re.IGNORECASE)) for name, form in forms]
    return [("plain", plain), *others]
