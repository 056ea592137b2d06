"""Answers of a chat completions API, read strictly: an answer of another shape is asked for again."""

from typing import Annotated, Any

import msgspec

from llmops_lib.chat import ChatAnswer
from llmops_lib.sources.fetch.answers import decoded


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None


class _Completion(msgspec.Struct):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


def chat_answer(body: bytes) -> ChatAnswer:
    """The first choice of a chat completion.

    Args:
        body: What the endpoint sent.

    Raises:
        WrongAnswerError: If it is no chat completion; the message shows nothing of it.

    Example:
        >>> chat_answer(b'{"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}').flags
        ('no_usage',)
    """
    completion = decoded(body, _Completion)
    choice, usage = completion.choices[0], completion.usage or _Usage()
    read, reasoned = usage.prompt_tokens_details, usage.completion_tokens_details
    return ChatAnswer(
        text=choice.message.content if choice.message.content is not None else choice.message.refusal,
        tool_calls=tuple(choice.message.tool_calls or ()),
        finish_reason=choice.finish_reason,
        response_id=completion.id,
        model=completion.model,
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cache_read_tokens=read.cached_tokens if read else None,
        reasoning_tokens=reasoned.reasoning_tokens if reasoned else None,
    )
