"""Whether the public list took a model name for the model that it names, or for a namesake.

Many clauses of the list test only how a name starts or what it contains, so `gemini-1.5-flash-8b` is
taken for `gemini-1.5-flash` at twice its price, and `deepseek-r1:7b` on a laptop for DeepSeek's service.
A match counts here only where the clause leaves nothing of the name but a version (a date, `-001`,
`-latest`, `-preview`, `-v1:0`) and, in front, a path or region that ends in a separator.
"""

import re
from functools import lru_cache

from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    ModelInfo,
)

Clause = (
    ClauseStartsWith | ClauseEndsWith | ClauseContains | ClauseRegex | ClauseEquals | ClauseOr | ClauseAnd
)

_SEPARATORS = "-@_./:"
_FINE_TUNE = re.compile(r"^ft:|\.ft-$")
_VERSION = re.compile(
    r"""(?:
        [-@_](?: \d{8} | \d{4}-\d{2}-\d{2} | \d{2}-\d{4} | \d{2}-\d{2} | \d{3,4} | v\d+(?:\.\d+)*
               | latest | preview | exp | experimental | nightly | stable | instruct )
        | :\d+k?
    )*""",
    re.VERBOSE,
)
_COMPACT_DATE = re.compile(r"-(20\d{2})(\d{2})(\d{2})(?=-|:|$)")


def is_same_model(model: ModelInfo, name: str) -> bool:
    """Whether a name that the public list matched to a model means that model, version aside.

    Args:
        model: Entry of the public list that matches the name.
        name: Model name of a span.
    """
    lowered = name.lower()
    # The list itself retries `-20251211` as `-2025-12-11`.
    spellings = (lowered, _COMPACT_DATE.sub(r"-\1-\2-\3", lowered))
    return lowered == model.id.lower() or any(_names(model.match, spelling) for spelling in spellings)


def is_version_of(name: str, stem: str) -> bool:
    """Whether a name is another name followed by nothing but a version.

    Args:
        name: Such as `gpt-4o-2031-01-31`.
        stem: Such as `gpt-4o`.

    Example:
        >>> is_version_of("gpt-4o-2031-01-31", "gpt-4o"), is_version_of("gpt-4o-mini", "gpt-4o")
        (True, False)
    """
    lowered, lowered_stem = name.lower(), stem.lower()
    return lowered.startswith(lowered_stem) and _is_version(lowered, len(lowered_stem))


def _names(clause: Clause, name: str) -> bool:
    if not clause.is_match(name):
        return False
    match clause:
        case ClauseEquals():
            return True
        case ClauseOr():
            return any(_names(part, name) for part in clause.or_)
        case ClauseAnd():
            return all(_names(part, name) for part in clause.and_)
    start, end = _covered(clause, name)
    is_fine_tune = _FINE_TUNE.search(name[:end]) is not None
    return _is_path(name, start) and (is_fine_tune or _is_version(name, end))


def _covered(clause: Clause, name: str) -> tuple[int, int]:
    match clause:
        case ClauseStartsWith():
            return 0, len(clause.starts_with)
        case ClauseEndsWith():
            return len(name) - len(clause.ends_with), len(name)
        case ClauseContains():
            start = name.index(clause.contains.lower())
            return start, start + len(clause.contains)
        case ClauseRegex():
            found = _search(clause.regex, name)
            # A pattern of lookaheads alone only filters what another clause matched.
            return found if found != (0, 0) else (0, len(name))
    return 0, 0


@lru_cache(maxsize=4_096)
def _search(pattern: str, name: str) -> tuple[int, int]:
    found = re.search(pattern, name)
    return found.span() if found else (0, 0)


def _is_path(name: str, start: int) -> bool:
    return start == 0 or name[start - 1] in "./:@" or name[start] in "./:@"


def _is_version(name: str, end: int) -> bool:
    # A clause may stop inside a version, as `claude-sonnet-4-2025` does: judge the word as a whole.
    splits_word = end < len(name) and name[end].isalnum()
    while splits_word and end > 0 and name[end] not in _SEPARATORS:
        end -= 1
    return _VERSION.fullmatch(name, end) is not None
