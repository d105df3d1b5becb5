"""Libraries that load beside a computation: that for plots takes as long as a small one."""

import importlib
import threading

PREVIEW = "difftem.simulation.preview"


def preload(module: str = PREVIEW) -> threading.Thread:
    """Import a module in a thread; whoever needs it later imports it as ever.

    Parameters
    ----------
    module : str
        Its full name.

    Returns
    -------
    threading.Thread
        Running.
    """
    # Not a daemon: ending one in the middle of a C++ library's import ends the process.
    thread = threading.Thread(target=importlib.import_module, args=(module,))
    thread.start()
    return thread
