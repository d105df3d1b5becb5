"""Banks on disk: one file per item, resumable, of one recipe."""

import json
import logging
import os
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from difftem.io.errors import InputError, input_error
from difftem.io.files import read_bytes, replacing
from difftem.simulation.bank.config import HELD_OUT, KINDS, BankConfig
from difftem.simulation.bank.item import BankItem, make_item

logger = logging.getLogger(__name__)

RECORD = "bank.json"
_HEAD = 4000  # bytes of a structure file that name its entry
_BAD_FILE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)

# Wraps the numbers of the items that are to be made: a progress bar.
BankProgress = Callable[[Iterable[int], int], Iterable[int]]


class Bank:
    """Clean micrographs in a folder.

    Parameters
    ----------
    folder : str or Path
        That `make_bank` filled.
    config : BankConfig
        Its recipe.
    """

    def __init__(self, folder: str | Path, config: BankConfig) -> None:
        self.folder, self.config = Path(folder), config

    def __len__(self) -> int:
        return self.config.n_items

    def path(self, index: int) -> Path:
        """File of an item."""
        return self.folder / f"item_{index:06d}.npz"

    def read(self, index: int) -> BankItem:
        """Read an item.

        Parameters
        ----------
        index : int
            Its number.

        Returns
        -------
        BankItem
            Contrast in float16 as it is stored.

        Raises
        ------
        InputError
            If the file is missing, cut short or of another recipe.
        """
        path = self.path(index)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                facts = json.loads(str(archive["facts"]))
                contrast = torch.from_numpy(archive["contrast"])
        except _BAD_FILE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise input_error(path, f"is no item of a bank: {reason}") from error
        size = self.config.size
        if facts.get("recipe") != self.config.key() or facts.get("index") != index:
            raise input_error(path, "is of another recipe or number; remove it")
        if contrast.dtype != torch.float16 or contrast.shape != (size, size):
            raise input_error(path, f"holds {contrast.dtype} of shape {tuple(contrast.shape)}")
        return BankItem(contrast, facts)

    def is_there(self, index: int) -> bool:
        """Whether an item is there and whole."""
        if not self.path(index).exists():
            return False
        try:
            self.read(index)
        except InputError as error:
            logger.warning("%s; it is made again", error)
            return False
        return True

    def write(self, index: int, item: BankItem) -> None:
        """Write an item so that a reader sees all of it or none."""
        facts = {**item.facts, "index": index, "recipe": self.config.key()}
        values: Tensor = item.contrast.half()
        with replacing(self.path(index), overwrite=True) as temporary:
            with temporary.open("wb") as file:
                np.savez(file, facts=np.array(json.dumps(facts)), contrast=values.numpy())

    def training(self) -> list[int]:
        """Numbers of the items for training."""
        return [i for i in range(len(self)) if not self.config.is_validation(i)]

    def validation(self) -> list[int]:
        """Numbers of the items for validation."""
        return [i for i in range(len(self)) if self.config.is_validation(i)]


def make_bank(
    folder: str | Path,
    config: BankConfig,
    progress: BankProgress | None = None,
) -> Bank:
    """Make the items of a bank that are not there yet.

    Every item is decided by the recipe and its number alone, so that the work may be stopped and
    taken up again, and several processes may share it: each begins at another item, and looks
    before it makes one.

    Parameters
    ----------
    folder : str or Path
        Is made if it is not there.
    config : BankConfig
        The recipe.
    progress : callable, optional
        Wraps the numbers of the missing items, given with how many they are.

    Returns
    -------
    Bank
        Complete.

    Raises
    ------
    InputError
        If the folder holds other files, or a bank of another recipe.
    """
    folder = Path(folder)
    check_structures(config)
    claim_folder(folder, config)
    bank = Bank(folder, config)
    missing = [i for i in range(config.n_items) if not bank.is_there(i)]
    # Others may be at work: each process begins somewhere else.
    start = (os.getpid() * 7919) % len(missing) if missing else 0
    missing = missing[start:] + missing[:start]
    broken = {i for i in missing if bank.path(i).exists()}
    for index in progress(missing, len(missing)) if progress is not None else missing:
        if index in broken or not bank.path(index).exists():
            bank.write(index, make_item(config, index))
    return bank


def check_structures(config: BankConfig) -> None:
    """Refuse structure files that are missing, or are of what is held out under another name."""
    for path in config.structures:
        head = read_bytes(path)[:_HEAD].lower()
        for name in HELD_OUT:
            if name.encode() in head:
                raise input_error(
                    path, f"is {name.upper()}, on which results are shown: no bank may hold it"
                )


def claim_folder(folder: Path, config: BankConfig) -> None:
    """Write the recipe into a new folder, or compare it with what is there."""
    record = folder / RECORD
    if folder.exists() and not folder.is_dir():
        raise input_error(folder, "is a file, a bank needs a folder")
    if not record.exists():
        if folder.exists() and any(not each.name.startswith(".") for each in folder.iterdir()):
            raise input_error(folder, f"holds files but no {RECORD}: it is no bank")
        folder.mkdir(parents=True, exist_ok=True)
        text = {"key": config.key(), "recipe": config.recipe(), "kinds": KINDS}
        with replacing(record, overwrite=True) as temporary:
            temporary.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
        return
    try:
        found = json.loads(record.read_text("utf-8"))
        theirs: dict[str, Any] = dict(found["recipe"])
        key = found["key"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise input_error(record, f"is no record of a bank: {error}") from error
    if key != config.key():
        ours = config.recipe()
        names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
        raise input_error(
            folder,
            f"holds a bank of another recipe (its {', '.join(names)} differ); name another folder",
        )
