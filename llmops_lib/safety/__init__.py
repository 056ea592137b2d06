"""Keeps personal data and secrets out of what is shown."""

from llmops_lib.safety.excerpts import last_asked, last_message, masked, with_excerpts, with_input_text
from llmops_lib.safety.masking import find_sensitive, mask_column, mask_text

__all__ = [
    "find_sensitive",
    "last_asked",
    "last_message",
    "mask_column",
    "mask_text",
    "masked",
    "with_excerpts",
    "with_input_text",
]
