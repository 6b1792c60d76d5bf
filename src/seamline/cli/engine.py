"""The options of commands that can run on many machines: what was typed in, a crew out."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from seamline.errors import WrongUsage

if TYPE_CHECKING:
    from seamline.scale.ray_cluster import Crew


class Engine(StrEnum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


EngineOption = Annotated[
    Engine, typer.Option(help="Processes of this machine, or workers of a Ray cluster.")
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT|auto",
        help="With --engine ray: the cluster to join. Without it one is started on this machine.",
    ),
]
GpusOption = Annotated[
    float,
    typer.Option(
        "--num-gpus", min=0, help="With --engine ray: the share of a GPU that each worker takes."
    ),
]


def crew_of(engine: Engine, address: str | None, gpus: float, jobs: int | None) -> Crew | None:
    """Gives the crew for a cluster, or None for this machine's own processes."""
    if engine is Engine.LOCAL:
        for option, given in (("--address", address is not None), ("--num-gpus", gpus > 0)):
            if given:
                raise WrongUsage(f"{option} belongs to --engine ray; add that, or leave it out.")
        return None
    from seamline.scale.ray_cluster import Crew

    return Crew(jobs, address, gpus)
