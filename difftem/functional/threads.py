"""Portions of work in threads of one core each.

PyTorch splits every single operation among its threads, and they wait for each other after each
one: many small operations lose time there, and far more on a machine that has other things to do.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result], items: Sequence[Item], device: torch.device
) -> Iterator[Result]:
    """Results of a function for all items, in their order, computed side by side without gradients.

    There are as many threads as PyTorch has, and no more than two results for each are waiting.
    Until the last one PyTorch uses one core in the calling thread, too. One after the other with
    gradients, on another device than the CPU, or where there is one thread.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.threads import ordered_map
    >>> list(ordered_map(lambda n: n**2, [1, 2, 3], torch.device("cpu")))
    [1, 4, 9]
    """
    before = torch.get_num_threads()
    n = min(before, len(items))
    if n < 2 or torch.is_grad_enabled() or device.type != "cpu":
        yield from map(function, items)
        return
    torch.set_num_threads(1)  # new threads take it over
    try:
        with ThreadPoolExecutor(n) as pool:
            running: deque[Future[Result]] = deque()
            for item in items:
                running.append(pool.submit(_without_gradients, function, item))
                if len(running) >= 2 * n:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
    finally:
        torch.set_num_threads(before)


def _without_gradients(function: Callable[[Item], Result], item: Item) -> Result:
    """Call a function; a new thread records gradients unless it is told not to."""
    with torch.no_grad():
        return function(item)
