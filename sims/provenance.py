"""Where a result comes from: versions, machine, seed, and what was asked for."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_PACKAGES = ("tellegen", "PySpice", "lark", "numpy", "scipy", "scikit-learn", "pint")


def provenance() -> dict[str, Any]:
    """Versions of everything that a number may depend on, and the time."""
    from tellegen.sims.ngspice.locate import locate
    from tellegen.sims.ngspice.probe import probe

    ngspice = locate()
    # Only a private copy says its version in a file; any other library has to be asked.
    release = ngspice.version or str(probe(ngspice).version)
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "ngspice": {"version": release, "found": ngspice.found},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
