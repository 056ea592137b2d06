"""The tools of the refund agent; `llmops prompts tools prompts/tools/support.py` writes their JSON."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_OrderNumber = Annotated[
    str, Field(pattern=r"^[0-9]-[0-9]{4}$", description="Number of the order, such as 7-4471.")
]


class LookupOrder(BaseModel):
    """Look up one order of the customer: what was bought, when, and where the parcel is."""

    model_config = ConfigDict(extra="forbid")

    order: _OrderNumber


class IssueRefund(BaseModel):
    """Pay money back for an order, to the card that paid it. Look the order up first."""

    model_config = ConfigDict(extra="forbid")

    order: _OrderNumber
    amount_usd: Annotated[
        float | None, Field(gt=0, le=500, description="Amount; without it, all that was paid for the order.")
    ] = None
    reason: Literal["damaged", "late", "not_as_described", "changed_mind"] = "changed_mind"
