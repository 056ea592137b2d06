"""What the tools of agents can do, as reviewed data: read from `tool_risks.yaml`."""

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from llmops_lib.errors import PolicyError
from llmops_lib.reviewed_yaml import ReviewedKind, read_reviewed

PACKAGED_RISKS = Path(__file__).with_name("tool_risks.yaml")
"""The risks of whoever has declared none of their own."""

OWN_RISKS = Path("tool_risks.yaml")
"""Where one's own are looked for: in the working directory."""

Risk = Literal["high", "low"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")


class ToolRisks(BaseModel):
    """What tools can do.

    Attributes:
        tools: Risk of tools by name.
        words: Lists of words that make a tool of that risk where they stand in its name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tools: Mapping[str, Risk] = {}
    words: Mapping[Risk, tuple[tuple[str, ...], ...]] = {}

    def of(self, tool_name: str | None) -> str:
        """The risk of a tool: `high`, `low`, or `unknown` where nothing declared speaks of it.

        Args:
            tool_name: Name of a tool; None where a trace does not say.

        Example:
            >>> risks = load_tool_risks(PACKAGED_RISKS)
            >>> [risks.of(name) for name in ("issueRefund", "lookup_order", "reflect", None)]
            ['high', 'low', 'unknown', 'unknown']
        """
        if tool_name is None:
            return "unknown"
        if tool_name in self.tools:
            return self.tools[tool_name]
        # The name comes from a trace: of any length, and only its beginning is looked at.
        words = {word.casefold() for word in _WORD.findall(tool_name[:200])}
        return next((risk for risk in ("high", "low") if words & self._words[risk]), "unknown")

    @cached_property
    def _words(self) -> dict[str, frozenset[str]]:
        return {
            risk: frozenset(word.casefold() for words in self.words.get(risk, ()) for word in words)
            for risk in ("high", "low")
        }


_KIND = ReviewedKind(
    error=PolicyError,
    what="risks of tools",
    holds="`tools` and lists of words under `words`",
    todo="compare docs/safety.md",
    no_such_key=f"no such key; risks of tools have {', '.join(ToolRisks.model_fields)}",
    said={"extra_forbidden": "no such field", "missing": "is missing"},
    expected={"tools": "names of tools and high or low", "words": "high and low, each a list of lists"},
)


def load_tool_risks(path: str | Path | None = None) -> ToolRisks:
    """Declared risks of tools, checked.

    Args:
        path: YAML file; without it `tool_risks.yaml` of the working directory, and where there is none, the
            packaged file.

    Raises:
        PolicyError: If the file cannot be read or says what cannot be; the message says where, what was
            found, what was expected and what to do.

    Example:
        >>> load_tool_risks(PACKAGED_RISKS).of("send_email")
        'high'
    """
    own = OWN_RISKS if OWN_RISKS.exists() else PACKAGED_RISKS
    return read_reviewed(Path(path) if path is not None else own, ToolRisks, _KIND)
