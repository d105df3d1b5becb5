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
pytestmark = pytest.mark.skipif(
    not (ROOT / "difftem").is_dir(), reason="the package is installed: its source is not beside"
)
MAX_LINES = 300
VAGUE_NAMES = {"utils.py", "helpers.py", "misc.py", "base.py"}

# Floors from the top, as CONTRIBUTING.md draws them; a room may use what is below its floor.
DRAWING = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("<!-- floors -->")[1]
FLOORS = [line.split() for line in DRAWING.split("```")[1].strip().splitlines()]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Less than the floors would allow, and what only functions may import:
NEVER = {
    "cli": {"functional", "modules", "ops"},
    "tasks": {"io", "micrograph", "scene", "simulation"},
    "callbacks": set(FLOOR),
    "kernels_triton": set(FLOOR),
    "losses": {"modules", "ops", "networks"},
    "networks": {"modules", "ops"},
    "baselines": {"modules", "scene", "simulation"},
    "metrics": {"modules", "ops"},
    "presets": set(FLOOR),
}
LAZILY = {("ops", "kernels_triton"), ("modules", "presets")}
EVERYTHING = {"", "__main__"}  # "" is difftem/__init__.py
# Of lines. The package had 30 040 before readers gave accounts, truth files were whole, the DQE was
# estimated and input was guarded, 40 900 before denoising (networks, baselines, training,
# structured ice), 55 700 before the comparison with other denoisers, 58 000 before nanoparticles
# and the analysis of their images, 63 000 before tomography; a subject that needs more says so.
MAX_SHARE, MAX_CLI, MAX_PACKAGE = 0.18, 3300, 78_000

# Third-party packages at the top of a file: CORE for all, more for these; inside functions: any.
CORE = {"torch", "numpy"}
THIRD_PARTY = {
    "cli": {"jsonargparse", "lightning", "tqdm", "yaml"},
    "presets": {"yaml"},
    "metrics": {"torchmetrics"},
    "losses": {"torchmetrics"},
    "io": {"gemmi", "mrcfile", "safetensors", "tifffile", "yaml"},
    "micrograph": {"kornia"},
    "scene": {"scipy"},
    "simulation": {"jsonargparse", "matplotlib", "psutil", "tqdm", "yaml"},
    "data": {"kornia", "lightning"},
    "workflows": {"filelock", "lightning", "matplotlib", "scipy", "tqdm", "yaml"},
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
    """Tell whether the drawing allows a first-party import."""
    source, target = layer(found.importer), layer(found.target)
    if source in EVERYTHING or target in {source, ""}:
        return True
    if (source, target) in LAZILY:
        return found.lazy
    if target == "kernels_triton":
        return False
    wing = target == "tem_simulator" and source != "cli"
    return FLOOR[source] < FLOOR[target] and target not in NEVER.get(source, set()) and not wing


def lines_of(room: str) -> int:
    """Count the lines of a room."""
    return sum(
        len(path.read_text(encoding="utf-8").splitlines())
        for name, path in FILES.items()
        if layer(name) == room
    )


def report(violations: list) -> str:
    return "\n".join(map(str, violations))


def test_every_room_is_drawn_once_and_is_there():
    drawn = [room for rooms in FLOORS for room in rooms]
    assert len(drawn) == len(set(drawn))
    assert {layer(name) for name in FILES} - EVERYTHING == set(drawn)


def test_no_room_is_too_large():
    rooms = {room: lines_of(room) for room in FLOOR}
    total = sum(len(path.read_text("utf-8").splitlines()) for path in FILES.values())
    assert total <= MAX_PACKAGE
    assert rooms["cli"] < MAX_CLI
    assert max(rooms.values()) <= MAX_SHARE * total, rooms


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
        ("difftem.tasks.denoise", "import difftem.data.crops", False),
        ("difftem.data.crops", "import difftem.tasks.denoise", False),
        ("difftem.workflows.denoise", "import difftem.tasks.denoise", True),
        ("difftem.workflows.denoise", "import difftem.tem_simulator.run", False),
        ("difftem.cli.main", "import difftem.tem_simulator.run", True),
        ("difftem.cli.main", "import difftem.modules.lens", False),
        ("difftem.scene.packing", "import difftem.simulation.config", False),
    ],
)
def test_the_drawing_is_read_as_drawn(importer, line, allowed):
    (found,) = imports(line, importer, is_package=False)
    assert is_allowed(found) is allowed
