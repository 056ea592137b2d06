"""The signal by which a reader sends one row to the quarantine."""


class Refused(Exception):  # noqa: N818 - a verdict on one row, caught inside the package, never an error of a caller
    """One row cannot become a span.

    Attributes:
        reason: A key of `schema.REASONS`.
        detail: What was found, or an empty string.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason
