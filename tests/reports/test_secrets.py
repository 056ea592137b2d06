"""What stops a report, and what does not: keys that are shown, and placeholders in their places."""

import html
import json

import pytest

from llmops_lib.reports.secrets import has_secret
from llmops_lib.safety import mask_text
from llmops_lib.safety.audit.entries import clean
from tests.reports.hostile import payloads

PASSWORDS = (
    "postgres://app:hunter2hunter2@db:5432/calls",
    "http://127.1.1.1:80\\@@127.2.2.2:80/",
    'password: "correct-Horse-7"',
    "api_key=aB3aB3aB3aB3",
)


@pytest.mark.parametrize("text", PASSWORDS)
def test_a_password_that_was_masked_does_not_stop_a_report(text):
    """One user with an address such as postgres://app:secret@db in an error would else end all reports."""
    shown = html.escape(mask_text(text))
    assert has_secret(text)
    assert not has_secret(shown)
    assert not has_secret(json.dumps(shown))


@pytest.mark.parametrize("text", PASSWORDS)
def test_a_password_that_the_audit_log_left_out_does_not_stop_a_report(text):
    """A postmortem counts entries by what they say was decided; the log numbers no placeholder."""
    assert not has_secret(html.escape(mask_text(clean(text))))


def test_a_password_beside_a_placeholder_still_stops_a_report():
    """A text that imitates a placeholder must not bring a key past the last gate."""
    assert has_secret("postgres://app:&lt;SECRET_1&gt;hunter2@db &lt;SECRET_2&gt; hf_" + "Ab1" * 12)


def test_no_payload_of_the_corpora_stops_a_report_once_it_is_masked(shared):
    """An attacker who can end every report of a tenant with one name needs no script."""
    texts = payloads(shared.parent / "project")
    assert [text for text in texts if has_secret(html.escape(mask_text(text)))] == []
