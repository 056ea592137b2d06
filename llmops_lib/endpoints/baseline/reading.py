"""What a chat asks for: the question, the passages to answer from, and the form of the answer.

The answerer understands no language. It knows passages by their form (JSON objects with a text, or
paragraphs under a heading), the question by its heading, and what to say from the phrases that instructions
quote. A prompt without these gets a worse answer, as it would from a model.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.refusals import Refused

_TEXT_NAMES = ("text", "content", "passage", "body")
_EVERY_LINE = re.IGNORECASE | re.MULTILINE
_QUESTION = re.compile(
    r"^[#* \t]*(?:customer(?:'s)? )?(?:question|query)\b[^\n:]{0,60}:[ \t*]*\n?", _EVERY_LINE
)
_PASSAGES = re.compile(
    r"^[#* \t]*(?:passages?|context|documents?|sources?)\b[^\n:]{0,60}:[ \t*]*\n?",
    re.IGNORECASE | re.MULTILINE,
)
_JSON_WORD = re.compile(r"\bJSON\b")
_SKELETON = re.compile(r"\{[^{}\n]*\"[A-Za-z_]+\"\s*:[^{}]*\}")
_KEY = re.compile(r"\"([A-Za-z_][A-Za-z0-9_]*)\"\s*:")
_REFUSING = re.compile(r"\brefus\w*|\bdecline\b", re.IGNORECASE)


@dataclass(frozen=True)
class Passage:
    """A text to answer from.

    Attributes:
        id: Its name, where it has one.
        text: Its text.
    """

    id: str | None
    text: str


@dataclass(frozen=True)
class Task:
    """What a chat asks for.

    Attributes:
        question: The question.
        passages: What it is to be answered from.
        instructions: Texts of the system and developer messages.
        answer_keys: Keys of the JSON object to answer with; empty: plain text is wanted.
        may_refuse: Whether the instructions speak of refusing.
    """

    question: str
    passages: tuple[Passage, ...]
    instructions: str
    answer_keys: tuple[str, ...]
    may_refuse: bool

    def phrase(self, after: str, otherwise: str) -> str:
        """The sentence that the instructions quote for a case, such as `For "refused", "answer" is "..."`.

        Args:
            after: Word that names the case.
            otherwise: What to say where none is quoted.
        """
        pattern = re.compile(
            rf"For \"?{after}\"?,[^\n\"]*\"answer\" is \"([^\"\n]{{3,200}})\"", re.IGNORECASE
        )
        found = pattern.search(self.instructions)
        return found[1] if found else otherwise


def read_task(messages: Sequence[Mapping[str, Any]], *, wants_json: bool = False) -> Task:
    r"""What a chat asks for.

    Args:
        messages: Chat messages.
        wants_json: Whether the request itself asks for JSON.

    Example:
        >>> user = 'Passages:\n{"id": "a", "text": "We open at nine."}\n\nQuestion:\n"When do you open?"'
        >>> task = read_task([{"role": "user", "content": user}])
        >>> task.question, task.passages[0].id, task.answer_keys
        ('When do you open?', 'a', ())
    """
    system = "\n".join(
        _text(message) for message in messages if message.get("role") in ("system", "developer")
    )
    users = [_text(message) for message in messages if message.get("role") == "user"]
    last = users[-1] if users else ""
    instructions = system or last
    question, before = _question(last)
    return Task(
        question=question,
        passages=tuple(_passages(f"{system}\n{before}")),
        instructions=instructions,
        answer_keys=_answer_keys(instructions, wants_json=wants_json),
        may_refuse=bool(_REFUSING.search(instructions)),
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))


def _question(text: str) -> tuple[str, str]:
    headings = list(_QUESTION.finditer(text))
    if not headings:
        return text.strip(), text
    asked = text[headings[-1].end() :].strip()
    value = _json(asked)
    return (value if isinstance(value, str) else asked), text[: headings[-1].start()]


def _passages(text: str) -> list[Passage]:
    found = []
    for line in text.splitlines():
        value = _json(line.strip()) if line.lstrip().startswith("{") else None
        if isinstance(value, dict):
            texts = [value[name] for name in _TEXT_NAMES if isinstance(value.get(name), str)]
            found += [Passage(str(value["id"]) if "id" in value else None, texts[0])] if texts else []
    if found:
        return found
    heading = _PASSAGES.search(text)
    paragraphs = re.split(r"\n\s*\n", text[heading.end() :]) if heading else []
    return [Passage(None, paragraph.strip()) for paragraph in paragraphs if paragraph.strip()]


def _answer_keys(instructions: str, *, wants_json: bool) -> tuple[str, ...]:
    if not _JSON_WORD.search(instructions):
        return ("answer",) if wants_json else ()
    skeletons = [match[0] for match in _SKELETON.finditer(instructions)]
    keys = _KEY.findall(skeletons[0]) if skeletons else []
    return tuple(dict.fromkeys(keys)) or ("answer",)


def _json(text: str) -> Any:
    try:
        return parse_json(text.encode(errors="replace"))
    except Refused:
        return None
