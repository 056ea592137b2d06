"""Keys and passwords in texts: found, and kept out of what is written."""

from llmops_lib.secrets.places import find_secrets
from llmops_lib.secrets.written import hide_secrets, hide_secrets_in, hide_secrets_of, secrets_hidden

__all__ = ["find_secrets", "hide_secrets", "hide_secrets_in", "hide_secrets_of", "secrets_hidden"]
