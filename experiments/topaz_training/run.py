"""Train Topaz on simulated pairs: ``python -m experiments.topaz_training.run``.

Writes pairs of noisy images of the bank, lets Topaz train on them, and keeps what it has learnt.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
import yaml
from tqdm import tqdm

import difftem
from difftem.baselines.topaz_environment import VERSION, find_topaz
from difftem.data.simulated_pairs import SimulatedPairs
from difftem.io.mrc import write_mrc
from difftem.simulation.bank.config import BankConfig

HERE = Path(__file__).parent
# The bank and its noise are those that Noise2Noise's network is trained on.
CONFIG = HERE.parent / "noise2noise_training" / "fit.yaml"


def simulated_pairs(bank: str | None, electrons: tuple[float, float]) -> SimulatedPairs:
    """Make the data of `CONFIG`, in another folder or at other doses."""
    values: dict[str, Any] = yaml.safe_load(CONFIG.read_text("utf-8"))["data"]["init_args"]
    recipe = {k: tuple(v) if isinstance(v, list) else v for k, v in values.pop("bank").items()}
    values |= {"folder": bank or values["folder"], "electrons": electrons, "workers": 0}
    return SimulatedPairs(**{"bank": BankConfig(**recipe), **values})


def write_pairs(data: SimulatedPairs, number: int, size: int, folder: Path) -> int:
    """Write whitened pairs as a/0000.mrc and b/0000.mrc, cut from their middle.

    Items of training follow one another, and begin again with other noise.

    Returns
    -------
    int
        Pairs that were written.
    """
    items = data.items[0]
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
    for i in tqdm(range(number), desc="pairs", disable=None):
        epoch, index = divmod(i, len(items))
        item = items[epoch, index]
        start = (item["noisy"].shape[-1] - size) // 2
        window = slice(start, start + size)
        for name, key in (("a", "noisy"), ("b", "target")):
            image = item[key][0, window, window].numpy()
            write_mrc(folder / name / f"{i:04d}.mrc", image, float(item["pixel_size"]))
    return number


def train(folder: Path, arch: str, crop: int, batch: int, epochs: int, minutes: float) -> str:
    """Let Topaz train in a folder, and end it when its time is over.

    Returns
    -------
    str
        What it printed.
    """
    words = [
        "denoise", "-a", "a", "-b", "b", "--arch", arch, "--save-prefix", "model", "-o", "out",
        "--num-epochs", str(epochs), "-c", str(crop), "--batch-size", str(batch),
        "--num-workers", "0", "-j", "1", "-d", "-1",
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    log = folder / "topaz.log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [str(find_topaz()), *words], cwd=folder, env=environment, stdout=out, stderr=out
        )
        try:
            process.wait(60 * minutes)
        except subprocess.TimeoutExpired:
            print(f"{minutes:g} minutes are over: Topaz is ended")
        finally:
            process.terminate()
            process.wait()
    return log.read_text("utf-8")


def last_model(folder: Path, said: str) -> tuple[Path, int]:
    """Find the model of the last whole epoch, and its number.

    Raises
    ------
    ValueError
        If there is none: with the last line of what Topaz said.
    """
    epochs = {int(re.findall(r"\d+", p.stem)[-1]): p for p in folder.glob("model_epoch*.sav")}
    if not epochs:
        last = (said.strip() or "it said nothing").splitlines()[-1]
        raise ValueError(f"Topaz left no model in {folder}: {last}")
    # While it is written, a file is shorter than the others.
    largest = max(path.stat().st_size for path in epochs.values())
    best = max(n for n, path in epochs.items() if path.stat().st_size == largest)
    return epochs[best], best


def losses(said: str) -> list[tuple[int, float, float]]:
    """Read epoch, loss of training and of validation from what Topaz said."""
    rows = re.findall(r"(?:^|\s)(\d+) (\d\S*) (\d\S*)\s*$", said, re.MULTILINE)
    return [(int(epoch), float(a), float(b)) for epoch, a, b in rows]


def main() -> int:
    """Write pairs, train, keep the model and its account."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--bank", help="folder of the bank (default: that of noise2noise_training/fit.yaml)")
    add("--pairs", type=int, default=600, help="pairs that are written (default: 600)")
    add("--size", type=int, default=512, help="their side in pixels, 512 at most (default: 512)")
    add("--electrons", type=float, nargs=2, default=(1.0, 1000.0), help="per pixel, log-uniform")
    add("--crop", type=int, default=256, help="side of Topaz's crops in pixels (default: 256)")
    add("--batch", type=int, default=4, help="crops in a step (default: 4)")
    add("--arch", default="unet", help="unet, unet-small, ... (default: unet)")
    add("--epochs", type=int, default=100, help="crops of every pair (default: 100)")
    add("--minutes", type=float, default=30.0, help="of training at most (default: 30)")
    add("--output", type=Path, default=Path("runs/topaz_training"), help="folder, new")
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        find_topaz()
        if given.output.exists():
            raise ValueError(f"{given.output} exists: name another --output, or remove it")
        data = simulated_pairs(given.bank, tuple(given.electrons))
        if not given.crop <= given.size <= data.config.size:
            raise ValueError(
                f"--size must be at least --crop of {given.crop} and at most the bank's size of "
                f"{data.config.size} pixels, got {given.size}"
            )
        data.prepare_data()
        write_pairs(data, given.pairs, given.size, given.output)
        start = time.monotonic()
        said = train(given.output, given.arch, given.crop, given.batch, given.epochs, given.minutes)
        seconds = time.monotonic() - start
        found, epoch = last_model(given.output, said)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    model = given.output / "topaz.sav"
    shutil.copy(found, model)
    rows = [row for row in losses(said) if row[0] <= epoch]
    account = {
        "topaz": VERSION,
        "difftem": difftem.__version__,
        "training": {
            "seconds": round(seconds, 3),
            "epochs": epoch,
            "arch": given.arch,
            "pairs": given.pairs,
            "size": given.size,
            "crop": given.crop,
            "batch": given.batch,
            "electrons": list(given.electrons),
            "data_values": data.provenance,
        },
        "losses": [
            dict(zip(("epoch", "training", "validation"), row, strict=True)) for row in rows
        ],
    }
    model.with_suffix(".json").write_text(json.dumps(account, indent=1), "utf-8")
    print(
        f"wrote {model}: {epoch} epochs in {seconds:.0f} s, losses {rows[-1][1:] if rows else '?'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
