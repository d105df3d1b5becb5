"""Join the processes that SLURM, torchrun or a user started beside this one."""

import logging
import os
import warnings
from datetime import timedelta
from typing import Any

from difftem.workflows.generate.config import GenerateConfig

# What someone sets who starts the processes by hand.
STARTED = {"NODE_RANK", "GROUP_RANK", "MASTER_ADDR"}
LONGEST = timedelta(days=365)  # that one process may wait for another


def join_cluster(config: GenerateConfig) -> Any:
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
        If the cluster started another number, or nobody says that there are others.
    """
    cluster = {"SLURM_NTASKS", "TORCHELASTIC_RUN_ID"} & os.environ.keys()
    if config.num_nodes == 1 and (config.devices == 1 or not cluster):
        return None
    if not (cluster or STARTED & os.environ.keys()):
        raise ValueError(
            f"num_nodes: {config.num_nodes} machines are to be started together by SLURM, torchrun "
            "or with NODE_RANK and MASTER_ADDR on each; this process alone would wait for ever"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lightning.fabric import Fabric  # takes seconds
        from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
        from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
        from lightning.fabric.strategies.ddp import DDPStrategy

        for name in ("lightning.fabric", "lightning.pytorch"):
            logging.getLogger(name).setLevel(logging.ERROR)
        started = SLURMEnvironment.detect() or TorchElasticEnvironment.detect()
        others = Fabric(
            accelerator="cpu",  # a GPU has nothing to say to another
            devices=config.devices if started else 1,  # which then has a pool
            num_nodes=config.num_nodes,
            strategy=DDPStrategy(process_group_backend="gloo", timeout=LONGEST),
        )
        others.launch()
    return others
