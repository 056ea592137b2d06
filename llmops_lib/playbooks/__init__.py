"""What to do about incidents of a kind, as reviewed data, and which kind an incident looks like."""

from llmops_lib.playbooks.declared import Evidence, Playbook, Sign
from llmops_lib.playbooks.files import load_playbooks
from llmops_lib.playbooks.matching import matching_playbooks

__all__ = ["Evidence", "Playbook", "Sign", "load_playbooks", "matching_playbooks"]
