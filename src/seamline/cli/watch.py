"""`seamline watch`: a camera, a stream or a file at its own speed; a rolling verdict out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seamline.watch.watch import Moment


def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A camera's number or device, an address (rtsp, rtmp, http), a pipe (- is "
            "stdin), or a file, which is played at its own speed.",
            show_default=False,
        ),
    ],
    span: Annotated[
        float, typer.Option(min=2, max=600, metavar="SECONDS", help="What a verdict looks back on.")
    ] = 10.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a verdict and nothing else.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Stop after so long.")
    ] = None,
    reconnect: Annotated[
        int, typer.Option(min=0, help="Tries in a row to have a lost source back.")
    ] = 0,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Without news, a source is lost.")
    ] = 10.0,
    model: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="A shipped model, or a bundle's folder.")
    ] = "seamline-small",
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Genuine footage of somebody, whom the source is then judged against; repeatable.",
        ),
    ] = None,
    min_face_px: Annotated[
        float, typer.Option(min=12, help="Smallest face examined, in pixels of the full frame.")
    ] = 48.0,
) -> None:
    """Judge what is happening now, again every two seconds.

    Frames that come too quickly are dropped and counted. Ends with the source, or on Ctrl-C.

    Exit status: 0 ended or stopped, 1 the source cannot be had or was lost, 2 wrong usage.
    """
    import signal
    import threading
    from types import FrameType

    from seamline.faces.mtcnn import FaceDetector
    from seamline.watch.source import parse_source
    from seamline.watch.watch import read_live_references
    from seamline.watch.watch import watch as moments
    from seamline.zoo.bundle import Bundle
    from seamline.zoo.catalog import find_model

    stop = threading.Event()

    def halt(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    found = parse_source(source, timeout)
    bundle, finder = Bundle.load(find_model(model)), FaceDetector()
    known = read_live_references(reference or (), bundle, finder, min_face_px=min_face_px)
    printer = _Printer(as_json)
    before = [(s, signal.signal(s, halt)) for s in (signal.SIGINT, signal.SIGTERM)]
    try:
        for moment in moments(
            found,
            bundle,
            span_seconds=span,
            min_face_px=min_face_px,
            reconnect=reconnect,
            finder=finder,
            references=known,
            stop=stop,
        ):
            printer.show(moment)
            if seconds is not None and moment.stop_seconds >= seconds:
                break
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        printer.close()


class _Printer:
    """Shows moments: one line that is written over in a terminal, a line each elsewhere."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._is_terminal = sys.stdout.isatty()
        self._label: str | None = None
        self._last: Moment | None = None
        self._worst_lag_seconds = 0.0

    def show(self, moment: Moment) -> None:
        import json

        self._worst_lag_seconds = max(self._worst_lag_seconds, moment.lag_seconds)
        if self._as_json:
            print(json.dumps(moment.to_json(), allow_nan=False), flush=True)
        else:
            from seamline.cli.show_live import live_line

            line, changed = live_line(moment), moment.verdict.label != self._label
            if self._is_terminal:
                # A new label begins a new line, so that the changes stay readable.
                start = "\n" if changed and self._last is not None else "\r"
                print(f"{start}{line}\x1b[K", end="", flush=True)
            else:
                print(line, flush=True)
        self._label, self._last = moment.verdict.label, moment

    def close(self) -> None:
        if self._last is None:
            return
        if self._is_terminal and not self._as_json:
            print()
        seen, dropped = self._last.frames_examined, self._last.frames_dropped
        share = 100 * dropped / max(1, seen + dropped)
        print(
            f"{self._last.stop_seconds:.0f} s watched: {seen} frames examined, {dropped} dropped "
            f"({share:.1f} %), at most {self._worst_lag_seconds:.1f} s behind.",
            file=sys.stderr,
        )
