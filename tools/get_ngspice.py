"""Gets ngspice for this checkout: the newest that can be had, without root wherever possible.

In order: the version of the release's backports, unpacked into `.tellegen/ngspice`; the release's
own version, the same way; an installed library; `apt-get install` as root or by a sudo that asks
for no password. `TELLEGEN_NGSPICE=stable` asks for the release's own version, in its own folder.
What was taken is written into the folder, so that the next run has nothing to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from private_apt import AptError, fetch

from tellegen.sims.ngspice.locate import (
    ORIGIN,
    VARIANTS,
    SimulatorMissing,
    installed_library,
    private_folder,
    system_install_line,
)

PACKAGES = ("ngspice", "libngspice0")
INSTALLED = "installed"

# The program needs the libraries and the start-up file beside it.
_WRAPPER = """\
#!/bin/sh
usr=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
for folder in "$usr"/lib/*-linux-gnu*; do
    LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH SPICE_LIB_DIR="$usr/share/ngspice"
exec "$usr/libexec/ngspice" "$@"
"""


def say(text: str) -> None:
    """Show a line of progress."""
    print(f"      {text}", flush=True)


def put_in_order(root: Path) -> None:
    """Make unpacked packages work from where they are.

    The start-up file names the code models by their installed place, and the program finds its own
    libraries only when told.
    """
    libexec = root / "usr" / "libexec"
    libexec.mkdir(exist_ok=True)
    program = root / "usr" / "bin" / "ngspice"
    program.rename(libexec / "ngspice")
    program.write_text(_WRAPPER)
    program.chmod(0o755)
    startup = root / "usr" / "share" / "ngspice" / "scripts" / "spinit"
    home = private_folder()
    text = startup.read_text()
    # ngspice splits this command at spaces: better no code models than wrong ones.
    lines = [line for line in text.splitlines() if "/usr/lib/" not in line or " " not in str(home)]
    startup.write_text("\n".join(lines).replace(" /usr/lib/", f" {home}/usr/lib/") + "\n")


def version_of(root: Path) -> str:
    """The version that the program says it is; this also shows that it runs at all.

    Raises:
        AptError: it does not run here.
    """
    program = root / "usr" / "bin" / "ngspice"
    done = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    found = [word for word in done.stdout.split() if word.startswith("ngspice-")]
    if done.returncode or not found:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise AptError(words[-1] if words else "the program does not run here")
    return found[0].removeprefix("ngspice-")


def private_copy(suite: str) -> None:
    """Put a copy from the release's suite (`""`: the release itself) into the checkout.

    Raises:
        AptError: it cannot be had, or does not run here.
    """
    target = private_folder()
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        fetch(PACKAGES, draft, suite)
        put_in_order(draft)
        origin = f"{version_of(draft)} from the release's {suite or 'own'} packages"
        (draft / ORIGIN).write_text(origin + "\n")
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def backports() -> None:
    """Take the version from backports, without root."""
    private_copy("backports")


def stable() -> None:
    """Take the release's own version, without root."""
    private_copy("")


def installed() -> None:
    """Take the library that is installed.

    Raises:
        AptError: there is none.
    """
    library = installed_library()
    if library is None:
        raise AptError("no ngspice library is installed")
    folder = private_folder()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / ORIGIN).write_text(f"{INSTALLED} at {library[0]}\n")


def install() -> None:
    """Install the release's version for the whole machine, as root.

    Raises:
        AptError: we are not root and may not become so, or apt-get fails.
    """
    if not shutil.which("apt-get"):
        raise AptError("there is no apt-get")
    become_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if become_root and not shutil.which("sudo"):
        raise AptError("we are not root, and there is no sudo")
    for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            [*become_root, "apt-get", "-qq", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            timeout=600,
            check=False,
        )
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise AptError(words[-1] if words else "apt-get failed")
    installed()


WAYS: dict[str, tuple[tuple[str, Callable[[], None]], ...]] = {
    VARIANTS[""]: (
        ("the release's backports, without root", backports),
        ("the release's own packages, without root", stable),
        ("an installed library", installed),
        ("apt-get install", install),
    ),
    VARIANTS["stable"]: (("the release's own packages, without root", stable),),
}


def present(folder: Path) -> str:
    """What an earlier run took, or the empty string if that is not there (any more)."""
    file = folder / ORIGIN
    origin = file.read_text().strip() if file.exists() else ""
    if origin.startswith(INSTALLED):
        return origin if installed_library() else ""
    return origin if any(folder.glob("usr/lib/*/libngspice.so*")) else ""


def main() -> int:
    """Get ngspice unless it is there; says in one line what is taken."""
    try:
        folder = private_folder()
    except SimulatorMissing as error:
        print(error, file=sys.stderr)
        return 1
    if named := os.environ.get("NGSPICE_LIBRARY_PATH"):
        say(f"NGSPICE_LIBRARY_PATH names {named}: using that")
        return 0
    if not present(folder):
        for name, way in WAYS[folder.name]:
            say(f"trying {name}")
            try:
                way()
                break
            except (AptError, OSError, subprocess.TimeoutExpired) as error:
                say(f"no: {error}")
    origin = present(folder)
    if not origin:
        print(f"no ngspice to be had here. To install it: {system_install_line()}", file=sys.stderr)
        return 3
    say(f"ngspice {origin}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
