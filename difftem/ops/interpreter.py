"""Triton's interpreter has one state for the whole process."""

import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor

_INTERPRETER = threading.Lock()


def launch(tensor: Tensor) -> AbstractContextManager[Any]:
    """Admit one launch at a time to the interpreter, any number to a GPU.

    For kernels that several threads launch: particles are projected side by side.

    Parameters
    ----------
    tensor : Tensor
        That the kernel reads.

    Returns
    -------
    context manager
        Around the launch.
    """
    return nullcontext() if tensor.is_cuda else _INTERPRETER
