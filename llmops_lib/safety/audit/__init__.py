"""An append-only record of what was done: a chain of hashes over files that many processes write to."""

from llmops_lib.safety.audit.entries import Entry
from llmops_lib.safety.audit.log import AuditLog
from llmops_lib.safety.audit.verify import Verification, verify_audit

__all__ = ["AuditLog", "Entry", "Verification", "verify_audit"]
