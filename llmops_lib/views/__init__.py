"""Tables in, figures out: charts (Altair), HTML tables, headline cards. A view never computes a measure."""

import importlib
import sys


def _import_jsonschema() -> None:
    # Altair imports it, and it compiles a grammar of IRIs where JupyterLab has brought one: two seconds in a
    # script and seven in a kernel, for a format that no chart has.
    if "jsonschema" in sys.modules or "rfc3987_syntax" in sys.modules:
        return
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules["rfc3987_syntax"]


_import_jsonschema()
