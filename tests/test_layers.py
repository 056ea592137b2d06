"""Imports point down the layers, lazy ones too; this test is the drawing in docs/architecture.md, held."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "llmops_lib"

LAYERS = {
    "errors": 0,
    "schema": 1,
    "periods": 1,
    "frames": 1,
    "calls": 1,
    "evidence": 1,
    "facts": 1,
    "refusals": 1,
    "signals": 1,
    "chat": 1,
    "comparing": 1,
    "experiments": 1,
    "budgets": 1,
    "gating": 1,
    "sampling": 1,
    "plain_yaml": 1,
    "whole_files": 1,
    "spreadsheets": 1,
    "reviewed_yaml": 1,
    "stats": 1,
    "json_schemas": 1,
    "secrets": 1,
    "sources": 2,
    "pricing": 2,
    "playbooks": 2,
    "registry": 2,
    "safety": 2,
    "demo": 2,
    "store": 3,
    "endpoints": 3,
    "evals": 3,
    "reruns": 4,
    "measures": 4,
    "views": 5,
    "alerts": 6,
    "widgets": 6,
    "reports": 6,
    "cli": 6,
    "schema_page": 6,
}
"""Layer of each top module or package; a new one must be given its place here."""

VIEW_IMPORTS = {"errors", "schema", "periods", "frames", "calls", "facts"}
"""A view may import these only, so a view cannot compute."""

ALLOWED_IN = {
    "altair": {"views"},
    "vl_convert": {"views"},
    "papermill": {"reports"},
    "nbconvert": {"reports"},
    "nbformat": {"reports"},
    "ipywidgets": {"widgets"},
    "typer": {"cli"},
    "genai_prices": {"pricing"},
    "httpx": {"sources", "endpoints"},
    "pydantic": {
        "alerts",
        "budgets",
        "evals",
        "experiments",
        "playbooks",
        "registry",
        "reviewed_yaml",
        "safety",
    },
    "phonenumbers": {"safety"},
    "apprise": {"alerts"},
    "pandas": {"views", "pricing"},
    "jiter": {"sources"},
    "msgspec": {"endpoints", "signals", "sources"},
    "jinja2": {"registry", "reports"},
    "jsonschema_rs": {"json_schemas"},
    "stamina": {"sources", "endpoints"},
    "scipy": {"stats"},
    "ruptures": {"stats"},
    "sklearn": {"stats"},
}
"""Third-party packages that may appear in these modules only."""

FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "core", "manager", "misc"}

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def top(path: Path) -> str:
    """The first part of a module's path below the package: its place in LAYERS."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imported(path: Path) -> list[str]:
    """Dotted names that a module imports, wherever in the module the import stands."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            module = node.module or ""
            found += [module] if module != "llmops_lib" else [f"llmops_lib.{a.name}" for a in node.names]
    return found


def dotted(path: Path) -> str:
    """The dotted name of a module of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_downward(own: str, other: str) -> bool:
    """Whether a part of the package may import another; only `cli` stands on the public names."""
    if other not in LAYERS:
        return own == "cli"
    return other == own or LAYERS[other] < LAYERS[own] or LAYERS[own] == LAYERS[other] == 1


def test_imports_point_to_lower_layers():
    """Data flows down; an import that points up or sideways would let it flow back."""
    assert [
        f"{dotted(path)} imports {name}"
        for path in MODULES
        for name in imported(path)
        if name.startswith("llmops_lib.") and not is_downward(top(path), name.split(".")[1])
    ] == []


def test_measures_never_import_each_other():
    """Measures meet as tables in a notebook; shared arithmetic sinks to layer 1."""
    assert [
        f"{dotted(path)} imports {name}"
        for path in MODULES
        if top(path) == "measures"
        for name in imported(path)
        if name.startswith("llmops_lib.measures")
    ] == []


def test_views_import_only_layers_zero_and_one():
    """A view that cannot import a measure cannot compute one."""
    assert [
        f"{dotted(path)} imports {name}"
        for path in MODULES
        if top(path) == "views"
        for name in imported(path)
        if name.startswith("llmops_lib.") and name.split(".")[1] not in {"views", *VIEW_IMPORTS}
    ] == []


def test_third_party_packages_stay_in_their_place():
    """One place per heavy package keeps `import llmops_lib` light and upgrades local."""
    assert [
        f"{dotted(path)} imports {name}"
        for path in MODULES
        for name in imported(path)
        if top(path) not in ALLOWED_IN.get(name.split(".")[0], {top(path)})
    ] == []


def test_no_import_cycles():
    """Modules that import each other cannot be read or tested alone."""
    graph = {dotted(path): [name for name in imported(path) if "llmops_lib" in name] for path in MODULES}
    seen: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name in seen or name not in graph:
            return
        for other in graph[name]:
            visit(other, (*trail, name))
        seen.add(name)

    for name in graph:
        visit(name, ())


def test_modules_are_small_and_named_for_one_idea():
    """A drawer called utils grows without end; so does a module without a limit."""
    assert [dotted(path) for path in MODULES if path.stem in FORBIDDEN_NAMES] == []
    lengths = {dotted(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 250} == {}


def test_importing_the_library_stays_light():
    """Loading a table must not cost the start-up of notebooks, charts and widgets."""
    heavy = [
        "altair",
        "papermill",
        "nbconvert",
        "ipywidgets",
        "scipy",
        "sklearn",
        "pandas",
        "pyarrow",
        "genai_prices",
    ]
    code = f"import sys, llmops_lib; print([name for name in {heavy!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_drawing_compiles_no_grammar_that_no_chart_needs():
    """Altair brings jsonschema along, which spends seconds on IRIs where it is left to itself."""
    code = "import sys, llmops_lib.views.picture; print([name in sys.modules for name in sys.argv[1:]])"
    command = [sys.executable, "-c", code, "altair", "jsonschema", "rfc3987_syntax"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[True, True, False]"
