"""Scripts and examples run in the tests' own process: what they set is put back."""

import logging

import pytest
import torch


@pytest.fixture(autouse=True)
def unchanged():
    """Put back what a script may set for its whole process."""
    from matplotlib import pyplot

    threads, gradients, dtype = (
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
    )
    logger = logging.getLogger("difftem")
    level, handlers = logger.level, logger.handlers.copy()
    torch.set_num_threads(1)  # little work: on a busy machine more threads wait for one another
    yield
    pyplot.close("all")
    torch.set_num_threads(threads)
    torch.set_grad_enabled(gradients)
    torch.set_default_dtype(dtype)
    logger.setLevel(level)
    logger.handlers[:] = handlers
