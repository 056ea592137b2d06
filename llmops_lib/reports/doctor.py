"""Whether this installation can do its work: versions, kernel, browser, folders, prices, endpoint, policy."""

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from llmops_lib.endpoints.settings import Endpoint
from llmops_lib.errors import LlmopsError
from llmops_lib.pricing.versions import latest_public_change, price_list_version
from llmops_lib.reports.execution import execute
from llmops_lib.safety.policy import load_policy

DISTRIBUTION = "llmops-workbench"
FLOORS = {
    "great-tables": ("1.0", "bodies of tables were not escaped"),
    "itables": ("2.4", "bodies of tables were not escaped"),
    "jinja2": ("3.1.6", "ways out of the sandbox of templates"),
    "jupyter-server": ("2.18", "CVE-2026-42557"),
    "jupyterlab": ("4.6", "CVE-2026-42557"),
    "mistune": ("3.3.4", "CVE-2026-33079, CVE-2026-44897, CVE-2026-76098"),
    "nbconvert": ("7.17.2", "CVE-2026-39377, CVE-2026-39378"),
    "pandas": ("3.0", "names of indexes could not be escaped"),
    "papermill": ("2.7", "none before is tested"),
    "pyarrow": ("23.0.1", "CVE-2026-25087, CVE-2023-47248"),
    "vl-convert-python": ("1.9", "CVE-2025-59840 and others in the Vega before"),
}
"""Least versions of packages, installed for whatever reason, and what is wrong with older ones."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OLD_PRICES_DAYS = 90
_VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_KEY")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        status: `ok`, `note` (works, something to know) or `problem`.
        found: What was found; never a key.
        advice: What to do; empty where nothing is.
    """

    name: str
    status: str
    found: str
    advice: str = ""


def check_installation(*, output: str | Path = "reports") -> list[Check]:
    """Everything that was looked at, in order; the installation is sound where nothing is a `problem`.

    Starts a kernel and runs a notebook in it, as a report does. Contacts no address: of the endpoint, only
    the settings are looked at, and its host name is resolved.

    Args:
        output: Folder that reports are to be written to.

    Example:
        >>> {check.status for check in check_installation()} <= {"ok", "note", "problem"}
        True
    """
    looked: tuple[Callable[[], Check], ...] = (
        _python,
        _packages,
        _floors,
        _kernel,
        lambda: _folder(Path(output)),
        _prices,
        _endpoint,
        _policy,
        _git,
        _browser,
    )
    return [look() for look in looked]


def _python() -> Check:
    wanted = SpecifierSet(metadata(DISTRIBUTION)["Requires-Python"])
    found = platform.python_version()
    if wanted.contains(found, prereleases=True):
        return Check("python", "ok", found)
    return Check("python", "problem", found, f"install Python {wanted}")


def _packages() -> Check:
    wanted = [Requirement(one) for one in requires(DISTRIBUTION) or ()]
    needed = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [fault for one in needed if (fault := _fault(one))]
    if wrong:
        return Check("packages", "problem", "; ".join(wrong), "install again: make setup")
    return Check(
        "packages", "ok", f"{len(needed)} packages as {DISTRIBUTION} {version(DISTRIBUTION)} needs them"
    )


def _fault(wanted: Requirement) -> str:
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is not installed"
    is_fit = wanted.specifier.contains(found, prereleases=True)
    return "" if is_fit else f"{wanted.name} {found}, expected {wanted.specifier}"


def _floors() -> Check:
    old = [f"{name} {found}: {why}" for name, found, why in _installed_floors() if found]
    if old:
        names = " ".join(f"'{name}>={FLOORS[name][0]}'" for name, found, _ in _installed_floors() if found)
        return Check("known holes", "problem", "; ".join(old), f"pip install --upgrade {names}")
    return Check("known holes", "ok", f"no package below the floors of {len(FLOORS)}")


def _installed_floors() -> Iterator[tuple[str, str, str]]:
    """Name, version where it is too old (else empty), and what is wrong with it, of what is installed."""
    for name, (least, why) in FLOORS.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            continue
        yield name, found if Version(found) < Version(least) else "", why


def _kernel() -> Check:
    import nbformat  # noqa: PLC0415 - slow to import
    from nbformat.v4 import new_code_cell, new_notebook  # noqa: PLC0415 - as above

    cells = [
        new_code_cell("one: int = 1  # a number", metadata={"tags": ["parameters"]}),  # type: ignore[no-untyped-call]
        new_code_cell("one + 1"),  # type: ignore[no-untyped-call]
    ]
    with tempfile.TemporaryDirectory(prefix="llmops-") as folder:
        path = Path(folder) / "check.ipynb"
        nbformat.write(new_notebook(cells=cells), path)  # type: ignore[no-untyped-call]
        try:
            done = execute(path, {"one": 2}, cell_timeout_s=60)
        except (LlmopsError, OSError, RuntimeError) as error:
            return Check("kernel", "problem", f"does not start: {error}", "install again: make setup")
    if done.error is not None:
        return Check("kernel", "problem", str(done.error), "install again: make setup")
    return Check("kernel", "ok", f"a notebook ran in {Path(sys.executable).name}")


def _folder(output: Path) -> Check:
    place = next(one for one in (output, *output.absolute().parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Check(
            "reports folder", "problem", f"{output}: {error.strerror}", "give another one (--output)"
        )
    return Check("reports folder", "ok", f"{output} can be written")


def _prices() -> Check:
    today = datetime.now(UTC).date()
    changed_on = latest_public_change(until=today)
    found = f"{price_list_version()}, its last change of a price is of {changed_on or 'an unknown day'}"
    if changed_on is not None and (today - changed_on).days <= OLD_PRICES_DAYS:
        return Check("price list", "ok", found)
    advice = "pip install --upgrade genai-prices: newer models and prices may be missing"
    return Check("price list", "note", found, advice)


def _endpoint() -> Check:
    if not any(os.environ.get(name, "").strip() for name in _VARIABLES):
        advice = "set OPENAI_API_KEY, or run `llmops serve-baseline`; reports need none"
        return Check("endpoint", "note", "no endpoint is set", advice)
    try:
        endpoint = Endpoint.from_environment()
    except LlmopsError as error:
        return Check("endpoint", "problem", _without_keys(str(error)), "see docs/endpoints.md")
    key = "with a key" if endpoint.key else "without a key"
    return Check("endpoint", "ok", f"{endpoint.address.host}:{endpoint.address.port} {key}; not contacted")


def _without_keys(text: str) -> str:
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    return re.sub(re.escape(key), "(key)", text) if key else text


def _policy() -> Check:
    try:
        rules = load_policy().endpoints
    except LlmopsError as error:
        return Check("policy", "problem", str(error), "mend policy.yaml; nothing is sent until then")
    return Check("policy", "ok", f"{len(rules)} rules on what may be sent where")


def _git() -> Check:
    found = shutil.which("git")
    if found:
        return Check("git", "ok", "versions of prompts can be read")
    return Check("git", "note", "is not installed", "install it to compare versions of prompts")


def _browser() -> Check:
    found = next((name for name in BROWSERS if shutil.which(name)), None)
    if found:
        return Check("browser", "ok", f"{found}: tests can open reports")
    return Check("browser", "note", "no Chromium", "only tests need one; any browser opens a report")
