"""A piece of HTML that a notebook shows; text only ever enters it escaped."""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Html:
    """HTML made by our own encoders.

    IPython's own `HTML` class also opens paths and addresses that it is given, so trace text
    could make it read a file (ipython issue 13870); this one only ever holds markup.

    Attributes:
        markup: Markup built with `markupsafe`, so that every value in it was escaped.
    """

    markup: Markup

    def _repr_html_(self) -> str:
        return str(self.markup)
