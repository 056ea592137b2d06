"""A small simulated rerun for a notebook that is opened before there is one to read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from llmops_lib.demo.sample import sample_export, sample_folder
from llmops_lib.endpoints.baseline.server import BaselineServer
from llmops_lib.endpoints.client import EndpointClient
from llmops_lib.endpoints.settings import Endpoint, EndpointSettings
from llmops_lib.registry.prompts import Prompt, load_prompt
from llmops_lib.reruns.drawing import draw_calls
from llmops_lib.reruns.files import write_rerun
from llmops_lib.reruns.plan import plan_rerun
from llmops_lib.reruns.run import run_rerun
from llmops_lib.safety.audit import AuditLog
from llmops_lib.store.scan import open_source

_NAME = "support_answer"
_OLD = """---
model: gpt-4o-mini
owner: demonstration
parameters: {temperature: 0, max_tokens: 200}
input_schema: {type: object, required: [question], properties: {question: {type: string}}}
---
<!-- system -->
You are the support answer assistant. Cite the page. Answer in the language of the question.

<!-- user -->
{{ question }}
"""
_PAGES = """Answer in the language of the question.

Passages:
{"id": "returns", "text": "You can return an item within 30 days; the label is in the parcel."}
{"id": "guarantee", "text": "Every item is covered by a guarantee of two years."}
{"id": "delivery", "text": "Delivery of an item takes three days at most."}
{"id": "orders", "text": "Until it is packed, you can change the address of an order under My orders."}
"""


@cache
def sample_rerun() -> Path:
    """A rerun of the synthetic export, in a folder that is removed when Python exits.

    The version in force is that of the synthetic calls, the other one adds pages to answer from; the bundled
    extractive answerer answers both.

    Returns:
        A folder, as `write_rerun` returns it.
    """
    folder = sample_folder()
    new_text = _OLD.replace("Answer in the language of the question.\n", _PAGES)
    versions = [_prompt(folder / side, text) for side, text in (("old", _OLD), ("new", new_text))]
    traces = open_source(sample_export())
    plan = plan_rerun(draw_calls(traces.spans, prompt_name=_NAME, size=60), *versions)
    with answering(folder) as client:
        done = run_rerun(plan, client, run_id="sample")
    return write_rerun(done, folder, source=traces.facts())


@contextmanager
def answering(folder: Path) -> Iterator[EndpointClient]:
    """A client of the bundled answerer, which runs in this process as long as the block does.

    Args:
        folder: Folder that its audit log is kept in.
    """
    with BaselineServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        local = {"OPENAI_BASE_URL": server.url, "LLMOPS_ALLOW_LOCAL": "1"}
        # A sample is no action of anybody: it is recorded beside itself, and goes with it.
        own = EndpointSettings(audit=AuditLog(folder / "audit"))
        try:
            with EndpointClient(Endpoint.from_environment(local), own) as client:
                yield client
        finally:
            server.shutdown()
            thread.join()


def _prompt(folder: Path, text: str) -> Prompt:
    folder.mkdir()
    (folder / f"{_NAME}.md").write_text(text, encoding="utf-8")
    return load_prompt(_NAME, folder=folder)
