"""What the ngspice at hand can do, found out by asking it.

The library is loaded in a worker process: it may crash, it stays in a process for good, and whoever
asks may want to load another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from tellegen.sims.ngspice.locate import Location, find_library
from tellegen.sims.workers.process import Worker

EXPECTED = 0.5  # volts in the middle of a divider of two equal resistors across 1 V

_DIVIDER = """\
voltage divider
V1 top 0 1
R1 top middle 1k
R2 middle 0 1k
.op
.end
"""


@dataclass(frozen=True)
class Capabilities:
    """What an ngspice library says of itself, and what it made of a voltage divider.

    Attributes:
        version: version number, as `46`.
        klu: it has the KLU solver beside Sparse 1.3.
        osdi: it loads Verilog-A models compiled to OSDI.
        code_models: the XSPICE code models (A devices) are loaded.
        threads: how many threads it evaluates transistor models with.
        divider: voltage in the middle of the divider (V), None if ngspice gave none.
    """

    version: int
    klu: bool
    osdi: bool
    code_models: bool
    threads: int
    divider: float | None

    @property
    def works(self) -> bool:
        """Whether the divider came out right."""
        return self.divider is not None and abs(self.divider - EXPECTED) < 1e-9


class Probe:
    """Asks the library of the process that it is made in."""

    def __init__(self) -> None:
        from tellegen.sims.ngspice.library import shared_library

        self._ng = shared_library(find_library())

    def capabilities(self) -> Capabilities:
        """What this process's library can do.

        Raises:
            SimulationError: it refuses even a divider.
        """
        ng = self._ng
        about = "\n".join(ng.output("version -f"))
        ng.forget_words()
        ng.command("osdi")  # without a file: it says whether it knows the command
        osdi = "no such command" not in ng.words()
        code_models = any("gain block" in line for line in ng.output("devhelp gain"))
        threads = "".join(ng.output("echo $num_threads"))
        ng.load(_DIVIDER, self)
        ng.command("run")
        middle = ng.vector("middle")
        divider = None if middle is None else float(middle[0].real)
        return Capabilities(ng.version, "KLU" in about, osdi, code_models, int(threads), divider)


def probe(location: Location, timeout: float = 30.0) -> Capabilities:
    """What the library of `location` can do.

    Raises:
        SimulatorMissing: it cannot be loaded.
        SimulationError: it crashes, hangs or refuses a divider.
    """
    worker = Worker(location.library, timeout)
    try:
        worker.make("tellegen.sims.ngspice.probe:Probe")
        found: Capabilities = worker.call("capabilities")
        return found
    finally:
        worker.close()
