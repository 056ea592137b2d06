"""Commands over files whose every text is a payload: nothing steers the terminal, nothing forges a line."""

import json
import re

import pytest

from llmops_lib import AuditLog
from tests.reports.hostile import ROUNDS, round_of, whole, write_hostile
from tests.reports.hostile_runs import score_rows, write_eval_runs

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tab and line feed, and those that turn the direction of what follows."""

FORGED = re.compile(r"^\s*(FORGED|\d{4}-\d\d-\d\d 00:00:00 CRITICAL)", re.MULTILINE)
"""Lines that payloads want to be."""

TERMINAL = ("a\nFORGED \x1b[31mline", "\x1b]52;c;aGk=\x07\u061c\u202e", "[/bold][link=http://127.0.0.1:9/]x")

RULES = """
destinations:
  log: {file: told.jsonl}
rules:
  - {name: failures, kind: failed, by: [feature], window: 24h, above_share: 0.01, min_calls: 1, to: [log]}
  - {name: news, kind: new_model, by: [model, tenant], min_calls: 1, to: [log]}
"""
LABELS = '{{"example_id": {0}, "trial": 1, "label": {1}}}\n'

COMMANDS = {
    "search": "search EXPORT --limit 9999",
    "search as trees": "search EXPORT --limit 40 --failed --tree",
    "search as JSON": "search EXPORT --limit 9999 --json",
    "trace show": "trace show TRACE t",
    "trace show as JSON": "trace show TRACE t --json",
    "alerts check": "alerts check EXPORT --rules RULES --lookback 20d",
    "alerts check as JSON": "alerts check EXPORT --rules RULES --lookback 20d --dry-run --json",
    "audit show": "audit show --log LOG --limit 9999",
    "audit show as JSON": "audit show --log LOG --limit 9999 --json",
    "audit record-agents": "audit record-agents EXPORT --log LOG",
    "policy check": "policy check EXPORT",
    "prompts lineage": "prompts lineage --from EXPORT --scores BASELINE",
    "eval sample": "eval sample EXPORT --rate 1 --dry-run",
    "eval agreement": "eval agreement LABELS --results BASELINE --verdict label --categories",
    "gate": "gate --baseline BASELINE --candidate CANDIDATE",
    "redteam show": "redteam show ATTACKS",
    "ingest": "ingest EXPORT TRACE --store STORE",
}


def resisted(number, text):
    """Facts of an attack of a red team."""
    return {"kind": "resisted", "tags": [text], "number": number, "is_simulated": True}


@pytest.fixture(scope="module", params=range(ROUNDS))
def files(request, tmp_path_factory):
    """Exports, scores, labels, rules and a log that are full of payloads; and these."""
    folder = tmp_path_factory.mktemp("hostile")
    texts = [*TERMINAL, *round_of(request.param, few=12)]
    baseline, candidate = write_eval_runs(folder, texts)
    attacks = score_rows(texts, "attacks", lambda number: number % 2 == 0, resisted)
    attacks.write_parquet(folder / "attacks.parquet")
    log = AuditLog(folder / "log")
    log.append_all([("endpoint_call", {"tool": text, "of": [text]}, text) for text in texts])
    spans = "".join(
        json.dumps(
            dict.fromkeys(("name", "model", "tool_name", "input", "output", "error_type"), text[:900])
            | {"trace_id": "t", "span_id": f"s{number}", "started_at": "2026-11-09T10:00:00Z"}
            | {"is_error": True, "operation": "execute_tool", "error_message": text}
        )
        + "\n"
        for number, text in enumerate(texts)
    )
    # A file of labels with half a character is refused as a whole.
    labels = "".join(
        LABELS.format(json.dumps(f"{number} {text}"), json.dumps(text))
        for number, text in enumerate(whole(texts))
    )
    written = {"TRACE": spans, "RULES": RULES, "LABELS": labels}
    paths = {name: folder / f"{name.lower()}{'.yaml' if name == 'RULES' else '.jsonl'}" for name in written}
    for name, text in written.items():
        paths[name].write_text(text, "utf-8")
    export = write_hostile(folder / "export.jsonl", texts)
    own = {"EXPORT": export, "BASELINE": baseline, "CANDIDATE": candidate, "LOG": folder / "log"}
    own |= {"ATTACKS": folder / "attacks.parquet"}
    return paths | own | {"STORE": folder / "store"}, texts


@pytest.mark.parametrize("command", COMMANDS)
def test_no_payload_steers_the_terminal_or_forges_a_line(command, files, run, tried):
    """A title, a clipboard, a deleted line: a terminal obeys whoever writes a trace, if nobody stops it."""
    paths, texts = files
    arguments = [paths.get(word, word) for word in COMMANDS[command].split()]
    code, out, err = run(*arguments)
    assert code in (0, 1, 3), err
    assert STEERING.findall(out + err) == []
    assert FORGED.findall(out + err) == []
    assert "Traceback" not in err
    tried(f"terminal: {command}", texts)


def test_no_payload_steers_the_terminal_from_an_error(files, run):
    """What was asked for is said in the message."""
    paths, texts = files
    for text in texts[:4]:
        if "\x00" in text:
            continue
        for arguments in (
            ("trace", "show", paths["TRACE"], text),
            ("search", paths["TRACE"], "--user", text),
        ):
            _, out, err = run(*arguments)
            assert STEERING.findall(out + err) == []
            assert FORGED.findall(out + err) == []
