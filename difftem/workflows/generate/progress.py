"""A progress bar of the set: it counts the items that appear in the folder, whoever makes them."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from difftem.workflows.generate.item import is_finished

INTERVAL = 0.5  # s


@contextmanager
def micrographs_bar(output: Path, pending: list[int], interval: float = INTERVAL) -> Iterator[tqdm]:
    """Show on a terminal how many items are there, until the context ends.

    Parameters
    ----------
    output : Path
        Folder of the set.
    pending : list of int
        Items that are going to be made; nothing is shown if there are none.
    interval : float
        Between two looks, in s.

    Yields
    ------
    tqdm
        The bar.
    """
    # Hidden where standard error is no terminal; a bar of nothing would end at once.
    bar = tqdm(
        total=len(pending),
        desc="micrographs",
        unit="",
        file=sys.stderr,
        disable=None if pending else True,
    )
    ended = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(bar, output, list(pending), ended, interval), daemon=True
    )
    watcher.start()
    try:
        yield bar
    finally:
        ended.set()
        watcher.join()
        bar.close()


def _watch(
    bar: tqdm, output: Path, missing: list[int], ended: threading.Event, interval: float
) -> None:
    """Advance the bar by the items that have appeared; look once more at the end."""
    last = False
    while missing and not bar.disable and not last:
        last = ended.wait(interval)
        still = [index for index in missing if not is_finished(output, index)]
        bar.update(len(missing) - len(still))
        missing = still
