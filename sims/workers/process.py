"""The parent's side of a worker process.

A worker is a Python of its own with its own ngspice, started as `python -m tellegen.sims.workers.worker`
and spoken to over a socket pair; `multiprocessing`'s own start methods would run the user's main
module again. ngspice may crash or hang there: the parent sees the process die, or sees no sign of
progress in time, ends it, and raises :class:`~tellegen.sims.errors.SimulationError` with what
ngspice said last.

The worker lives in a session of its own, so that Ctrl-C reaches only the parent, and leaves when
the parent's end of the socket closes.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Pipe
from pathlib import Path
from types import FrameType
from typing import Any

from tellegen.sims.errors import Cause, SimulationError
from tellegen.sims.workers import vitals


class Worker:
    """A worker process that holds one object (an engine, say) or runs one job."""

    def __init__(self, library: Path | None = None, timeout: float = vitals.TIMEOUT) -> None:
        """Start the process; `library` is the ngspice that it is to use if not the one found."""
        self.timeout = timeout
        self._calls = 0
        self._started = False
        with tempfile.TemporaryFile() as words:
            words.truncate(vitals.SIZE)
            self._words = mmap.mmap(words.fileno(), vitals.SIZE)
            self._connection, theirs = Pipe()
            with theirs:
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-P", "-m", "tellegen.sims.workers.worker"),
                        *(str(theirs.fileno()), str(words.fileno()), str(timeout)),
                    ],
                    pass_fds=(theirs.fileno(), words.fileno()),
                    stdin=subprocess.DEVNULL,
                    env=_environment(library),
                    start_new_session=True,
                )

        self._speaking = select.poll()  # many times quicker than the connection's own
        self._speaking.register(self._connection.fileno(), select.POLLIN)

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def make(self, target: str, *arguments: Any, **named: Any) -> None:
        """Let the worker hold the object that `target` ("module:callable") returns."""
        self._ask("make", target, arguments, named)

    def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the object held."""
        return self._ask("call", method, arguments, named)

    def job(self, target: str, payload: Any, on_message: Callable[[Any], None]) -> Any:
        """Run `target` ("module:function") as `function(job, payload)` and return what it returns.

        Ctrl-C asks the job to stop and goes on receiving; a second one ends the worker.
        """
        with _first_interrupt(self.stop):
            return self._ask("job", target, (payload,), {}, on_message)

    def stop(self) -> None:
        """Ask the running job to stop; it decides when it can."""
        self._send(("stop",))

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _ask(
        self,
        kind: str,
        name: str,
        arguments: tuple[Any, ...],
        named: dict[str, Any],
        on_message: Callable[[Any], None] | None = None,
    ) -> Any:
        self._calls += 1
        self._send((kind, self._calls, name, arguments, named))
        while True:
            answer = self._receive()
            vitals.tick()  # this process may be a worker itself, and gets on as its own worker does
            match answer:
                case ("message", message) if on_message is not None:
                    on_message(message)
                case ("value", number, value) if number == self._calls:
                    return value
                case ("error", number, error) if number == self._calls:
                    raise error
                case _:  # a sign of life, or the answer to a call that was interrupted
                    pass

    def _send(self, message: tuple[Any, ...]) -> None:
        try:
            self._connection.send(message)
        except OSError:
            raise self._crashed() from None

    def _receive(self) -> tuple[Any, ...]:
        try:
            # Importing what a job needs is no work of ngspice's, and may take long on a busy machine.
            wait = self.timeout if self._started else max(self.timeout, vitals.TIMEOUT)
            if self._speaking.poll(1000 * wait):
                self._started = True
                answer: tuple[Any, ...] = self._connection.recv()
                return answer
        except (EOFError, OSError):
            raise self._crashed() from None
        self.close()
        raise SimulationError(Cause.HUNG, vitals.read(self._words))

    def _crashed(self) -> SimulationError:
        self.close()
        code = self._process.returncode
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        words = vitals.read(self._words)
        return SimulationError(Cause.CRASHED, f"{words}\n({how})" if words else f"({how})")


@contextmanager
def _first_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first Ctrl-C call `stop` and nothing else, wherever the parent is just then.

    The exception that Python raises by default could cut a file or a message in two. The second
    Ctrl-C raises it all the same. Only the main thread can be interrupted, and only it can say so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.getsignal(signal.SIGINT)

    def once(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGINT, usual)
        stop()

    signal.signal(signal.SIGINT, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _environment(library: Path | None) -> dict[str, str]:
    """The parent's environment, with its import path and one thread for numerics."""
    changes = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    if library is not None:
        changes["NGSPICE_LIBRARY_PATH"] = str(library)
    return {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", **os.environ, **changes}
