"""The project's classes that a configuration of `difftem fit` can name."""

import importlib
import inspect
import pkgutil

from lightning.pytorch import LightningDataModule, LightningModule
from torch import nn

_PACKAGES = (
    "difftem.tasks",
    "difftem.data",
    "difftem.modules",
    "difftem.networks",
    "difftem.callbacks",
    "difftem.workflows.denoise",
)


def known_classes(*bases: type) -> dict[str, type]:
    """Find the project's classes of some kinds.

    Parameters
    ----------
    *bases : type
        Of which a class must be one.

    Returns
    -------
    dict of str to type
        By every path that a ``class_path`` can have.
    """
    found = {}
    for package in map(importlib.import_module, _PACKAGES):
        inside = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        for module in (package, *(importlib.import_module(each.name) for each in inside)):
            for name, value in inspect.getmembers(module, inspect.isclass):
                own = value.__module__.startswith(module.__name__)
                if own and issubclass(value, bases) and not inspect.isabstract(value):
                    found[f"{module.__name__}.{name}"] = value
    return found


def describe_classes() -> str:
    """List tasks, data modules and curves with what each is, one line a class, for ``--help``."""
    return "\n\n".join(
        f"{title}:\n\n" + "\n".join(f"  {line}" for line in _lines(base, package))
        for title, base, package in (
            ("Tasks (model.class_path)", LightningModule, "difftem.tasks"),
            ("Data modules (data.class_path)", LightningDataModule, "difftem.data"),
            ("Networks (model.init_args.network.class_path)", nn.Module, "difftem.networks"),
            ("MTF families (model.init_args.mtf.class_path)", nn.Module, "difftem.modules.mtf"),
        )
    )


def shortest_paths(base: type, package: str) -> dict[str, type]:
    """Classes of a kind that a package has, sorted, each by the shortest of its paths."""
    shortest: dict[type, str] = {}
    for path, kind in known_classes(base).items():
        if kind.__module__.startswith(package) and not kind.__name__.startswith("_"):
            shortest[kind] = min(shortest.get(kind, path), path, key=len)
    return {path: kind for kind, path in sorted(shortest.items(), key=lambda pair: pair[1])}


def _lines(base: type, package: str) -> list[str]:
    """Shortest path of each class of a package, and its docstring's first sentence below it."""
    lines = []
    for path, kind in shortest_paths(base, package).items():
        first = " ".join(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].split())
        lines += [path, f"    {first}"]
    return lines
