"""`llmops serve-baseline`: an endpoint for machines without a key."""

from typing import Annotated

import typer

from llmops_lib.cli.screen import say, say_json


def serve_baseline(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 8123,
    as_json: Annotated[bool, typer.Option("--json", help="Write the address as JSON.")] = False,
) -> None:
    """Serve a small extractive answerer over the chat completions API, on this machine only; Ctrl-C ends it.

    It is no language model: it copies the sentence of the given passages that shares most rare words with
    the question, and follows the form of answer that the prompt asks for. It makes evals run without a key.
    Exit codes: 0 ended, 2 bad usage, or the port is taken.

    Example: llmops serve-baseline --port 8123
    """
    from llmops_lib import BASELINE_MODEL, BaselineServer  # noqa: PLC0415 - keeps `llmops --help` fast

    with BaselineServer(port) as server:
        if as_json:
            say_json({"base_url": server.url, "model": BASELINE_MODEL})
        else:
            say(f"serving {BASELINE_MODEL}, an extractive answerer and no language model; Ctrl-C ends it")
            say(f"use it with: export OPENAI_BASE_URL={server.url} LLMOPS_ALLOW_LOCAL=1")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
