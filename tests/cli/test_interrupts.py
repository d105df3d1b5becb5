"""A signal ends a run even where Python would drop it."""

import os
import signal
import sys
import time

import pytest

from difftem.cli.interrupts import interruptible


class Ending:
    """Gets a signal while it is cleaned up, whose exception Python drops."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        os.kill(os.getpid(), self.number)
        for _ in range(1000):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill would end the process")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_while_an_object_is_cleaned_up_is_not_lost(number):
    before = signal.getsignal(signal.SIGTERM), sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), interruptible():
        ending = Ending(number)
        del ending
        time.sleep(20)
        pytest.fail("the run went on")
    assert sys.unraisablehook == before[1]
    signal.signal(signal.SIGTERM, before[0])
