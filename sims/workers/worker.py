"""The worker process: `python -m tellegen.sims.workers.worker CONNECTION WORDS TIMEOUT`.

CONNECTION and WORDS are file descriptors. The worker does what the parent asks, one thing after the
other, and leaves when the parent's end of the connection closes: it notices that while it waits and
with every sign of life that it sends.
"""

from __future__ import annotations

import gc
import importlib
import mmap
import os
import pickle
import select
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

from tellegen.diagnostics import TellegenError
from tellegen.sims.workers import vitals


class _Parent:
    """The connection to the parent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting = select.poll()
        self._waiting.register(connection.fileno(), select.POLLIN)

    def send(self, *message: Any) -> None:
        try:
            self._connection.send(message)
        except OSError:
            os._exit(1)

    def receive(self) -> tuple[Any, ...]:
        try:
            message: tuple[Any, ...] = self._connection.recv()
        except (EOFError, OSError):
            os._exit(1)
        return message

    def has_spoken(self) -> bool:
        return bool(self._waiting.poll(0))


class Job:
    """What a job knows of its parent."""

    def __init__(self, parent: _Parent) -> None:
        self._parent = parent
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether the parent asked the job to come to an end."""
        if not self._stopping and self._parent.has_spoken():
            self._stopping = self._parent.receive() == ("stop",)
        return self._stopping

    def send(self, message: Any) -> None:
        """Send a message (progress, a checkpoint) to the parent."""
        vitals.work()
        self._parent.send("message", message)


def _resolve(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _portable(error: Exception) -> Exception:
    """The error if it can be sent, with its traceback unless it speaks for itself."""
    if not isinstance(error, TellegenError):
        error.add_note("in the worker process:\n" + traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))
    return error


def _serve(parent: _Parent) -> None:
    """Do what the parent asks, for ever."""
    held: Any = None
    while True:
        vitals.rest()
        request = parent.receive()
        if request == ("stop",):  # came after the end of its job
            continue
        vitals.work()
        kind, number, name, arguments, named = request
        try:
            if kind == "make":
                held = _resolve(name)(*arguments, **named)
                value = None
            elif kind == "job":
                function = _resolve(name)
                gc.freeze()  # what was imported stays: the collector need not look at it again
                value = function(Job(parent), *arguments)
            else:
                value = getattr(held, name)(*arguments, **named)
            parent.send("value", number, value)
        except Exception as error:
            parent.send("error", number, _portable(error))


def main() -> None:
    """Run the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection, words = int(sys.argv[1]), int(sys.argv[2])
    parent = _Parent(Connection(connection))
    memory = mmap.mmap(words, vitals.SIZE)
    vitals.show(memory, lambda: parent.send("beat"), float(sys.argv[3]))
    parent.send("beat")
    _serve(parent)


if __name__ == "__main__":
    main()
