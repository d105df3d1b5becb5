"""Share the items of a set among processes.

Those of one machine are a pool: it hands an item to whoever is free, and a worker's exception to
this process as it was raised. Those that SLURM, torchrun or a user started are joined by
Lightning's Fabric, which knows their ranks: each makes its share of what the first finds missing.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import cache, partial
from logging.handlers import QueueHandler, QueueListener
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from difftem.simulation.run import slices_bar
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.set_writer import SetWriter

LONGEST = timedelta(days=365)  # that one process may wait for another


def join_others(config: GenerateConfig) -> Any:
    """Join the processes that a cluster, or a user with NODE_RANK, started beside this one.

    Parameters
    ----------
    config : GenerateConfig
        How many there are.

    Returns
    -------
    lightning.fabric.Fabric or None
        Launched; None if there are no others.

    Raises
    ------
    ValueError
        If the cluster started another number.
    """
    cluster = {"SLURM_NTASKS", "TORCHELASTIC_RUN_ID"} & os.environ.keys()
    if config.num_nodes == 1 and (config.devices == 1 or not cluster):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lightning.fabric import Fabric  # takes seconds
        from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
        from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
        from lightning.fabric.strategies.ddp import DDPStrategy

        logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
        started = SLURMEnvironment.detect() or TorchElasticEnvironment.detect()
        others = Fabric(
            accelerator="cpu",  # a GPU has nothing to say to another
            devices=config.devices if started else 1,  # which then has a pool
            num_nodes=config.num_nodes,
            strategy=DDPStrategy(process_group_backend="gloo", timeout=LONGEST),
        )
        others.launch()
    return others


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
        From `join_others`.

    Raises
    ------
    ValueError, OSError, MemoryError
        As raised in any process of this machine; the others are ended.
    ChildProcessError
        If one was killed.
    """
    rank, world, first = 0, 1, nullcontext()
    if others is not None:
        # Who looks later, or before an old set is removed, would deal differently.
        config, pending = others.broadcast((config, pending))
        rank, world, first = others.global_rank, others.world_size, others.rank_zero_first(True)
        _choose_gpu(config, others.local_rank)
    if pending:
        mine = pending[rank::world]
        processes = min(config.devices * config.num_nodes // world, len(mine))
        new_writer = partial(SetWriter, config, output)
        torch.set_num_threads(config.threads or 1)
        with first:  # fills the cache; bad input ends this process, and not one of a pool
            writer = new_writer()
        name = "micrographs" if world == 1 else f"micrographs of process {rank} of {world}"
        hidden = None if rank == 0 and len(pending) > 1 else True  # None: where is no terminal
        with tqdm(total=len(mine), desc=name, unit="", file=sys.stderr, disable=hidden) as bar:
            if processes > 1:
                del writer  # every worker has its own templates
                _run_pool(config, new_writer, mine, processes, bar.update)
            else:
                with slices_bar() if len(pending) == 1 else nullcontext() as progress:
                    for index in mine:
                        writer.make(index, progress)
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
    # CUDA wants processes from scratch; others share what was imported once.
    context = multiprocessing.get_context("spawn" if on_gpu else "forkserver")
    context.set_forkserver_preload([__name__, "difftem.simulation.preview"])
    numbers = context.SimpleQueue()
    for number in range(processes):
        numbers.put(number)
    workers, messages = [], context.Queue()
    listener = QueueListener(messages, _Forwarder())
    listener.start()
    begin = (config, new_writer, numbers, messages)
    with ProcessPoolExecutor(processes, context, _begin, begin) as pool:
        try:
            made = [pool.submit(_make, index) for index in items]
            workers = multiprocessing.active_children()
            for each in as_completed(made):
                each.result()
                advance()
        except BrokenProcessPool as error:
            pool.shutdown()  # ends the other workers by SIGTERM
            raise ChildProcessError(
                f"{_killed(workers)}, perhaps for want of memory; the same command makes what is "
                "missing, --devices with a smaller number takes less memory"
            ) from error
        finally:
            for worker in multiprocessing.active_children():
                worker.terminate()
            listener.stop()


class _Forwarder(logging.Handler):
    """Log what a worker logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it here."""
        logging.getLogger(record.name).handle(record)


def _killed(workers: list[BaseProcess]) -> str:
    """Name the first that did not end by SIGTERM."""
    for worker in workers:
        if worker.exitcode != -signal.SIGTERM:
            names = {-each: each.name for each in signal.Signals}
            how = names.get(worker.exitcode or 0, f"exit code {worker.exitcode}")
            return f"process {worker.pid} was ended by {how}"
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
    logger.propagate = False
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(config.threads or 1)
    _choose_gpu(config, numbers.get())


def _make(index: int) -> None:
    """Make one item."""
    _new_writer().make(index)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _choose_gpu(config: GenerateConfig, number: int) -> None:
    """Let "cuda" mean one of this machine's GPUs."""
    if config.accelerator == "cuda":
        torch.cuda.set_device(number % torch.cuda.device_count())
