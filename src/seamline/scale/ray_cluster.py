"""A Ray cluster for one run: an address in (none: this machine alone), the number of workers out.

Ray starts quietly, sends nothing anywhere, and is left as it was found. What is missing, does not
answer or is too small is said in seconds instead of waited for.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from seamline.errors import SeamlineError, WrongUsage

ANSWER_SECONDS = 5.0
OBJECT_STORE_BYTES = 256 << 20  # verdicts are small; the default would take a third of the memory
# HTTP/2, which gRPC speaks: a client's preface with empty settings (RFC 9113, 3.4). Whatever
# listens must answer with settings of its own, a frame whose fourth byte is 4.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_FRAME_HEADER_BYTES, _SETTINGS_TYPE = 9, 4


@dataclass(frozen=True)
class Crew:
    """Which workers a run asks for."""

    workers: int | None = None
    """How many; None: as many as the cluster has cores (or GPUs to share out)."""
    address: str | None = None
    """A head node's host:port, "auto" for the cluster that this machine is in, None for neither."""
    gpus_each: float = 0.0
    """Share of a GPU that each worker takes; 0: workers are for the CPU."""

    @property
    def device(self) -> str:
        """Where a worker's model runs."""
        return "cuda" if self.gpus_each else "cpu"


def require_ray() -> None:
    """Refuses at the start if Ray Data is not installed."""
    if importlib.util.find_spec("ray") is None or importlib.util.find_spec("pyarrow") is None:
        raise WrongUsage(
            "--engine ray needs Ray, which is not installed. Run `pip install 'seamline[scale]'`, "
            "or leave --engine out: --jobs N uses the cores of this machine without it."
        )


@contextmanager
def cluster(crew: Crew) -> Iterator[int]:
    """Starts Ray here, or joins the cluster at an address; gives how many workers fit.

    A Ray that runs in this process already is used and left running.
    """
    require_ray()
    if crew.address is not None:
        _check_address(crew.address)
    _hush(is_local=crew.address is None)
    with warnings.catch_warnings():  # Ray warns about its own deprecated settings and its log files
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=ResourceWarning)
        import ray
        from ray.data import DataContext

        was_running = ray.is_initialized()
        if not was_running:
            with _closed_stderr():
                _start(crew)
        _silence_errors_of_tasks()
        try:
            DataContext.get_current().enable_progress_bars = False
            logging.getLogger("ray.data").setLevel(logging.CRITICAL)
            yield _count_workers(crew, ray.cluster_resources())
        finally:
            if not was_running:
                ray.shutdown()


def _start(crew: Crew) -> None:
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    try:
        if crew.address is not None:
            ray.init(address=crew.address, **quiet)
        else:
            cores = max(crew.workers or 1, os.cpu_count() or 1)
            ray.init(
                address="local",
                num_cpus=cores,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                **quiet,
            )
    except (ConnectionError, RuntimeError, ValueError, OSError, SystemExit) as error:
        if crew.address is None:
            raise SeamlineError(f"Ray does not start on this machine: {error}") from error
        raise SeamlineError(
            f"The Ray cluster at {crew.address} cannot be joined: {error}. This machine must be a "
            f"node of it (`ray start --address {crew.address}`) with the same versions of Ray and "
            "Python and, where the cluster asks for one, its RAY_AUTH_TOKEN; docs/scale.md tells "
            "how to start one."
        ) from error


def _hush(*, is_local: bool) -> None:
    """Sets what Ray reads from the environment, unless the caller chose otherwise."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    settings = {"RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    if is_local:  # Ray's name for "this machine only": it then listens on the loopback address
        settings["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        settings["RAY_worker_niceness"] = "0"  # 15 otherwise; --jobs does not step aside either
    for name, value in settings.items():
        os.environ.setdefault(name, value)


@contextmanager
def _closed_stderr() -> Iterator[None]:
    """Takes stderr away from Ray's C++ half, which tells there what its log level is."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _silence_errors_of_tasks() -> None:
    """Keeps Ray from printing to stdout, where verdicts go, that a task will be tried again."""
    import ray._private.worker

    with suppress(AttributeError):
        ray._private.worker._worker_logs_enabled = False


def _check_address(address: str) -> None:
    """Finds out in seconds what Ray itself finds out after two minutes."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if "//" in address or not colon or not port.isdigit():
        raise WrongUsage(
            f"--address is the head node's host:port, such as 10.0.0.5:6379, or auto; found "
            f"{address!r}. Ray Client addresses (ray://…) are not supported: run on a node of the "
            "cluster, or through `ray job submit`."
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS) as line:
            line.sendall(_PREFACE)
            answer = line.recv(_FRAME_HEADER_BYTES, socket.MSG_WAITALL)
    except OSError as error:
        raise SeamlineError(
            f"No Ray cluster answers at {address}: {error}. Is its head running (`ray start --head "
            "--port 6379`) and the port open to this machine?"
        ) from error
    if len(answer) < _FRAME_HEADER_BYTES or answer[3] != _SETTINGS_TYPE:
        raise SeamlineError(
            f"Something answers at {address}, but it is no Ray head. The port is the one given to "
            "`ray start --head --port`, 6379 by default, not the dashboard's."
        )


def _count_workers(crew: Crew, resources: dict[str, float]) -> int:
    cores, gpus = int(resources.get("CPU", 0)), resources.get("GPU", 0.0)
    fitting = min(cores, int(gpus / crew.gpus_each)) if crew.gpus_each else cores
    has = f"the cluster has {cores} cores" + (f" and {gpus:g} GPUs" if crew.gpus_each else "")
    if fitting < 1:
        raise WrongUsage(
            f"No worker fits: {has}, and each takes a core and {crew.gpus_each:g} GPU."
        )
    if crew.workers is not None and crew.workers > fitting:
        raise WrongUsage(
            f"--jobs {crew.workers} asks for more workers than fit: {has}, and each takes one core"
            + (f" and {crew.gpus_each:g} GPU" if crew.gpus_each else "")
            + f". At most {fitting}."
        )
    return crew.workers or fitting
