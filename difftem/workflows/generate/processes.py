"""Share the items of a set among processes.

Those of one machine are a pool: it hands an item to whoever is free, and a worker's exception to
this process as it was raised. Between processes that a cluster started, each of which makes its
share of what the first finds missing, Lightning's Fabric carries that list and the end.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import cache, partial
from logging.handlers import QueueHandler, QueueListener
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from difftem.simulation.freed_memory import keep_freed_memory
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.set_writer import SetWriter


def make_items(config: GenerateConfig, output: Path, pending: list[int], others: Any) -> None:
    """Make items; when this returns, those of all processes are there, or one was killed.

    Parameters
    ----------
    config : GenerateConfig
        What to make; that of the first process counts.
    output : Path
        Folder of the set.
    pending : list of int
        What is missing; that of the first process counts.
    others : lightning.fabric.Fabric or None
        From `join_cluster`.

    Raises
    ------
    ValueError, OSError, MemoryError
        As raised in any process of this machine; the others are ended.
    ChildProcessError
        If one was killed, or the first has ended.
    """
    # Bad input ends this process and not a worker, and the others find templates in the cache.
    together = min(config.devices, len(pending))
    writer = SetWriter(config, output, together) if pending else None
    rank, world = 0, 1
    if others is not None:
        try:  # who looks later, or before an old set is removed, would deal differently
            config, pending = others.broadcast((config, pending))
        except RuntimeError:
            raise ChildProcessError("the first process has ended") from None
        rank, world = others.global_rank, others.world_size
        _choose_gpu(config, others.local_rank)
    if pending:
        mine = pending[rank::world]
        processes = min(config.devices * config.num_nodes // world, len(mine))
        new_writer = partial(SetWriter, config, output, 0)
        writer = writer or new_writer()
        name = "micrographs" if world == 1 else f"micrographs of process {rank} of {world}"
        hidden = None if rank == 0 and len(pending) > 1 else True  # None: where is no terminal
        with tqdm(total=len(mine), desc=name, unit="", file=sys.stderr, disable=hidden) as bar:
            if processes > 1:
                del writer  # every worker has its own templates
                _run_pool(config, new_writer, mine, processes, bar.update)
            else:
                for index in mine:
                    writer.make(index, show_slices=len(pending) == 1)
                    bar.update()
    if others is not None:
        with suppress(RuntimeError):  # that one is gone shows in what is missing
            others.barrier()


def _run_pool(
    config: GenerateConfig,
    new_writer: Callable[[], SetWriter],
    items: list[int],
    processes: int,
    advance: Callable[[], object],
) -> None:
    """Make items in processes of this machine."""
    on_gpu = config.accelerator == "cuda"
    if on_gpu and processes > torch.cuda.device_count():
        raise ValueError(f"devices: {processes} wanted, {torch.cuda.device_count()} GPUs are here")
    context: Any = multiprocessing.get_context(_start_method(on_gpu))
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload([__name__, "difftem.simulation.preview"])
    numbers = context.SimpleQueue()
    for number in range(processes):
        numbers.put(number)
    others = set(multiprocessing.active_children())  # of the caller
    workers, messages = [], context.Queue()
    listener = QueueListener(messages, _Forwarder())
    listener.start()
    begin = (config, new_writer, numbers, messages)
    with ProcessPoolExecutor(processes, context, _begin, begin) as pool:
        try:
            with ThreadPoolExecutor(1) as starter:
                made = starter.submit(_start, pool, items).result()
            workers = _new_children(others)
            for each in as_completed(made):
                each.result()
                advance()
        except BrokenProcessPool as error:
            pool.shutdown()  # ends the other workers by SIGTERM
            raise ChildProcessError(
                f"{_killed(workers)}; the same command makes what is missing"
            ) from error
        finally:
            for worker in _new_children(others):
                worker.terminate()
            listener.stop()


class _Forwarder(logging.Handler):
    """Log what a worker logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it here."""
        logging.getLogger(record.name).handle(record)


def _start(pool: ProcessPoolExecutor, items: list[int]) -> list[Future[None]]:
    """Start the workers, in a thread: Ctrl-C would leave one that was half started."""
    # Workers inherit it: Ctrl-C is for this process, which then ends them.
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return [pool.submit(_make, index) for index in items]


def _start_method(on_gpu: bool) -> str:
    """Choose how processes begin: on CPUs they share what was imported once, except on Windows."""
    can_share = "forkserver" in multiprocessing.get_all_start_methods()
    return "forkserver" if can_share and not on_gpu else "spawn"


def _new_children(others: set[BaseProcess]) -> list[BaseProcess]:
    """List the processes that are not others'."""
    return [each for each in multiprocessing.active_children() if each not in others]


def _killed(workers: list[BaseProcess]) -> str:
    """Name the first that did not end by SIGTERM."""
    for worker in workers:
        if worker.exitcode != -signal.SIGTERM:
            names = {-each: each.name for each in signal.Signals}
            how = names.get(worker.exitcode or 0, f"exit code {worker.exitcode}")
            advice = {
                "SIGKILL": ", perhaps for want of memory: fewer devices take less",
                "exit code 1": ' (a script needs `if __name__ == "__main__":` around the call)',
            }
            return f"process {worker.pid} was ended by {how}{advice.get(how, '')}"
    return "a process was ended"


_new_writer: Callable[[], SetWriter]  # of a worker; makes one, and then returns it


def _begin(
    config: GenerateConfig,
    new_writer: Callable[[], SetWriter],
    numbers: SimpleQueue[int],
    messages: Any,
) -> None:
    """Become a worker; templates come later, as an exception in here would not be heard of."""
    global _new_writer
    _new_writer = cache(new_writer)
    logger = logging.getLogger("difftem")
    logger.addHandler(QueueHandler(messages))
    logger.setLevel(logging.INFO)
    keep_freed_memory()
    parent = multiprocessing.parent_process()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _choose_gpu(config, numbers.get())


def _make(index: int) -> None:
    """Make one item."""
    _new_writer().make(index)


def _end_with(parent: Any) -> None:
    """End this process when the one that started it is gone, even by SIGKILL."""
    parent.join()
    os._exit(1)


def _choose_gpu(config: GenerateConfig, number: int) -> None:
    """Let "cuda" mean one of this machine's GPUs."""
    if config.accelerator == "cuda":
        torch.cuda.set_device(number % torch.cuda.device_count())
