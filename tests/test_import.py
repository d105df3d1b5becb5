"""What an import loads. Each case runs in a fresh interpreter."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = Path(importlib.util.find_spec("difftem").origin).parent  # beside the tests, or installed
CORE_PACKAGES = ("constants", "units", "atoms", "functional", "ops", "modules", "losses")
HEAVY = {"lightning", "pytorch_lightning", "triton", "matplotlib", "gemmi", "wandb", "kornia"}
OPTIONAL = HEAVY | {
    "abtem", "ase", "jsonargparse", "mrcfile", "psutil", "scipy", "torchmetrics", "tqdm", "yaml",
}  # fmt: skip

BLOCK = f"""
import importlib.abc, sys

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {OPTIONAL!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked by the test", name=name)

sys.meta_path.insert(0, Block())
"""


# What Python has on some systems only; a file that needs one imports it where it is used.
OF_POSIX = {"fcntl", "grp", "pwd", "resource", "syslog", "termios", "tty", "pty"}


def test_no_file_needs_posix_to_be_imported():
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not OF_POSIX & {str(name).split(".")[0] for name in names}, path


def core_modules() -> list[str]:
    paths = [
        path
        for name in CORE_PACKAGES
        for path in [PACKAGE / f"{name}.py", *sorted((PACKAGE / name).rglob("*.py"))]
        if path.exists()
    ]
    names = (".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths)
    return [name.removesuffix(".__init__") for name in names]


def run(code: str) -> str:
    """Run code in a fresh interpreter at the repository root and return what it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_difftem_loads_nothing_heavy():
    loaded = run("import sys, difftem; print(*{name.split('.')[0] for name in sys.modules})")
    assert not HEAVY & set(loaded.split())


def test_the_set_of_a_single_process_needs_no_lightning():
    assert run("import sys, difftem.cli.generate; print('lightning' in sys.modules)") == "False\n"


def test_the_core_needs_torch_and_numpy_only():
    run(f"{BLOCK}\nimport importlib\nfor name in {core_modules()}: importlib.import_module(name)")
