"""Run a producer over items: directly, or with Lightning's Trainer in one or more processes."""

import multiprocessing
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

import torch
from tqdm import tqdm

from difftem.simulation.memory import is_out_of_memory
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.producer import SceneProducer, quiet_lightning
from difftem.workflows.generate.progress import micrographs_bar

LONGEST = timedelta(days=365)  # that one process may wait for another
PATIENCE = 5.0  # s


def is_first_process(config: GenerateConfig) -> bool:
    """Whether this process looks after the folder; a cluster may have started others like it."""
    if config.devices * config.num_nodes == 1:
        return True
    from lightning.fabric.utilities.rank_zero import rank_zero_only

    rank: int = getattr(rank_zero_only, "rank", 0)
    return rank == 0 and os.environ.get("NODE_RANK", "0") == "0"


def default_threads(devices: int) -> int:
    """Threads of each process: what OMP_NUM_THREADS says, or its share of the cores."""
    threads = torch.get_num_threads()
    return threads if "OMP_NUM_THREADS" in os.environ else max(1, threads // devices)


def make_items(
    config: GenerateConfig, producer: SceneProducer, pending: list[int], threads: int
) -> None:
    """Make items.

    Parameters
    ----------
    config : GenerateConfig
        How many processes.
    producer : SceneProducer
        Makes one; prepared if only this process works.
    pending : list of int
        What to make; that of the first process counts.
    threads : int
        Of each process.

    Raises
    ------
    ValueError, OSError, MemoryError
        What went wrong in a process, in one line; the others are ended.
    """
    alone = config.devices * config.num_nodes == 1
    if alone and len(pending) == 1:
        with _threads(threads):
            producer.prepare(torch.device(config.accelerator))
            producer.make(pending[0], lambda s, n: tqdm(s, total=n, desc="slices", delay=1.0))
        return
    with _threads(threads), micrographs_bar(producer.output, pending):
        _predict(config, producer, pending, threads)


def _predict(
    config: GenerateConfig, producer: SceneProducer, pending: list[int], threads: int
) -> None:
    """Let a Trainer share the items among processes."""
    # Lightning takes seconds to import.
    from lightning.fabric.utilities.exceptions import MisconfigurationException
    from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

    from difftem.workflows.generate.pending import PendingItems
    from difftem.workflows.generate.task import Generate

    quiet_lightning()
    task, items = Generate(producer, threads), PendingItems(pending)
    try:
        _trainer(config, len(pending)).predict(task, datamodule=items, return_predictions=False)
    except SystemExit:  # what Lightning makes of Ctrl-C
        raise KeyboardInterrupt from None
    except ProcessRaisedException as error:
        raise _cause(str(error)) from error
    except ProcessExitedException as error:
        name = f" by {error.signal_name}" if error.signal_name else ""
        raise ChildProcessError(
            f"process {error.error_index} was ended{name}, perhaps for want of memory; the same "
            "command makes what is missing, --devices with a smaller number takes less memory"
        ) from error
    except MisconfigurationException as error:
        raise ValueError(" ".join(str(error).split())) from error
    finally:
        _end_processes()


def _end_processes() -> None:
    """End what Lightning left running: kindly, so that they tidy up, then by force."""
    processes = multiprocessing.active_children()
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


def _trainer(config: GenerateConfig, n_items: int) -> Any:
    """Trainer that neither logs nor saves."""
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning.pytorch import Trainer
    from lightning.pytorch.strategies import DDPStrategy

    devices = config.devices
    started = SLURMEnvironment.detect() or TorchElasticEnvironment.detect()
    if config.num_nodes == 1 and not started:
        devices = min(devices, n_items)
    ddp = None
    if devices * config.num_nodes > 1:
        # Lightning's other way, to run the command line again in each process, ends this one by
        # SIGKILL when another fails, and knows only the command line of the shell.
        ddp = DDPStrategy(
            start_method="popen" if started else _start_method(config),
            process_group_backend="gloo",
            timeout=LONGEST,
        )
    return Trainer(
        accelerator=config.accelerator,
        devices=devices,
        num_nodes=config.num_nodes,
        strategy=ddp or "auto",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,  # see `micrographs_bar`
        use_distributed_sampler=False,
        inference_mode=False,
    )


def _start_method(config: GenerateConfig) -> Literal["spawn", "forkserver"]:
    """How processes start: CUDA wants them from scratch, others share what was imported once."""
    if config.accelerator == "cuda":
        return "spawn"
    multiprocessing.set_forkserver_preload(
        ["__main__", "difftem.workflows.generate.producer", "difftem.workflows.generate.task"]
    )
    return "forkserver"


def _cause(text: str) -> Exception:
    """Exception of a process from its traceback: its kind, and its last line as message."""
    last = text.strip().splitlines()[-1]
    kind, _, message = last.partition(": ")
    name = kind.rsplit(".", 1)[-1]
    if os.environ.get("DIFFTEM_DEBUG") == "1" or not re.fullmatch(r"\w+(Error|Exception)", name):
        return RuntimeError(text)
    if name == "MemoryError" or is_out_of_memory(RuntimeError(last)):
        return MemoryError()
    if name in ("ValueError", "InputError"):
        return ValueError(message)
    if name in ("OSError", "PermissionError", "FileNotFoundError"):
        return OSError(message)
    return RuntimeError(text)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Let PyTorch use so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
