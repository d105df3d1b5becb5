"""The rules of the house, enforced on the syntax tree of every file."""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("difftem", "kernels_triton")
MAX_LINES = 300
VAGUE_NAMES = {"utils.py", "helpers.py", "misc.py", "base.py"}

# Who may import whom. Every layer may import itself and GROUND.
GROUND = {"constants", "units", "atoms"}
_CORE = {"presets", "functional"}
_IMAGES = _CORE | {"analysis", "io"}
_SPECIMEN = _IMAGES | {"modules", "scene"}
MAY_IMPORT: dict[str, set[str]] = {
    "constants": set(),
    "units": set(),
    "atoms": set(),
    "presets": set(),
    "functional": set(),
    "ops": {"functional"},
    "modules": {"ops", "functional"},
    "networks": {"ops", "functional"},
    "analysis": {"functional"},
    "losses": {"functional", "analysis"},
    "metrics": {"functional", "analysis"},
    "io": _CORE | {"modules"},
    "micrograph": _IMAGES,
    "scene": _IMAGES | {"modules"},
    "simulation": _SPECIMEN,
    "tasks": _CORE | {"modules", "networks", "losses", "metrics", "analysis"},
    "callbacks": set(),
    "data": _SPECIMEN | {"micrograph", "simulation"},
    "baselines": _IMAGES | {"modules", "networks"},
    "tomography": _IMAGES | {"modules"},
    "workflows": _SPECIMEN | {"micrograph", "simulation", "data", "tasks"},
    "tem_simulator": _SPECIMEN | {"simulation"},
}
# ... and inside functions only:
MAY_IMPORT_LAZILY = {"ops": {"kernels_triton"}, "modules": {"presets"}}
EVERYTHING = {"", "__main__", "cli"}  # "" is difftem/__init__.py

# Third-party packages at the top of a file: CORE for all, more for these; inside functions: any.
CORE = {"torch", "numpy"}
THIRD_PARTY = {
    "presets": {"yaml"},
    "metrics": {"torchmetrics"},
    "losses": {"torchmetrics"},
    "io": {"gemmi", "mrcfile", "tifffile", "yaml"},
    "micrograph": {"kornia"},
    "scene": {"scipy"},
    "simulation": {"matplotlib", "psutil", "tqdm"},
    "data": {"kornia", "lightning"},
    "workflows": {"matplotlib", "psutil", "tqdm", "yaml"},
    "tem_simulator": {"matplotlib", "mrcfile", "psutil", "tqdm"},
    "tasks": {"lightning", "torchmetrics"},
    "callbacks": {"lightning"},
}


class Import(NamedTuple):
    """One imported module: who imports it, where, and whether inside a function."""

    importer: str
    line: int
    target: str
    lazy: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    module_name(path): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def nodes(tree: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(tree):
        yield child, lazy
        inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from nodes(child, inside)


def imports(source: str, importer: str, is_package: bool) -> Iterator[Import]:
    for node, lazy in nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, node.lineno, alias.name, lazy)
        elif isinstance(node, ast.ImportFrom):
            parents = importer.split(".")
            parents = parents[: len(parents) + is_package - node.level] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                yield Import(importer, node.lineno, submodule if submodule in FILES else base, lazy)


def imports_of(name: str) -> list[Import]:
    path = FILES[name]
    return list(imports(path.read_text(encoding="utf-8"), name, path.name == "__init__.py"))


IMPORTS = [found for name in FILES for found in imports_of(name)]


def layer(name: str) -> str:
    """Return the package below difftem, "" for difftem itself, or the other top-level package."""
    first, *rest = name.split(".")
    return (rest[0] if rest else "") if first == "difftem" else first


def is_first_party(name: str) -> bool:
    return name.split(".")[0] in PACKAGES


def is_allowed(found: Import) -> bool:
    """Tell whether the table allows a first-party import."""
    source, target = layer(found.importer), layer(found.target)
    if source in EVERYTHING or target in {source, ""}:
        return True
    allowed = GROUND | MAY_IMPORT.get(source, set())
    if found.lazy:
        allowed |= MAY_IMPORT_LAZILY.get(source, set())
    inside = found.target.removeprefix("difftem.")
    return target in allowed or any(inside == a or inside.startswith(f"{a}.") for a in allowed)


def report(violations: list) -> str:
    return "\n".join(map(str, violations))


def test_every_layer_is_in_the_table():
    unknown = {layer(name) for name in FILES} - MAY_IMPORT.keys() - EVERYTHING - {"kernels_triton"}
    assert not unknown


def test_imports_point_down():
    violations = [
        found
        for found in IMPORTS
        if is_first_party(found.target)
        and layer(found.importer) != "kernels_triton"
        and not is_allowed(found)
    ]
    assert not violations, report(violations)


def test_kernels_know_torch_and_triton_only():
    allowed = {"torch", "triton", "kernels_triton"} | sys.stdlib_module_names
    violations = [
        found
        for found in IMPORTS
        if layer(found.importer) == "kernels_triton" and found.target.split(".")[0] not in allowed
    ]
    assert not violations, report(violations)


def test_third_party_packages_stay_in_their_layer():
    violations = [
        found
        for found in IMPORTS
        if not found.lazy
        and not is_first_party(found.target)
        and (package := found.target.split(".")[0]) not in CORE | sys.stdlib_module_names
        and layer(found.importer) not in EVERYTHING | {"kernels_triton"}
        and package not in THIRD_PARTY.get(layer(found.importer), set())
    ]
    assert not violations, report(violations)


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {name: {found.target for found in imports_of(name)} & FILES.keys() for name in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_no_import_is_for_type_checking_only():
    violations = [
        f"{name}:{node.lineno}"
        for name, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name) and node.id == "TYPE_CHECKING")
        or (isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING")
    ]
    assert not violations, report(violations)


def test_a_class_name_is_used_once():
    places: dict[str, list[str]] = {}
    for name, path in FILES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(f"{name}:{node.lineno}")
    violations = [f"{name}: {', '.join(each)}" for name, each in places.items() if len(each) > 1]
    assert not violations, report(violations)


def test_files_are_short():
    violations = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for folder in (*PACKAGES, "tests", "experiments")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    ]
    assert not violations, report(violations)


def test_no_file_has_a_vague_name():
    violations = [path.relative_to(ROOT) for path in FILES.values() if path.name in VAGUE_NAMES]
    assert not violations, report(violations)


@pytest.mark.parametrize(
    ("importer", "line", "allowed"),
    [
        ("difftem.functional.lens", "from difftem.units import mm_to_angstrom", True),
        ("difftem.functional.lens", "from difftem.modules.lens import Lens", False),
        ("difftem.functional.lens", "from ..modules import lens", False),
        ("difftem.functional.lens", "from . import grid", True),
        ("difftem.ops.multislice", "def f():\n    import kernels_triton.multislice", True),
        ("difftem.ops.multislice", "import kernels_triton.multislice", False),
        ("difftem.modules.lens", "def f():\n    import kernels_triton.complex", False),
        ("difftem.baselines.wiener", "from difftem.io.mrc import read", True),
        ("difftem.baselines.wiener", "import difftem.data.flat_field", False),
        ("difftem.tasks.denoise", "import difftem.data.crops", False),
        ("difftem.data.crops", "import difftem.tasks.denoise", False),
        ("difftem.cli.main", "import difftem.tasks.denoise", True),
    ],
)
def test_the_table_is_read_as_written(importer, line, allowed):
    (found,) = imports(line, importer, is_package=False)
    assert is_allowed(found) is allowed
