import threading
import time

import pytest
import torch

from difftem.functional.threads import ordered_map

CPU = torch.device("cpu")


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_results_come_in_order_from_as_many_threads_as_pytorch_has():
    seen = set()

    def slow(i):
        seen.add((threading.get_ident(), torch.get_num_threads()))
        time.sleep(0.02 * (i % 3 == 0))
        return i * i

    with torch.no_grad():
        assert list(ordered_map(slow, range(20), CPU)) == [i * i for i in range(20)]
    assert len({thread for thread, _ in seen}) == 3
    assert {threads for _, threads in seen} == {1}  # each has one core
    assert threading.get_ident() not in {thread for thread, _ in seen}


@pytest.mark.usefixtures("three_threads")
def test_other_threads_keep_the_number_that_was_set():
    with torch.no_grad():
        list(ordered_map(lambda i: i, range(9), CPU))
    found = [torch.get_num_threads()]
    later = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert found == [3, 3]


@pytest.mark.usefixtures("three_threads")
def test_no_gradients_are_recorded_in_threads_and_with_gradients_there_are_none():
    a = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        assert not any(b.requires_grad for b in ordered_map(lambda i: i * a, range(4), CPU))
    total = sum(ordered_map(lambda i: (i * a).sum(), range(4), CPU))
    total.backward()
    assert a.grad.tolist() == [6, 6, 6]


@pytest.mark.usefixtures("three_threads")
def test_an_error_in_a_thread_is_raised_and_few_results_wait():
    started = []

    def fail(i):
        started.append(i)
        if i == 2:
            raise ValueError("no 2")
        return i

    with torch.no_grad():
        results = ordered_map(fail, range(100), CPU)
        assert next(results) == 0
        assert next(results) == 1
        with pytest.raises(ValueError, match="no 2"):
            next(results)
    assert len(started) < 12
