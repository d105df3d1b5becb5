"""Templates kept on disk under the hash of what they were made of."""

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from difftem.atoms import Atoms
from difftem.io.files import replacing
from difftem.scene.templates.template import Template

logger = logging.getLogger(__name__)

# Of the renderer: a change of numbers makes new files.
VERSION = 2
_BAD_FILE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, TypeError)


def cache_folder() -> Path:
    """Folder of the cache: ``$DIFFTEM_CACHE``, or ``difftem`` in the user's cache folder."""
    chosen = os.environ.get("DIFFTEM_CACHE")
    if chosen:
        return Path(chosen)
    parent = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(parent) / "difftem"


def content_key(atoms: Atoms | None, **options: object) -> str:
    """Hash of atoms and options.

    Parameters
    ----------
    atoms : Atoms or None
        Every number of them counts.
    **options
        Numbers, texts, lists: what JSON holds.

    Returns
    -------
    str
        Hexadecimal SHA-256.
    """
    digest = hashlib.sha256(f"difftem template {VERSION}\n".encode())
    digest.update(json.dumps(options, sort_keys=True).encode())
    if atoms is not None:
        for each in (atoms.positions, atoms.atomic_numbers, atoms.b_factors, atoms.occupancies):
            digest.update(f"{each.dtype} {tuple(each.shape)}".encode())
            digest.update(np.ascontiguousarray(each.detach().numpy()).tobytes())
    return digest.hexdigest()


def cached_template(
    key: str,
    make: Callable[[], Template],
    folder: Path | None = None,
) -> Template:
    """Template from the cache, or made and kept there.

    Parameters
    ----------
    key : str
        From `content_key`.
    make : callable
        Makes the template.
    folder : Path, optional
        Of the cache. Default: `cache_folder`. One that cannot be written is not used.

    Returns
    -------
    Template
        The same numbers whether it was made or read.
    """
    folder = cache_folder() if folder is None else folder
    path = folder / f"{key}.npz"
    if path.exists():
        try:
            return _read(path, key)
        except _BAD_FILE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            logger.warning("%s: not this template (%s); it is made again", path, reason)
    template = make()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, key, template)
    except (OSError, ValueError) as error:  # a cache that cannot be written is no error
        logger.warning("template not kept: %s", error)
    return template


def _write(path: Path, key: str, template: Template) -> None:
    """Write a template so that a reader sees all of it or none."""
    facts = {
        "key": key,
        "voxel_size": template.voxel_size,
        "radius": template.radius,
        "center": template.center,
    }
    with replacing(path, overwrite=True) as temporary, temporary.open("wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), values=template.values.numpy())


def _read(path: Path, key: str) -> Template:
    """Read a template; the archive's checksums and the key in it must be right."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        facts = json.loads(str(archive["facts"]))
        values = torch.from_numpy(archive["values"])
    if facts["key"] != key:
        raise ValueError(f"it holds {facts['key'][:12]}")
    if values.ndim != 3 or values.dtype not in (torch.float32, torch.complex64):
        raise ValueError(f"it holds {values.dtype} of shape {tuple(values.shape)}")
    x, y, z = facts["center"]
    return Template(values, float(facts["voxel_size"]), float(facts["radius"]), (x, y, z))
