"""What can be wrong with a cluster is said at once, before Ray is even imported."""

from __future__ import annotations

import importlib.util
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from seamline.cli.main import app
from seamline.errors import SeamlineError, WrongUsage
from seamline.scale.ray_cluster import Crew, _count_workers, cluster


def join(address: str) -> None:
    with cluster(Crew(address=address)):
        raise AssertionError("there is no such cluster")


@contextmanager
def server(answer: bytes) -> Iterator[str]:
    """Listens, answers one caller, and closes the line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(1024)
                line.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=10)


def test_an_address_where_nothing_listens_is_named_in_seconds():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(SeamlineError, match=rf"No Ray cluster answers at 127\.0\.0\.1:{port}: "):
        join(f"127.0.0.1:{port}")
    assert time.monotonic() - start < 10


def test_another_kind_of_server_is_not_taken_for_a_cluster():
    with server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        with pytest.raises(SeamlineError, match=r"Something answers at .* but it is no Ray head"):
            join(address)


@pytest.mark.parametrize("address", ["ray://10.0.0.1:10001", "10.0.0.1", "head:"])
def test_an_address_of_another_form_is_refused_with_the_right_one(address):
    with pytest.raises(WrongUsage, match=r"host:port, such as 10\.0\.0\.5:6379, or auto"):
        join(address)


def test_without_ray_the_way_to_install_it_is_told(monkeypatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "ray" else find(name, *a)
    )
    (tmp_path / "a.mp4").touch()
    done = CliRunner().invoke(app, ["scan", str(tmp_path), "--engine", "ray"])
    assert done.exit_code == 2
    assert "Run `pip install 'seamline[scale]'`" in done.stderr


@pytest.mark.parametrize("options", [["--address", "auto"], ["--num-gpus", "0.5"]])
def test_options_of_a_cluster_without_the_engine_are_refused(options, tmp_path):
    (tmp_path / "a.mp4").touch()
    done = CliRunner().invoke(app, ["scan", str(tmp_path), *options])
    assert done.exit_code == 2
    assert f"{options[0]} belongs to --engine ray" in done.stderr


def test_workers_are_counted_by_cores_and_by_shares_of_gpus():
    machine = {"CPU": 16.0, "GPU": 2.0}
    assert _count_workers(Crew(), machine) == 16
    assert _count_workers(Crew(workers=3), machine) == 3
    assert _count_workers(Crew(gpus_each=0.25), machine) == 8
    with pytest.raises(WrongUsage, match=r"--jobs 17 asks for more workers than fit.*At most 16"):
        _count_workers(Crew(workers=17), machine)
    with pytest.raises(WrongUsage, match="No worker fits: the cluster has 4 cores and 0 GPUs"):
        _count_workers(Crew(gpus_each=1), {"CPU": 4.0})
