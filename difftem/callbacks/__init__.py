"""Lightning callbacks: what a run writes beside its metrics."""

from difftem.callbacks.log_config import LogConfig
from difftem.callbacks.log_report import LogReport

__all__ = ["LogConfig", "LogReport"]
