"""The canonical tables, declared once as data: column, dtype, unit, nullability, meaning, OTel name."""

from llmops_lib.schema.bills import BILL_LINES, BILLS, TOKEN_LINES
from llmops_lib.schema.completeness import CHECKS, COMPLETENESS, STATUSES
from llmops_lib.schema.dimensions import (
    COMPARED_COLUMNS,
    DIMENSIONS,
    INCIDENT_COLUMNS,
    REPORT_COLUMNS,
    REST_NAME,
    SPENDER_COLUMNS,
    WHAT_IF_COLUMNS,
    dimension_names,
)
from llmops_lib.schema.prices import PRICES
from llmops_lib.schema.quarantine import BENIGN_REASONS, QUARANTINE, RAW_LIMIT, REASONS
from llmops_lib.schema.registry import PROMPT_VERSIONS, TOOL_VERSIONS
from llmops_lib.schema.scores import SCORES
from llmops_lib.schema.spans import (
    MADE_INCLUSIVE,
    MODEL_OPERATIONS,
    OPERATIONS,
    OTHER_CONVENTION,
    PRICED_COLUMNS,
    REGION,
    RETRY_COLUMNS,
    SAMPLE_COLUMNS,
    SPANS,
    TOKEN_CONVENTION,
)
from llmops_lib.schema.tables import UTC_DATETIME, Column, Table, conform, validate

__all__ = [
    "BENIGN_REASONS",
    "BILLS",
    "BILL_LINES",
    "CHECKS",
    "COMPARED_COLUMNS",
    "COMPLETENESS",
    "DIMENSIONS",
    "INCIDENT_COLUMNS",
    "MADE_INCLUSIVE",
    "MODEL_OPERATIONS",
    "OPERATIONS",
    "OTHER_CONVENTION",
    "PRICED_COLUMNS",
    "PRICES",
    "PROMPT_VERSIONS",
    "QUARANTINE",
    "RAW_LIMIT",
    "REASONS",
    "REGION",
    "REPORT_COLUMNS",
    "REST_NAME",
    "RETRY_COLUMNS",
    "SAMPLE_COLUMNS",
    "SCORES",
    "SPANS",
    "SPENDER_COLUMNS",
    "STATUSES",
    "TOKEN_CONVENTION",
    "TOKEN_LINES",
    "TOOL_VERSIONS",
    "UTC_DATETIME",
    "WHAT_IF_COLUMNS",
    "Column",
    "Table",
    "conform",
    "dimension_names",
    "validate",
]
