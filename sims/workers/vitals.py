"""A worker's vital signs: that it gets on, and ngspice's last words, which outlive a crash.

Both are of a process, not of an object, as ngspice itself is. A process that is not a worker shows
none. There is no thread for it: one more thread would slow ngspice's memory allocation, and so its
commands, by a twentieth, and a beat from a thread says nothing of the work.
"""

from __future__ import annotations

import signal
import struct
from collections.abc import Callable
from math import ceil
from mmap import mmap
from time import monotonic

TIMEOUT = 60.0  # seconds without a sign of progress after which a worker counts as hung
SIZE = 1 << 14
_LENGTH = struct.Struct("<I")
_KEPT = SIZE // 4  # how much stays when the memory is full
_BEAT = 0.5  # seconds


class LastWords:
    """Keeps the end of what is added."""

    def __init__(self, memory: mmap) -> None:
        self._memory = memory
        self._end = _LENGTH.size

    def add(self, line: bytes) -> None:
        """Append a line."""
        line = line[:_KEPT] + b"\n"
        if self._end + len(line) > SIZE:
            kept = self._memory[self._end - _KEPT : self._end]
            self._memory[_LENGTH.size : _LENGTH.size + _KEPT] = kept
            self._end = _LENGTH.size + _KEPT
        self._memory[self._end : self._end + len(line)] = line
        self._end += len(line)
        _LENGTH.pack_into(self._memory, 0, self._end)

    def clear(self) -> None:
        """Forget what was added."""
        self._end = _LENGTH.size
        _LENGTH.pack_into(self._memory, 0, self._end)


class _Vitals:
    words: LastWords | None = None
    beat: Callable[[], None] | None = None
    due = 0.0
    timeout = TIMEOUT


def show(memory: mmap, beat: Callable[[], None], timeout: float) -> None:
    """Keep last words in `memory`, and call `beat` now and then while there is progress."""
    _Vitals.words = LastWords(memory)
    _Vitals.beat = beat
    _Vitals.timeout = timeout


def timeout() -> float:
    """How long this process may go without a sign of progress, in seconds."""
    return _Vitals.timeout


def tick() -> None:
    """Note that there was progress."""
    if _Vitals.beat is not None and monotonic() >= _Vitals.due:
        _Vitals.due = monotonic() + _BEAT
        work()
        _Vitals.beat()


def work() -> None:
    """Begin or go on with a piece of work.

    Should no progress follow for much longer than the parent waits, this process ends by itself:
    the parent may be gone, and ngspice in a loop that nothing else would end.
    """
    signal.alarm(ceil(2 * _Vitals.timeout))


def rest() -> None:
    """Wait for work, for as long as it takes."""
    signal.alarm(0)


def heard(line: bytes) -> None:
    """Keep a line of ngspice's."""
    if _Vitals.words is not None:
        _Vitals.words.add(line)


def forget_words() -> None:
    """Start the last words anew."""
    if _Vitals.words is not None:
        _Vitals.words.clear()


def read(memory: mmap, lines: int = 60) -> str:
    """The last lines added, without the names of their streams."""
    (end,) = _LENGTH.unpack_from(memory)
    text = memory[_LENGTH.size : max(end, _LENGTH.size)].decode(errors="replace")
    return "\n".join(
        line.removeprefix("stdout ").removeprefix("stderr ") for line in text.splitlines()[-lines:]
    )
