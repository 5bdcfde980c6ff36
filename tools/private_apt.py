"""Debian packages without root and without touching the system.

`apt-get` runs with lists, cache and sources of its own: the sources are the machine's entries for
its Debian or Ubuntu release, with their mirrors and keys, and, if asked for, a further suite on the
same mirrors. It resolves what the machine lacks; `dpkg -x` unpacks that into a folder.

Run as `python3 tools/private_apt.py FOLDER PACKAGE...`; Python's standard library is enough for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

APT = Path("/etc/apt")
KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
    Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg"),
)
_PATIENCE = 300.0  # seconds for one apt-get; a mirror that does not answer is given up much sooner
_OPTIONS = {
    "Acquire::Languages": "none",
    "Acquire::Retries": "2",
    "Acquire::http::Timeout": "20",
    "Acquire::https::Timeout": "20",
    "APT::Install-Recommends": "false",
    "APT::Get::Allow-Downgrades": "true",
    "Debug::NoLocking": "true",
    "Dir::Etc::SourceParts": "/dev/null",
}


class AptError(Exception):
    """The packages cannot be had this way; the message says why in one line."""


@dataclass(frozen=True)
class Source:
    """A mirror that holds some suites of the machine's release."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    key: str = ""  # path of the keyring, empty where apt's own trusted keys are meant

    def __str__(self) -> str:
        lines = [
            "Types: deb",
            f"URIs: {self.uri}",
            f"Suites: {' '.join(self.suites)}",
            f"Components: {' '.join(self.components)}",
        ]
        return "\n".join([*lines, f"Signed-By: {self.key}"] if self.key else lines) + "\n"


def release() -> dict[str, str]:
    """The fields of `/etc/os-release`; empty where there is none."""
    file = Path("/etc/os-release")
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key: value.strip("\"'") for key, value in pairs}


def machine_sources(codename: str, apt: Path = APT) -> list[Source]:
    """The machine's own sources for its release and the release's updates, in either format."""
    wanted = {codename, *(f"{codename}-{part}" for part in ("updates", "security"))}
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    found: dict[str, Source] = {}
    for file in files:
        if not file.is_file():
            continue
        entries = {".list": _one_line_entries, ".sources": _stanzas}.get(file.suffix)
        for entry in entries(file.read_text(errors="replace")) if entries else ():
            suites = tuple(suite for suite in entry.suites if suite in wanted)
            if suites and "main" in entry.components:
                source = Source(entry.uri, suites, entry.components, entry.key)
                found.setdefault(str(source), source)
    return list(found.values())


def _one_line_entries(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        words = line.split("#")[0].replace("[", " [ ").replace("]", " ] ").split()
        if not words or words[0] != "deb":
            continue
        key = ""
        if words[1:2] == ["["] and "]" in words:
            end = words.index("]")
            options = dict(word.split("=", 1) for word in words[2:end] if "=" in word)
            key = options.get("signed-by", "")
            words = words[:1] + words[end + 1 :]
        if len(words) > 3:
            yield Source(words[1], (words[2],), tuple(words[3:]), key)


def _stanzas(text: str) -> Iterator[Source]:
    for stanza in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[name] = fields.get(name, "") + "\n" + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.lower()
                fields[name] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            suites = tuple(fields.get("suites", "").split())
            components = tuple(fields.get("components", "").split())
            # A key may be given in place of a path; it then belongs to this very stanza only.
            key = fields.get("signed-by", "").strip()
            for uri in fields.get("uris", "").split():
                yield Source(uri, suites, components, key if key.startswith("/") else "")


def private_sources(sources: Sequence[Source], codename: str, suite: str = "") -> str:
    """A `.sources` file for the machine's sources and, on the same mirrors, one further suite."""
    default = next((str(key) for key in KEYRINGS if key.exists()), "")
    stanzas = []
    for source in sources:
        more = (suite,) if suite and codename in source.suites else ()
        key = source.key or default
        stanzas.append(str(Source(source.uri, source.suites + more, source.components, key)))
    return "\n".join(stanzas)


def fetch(packages: Sequence[str], folder: Path, suite: str = "") -> None:
    """Unpack packages, with those they need and the machine lacks, into an empty `folder`.

    With `suite` ("backports", say) the packages come from that suite of the machine's release.

    Raises:
        AptError: there is no apt, it has no source for the release, or it cannot get the packages.
    """
    codename = release().get("VERSION_CODENAME", "")
    if not (shutil.which("apt-get") and shutil.which("dpkg") and codename):
        raise AptError("this is no Debian or Ubuntu with apt-get")
    sources = machine_sources(codename)
    if not sources:
        raise AptError(f"apt has no source for {codename} here")
    target = f"{codename}-{suite}" if suite else codename
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="apt-", dir=folder.parent) as work:
        state = Path(work)
        text = private_sources(sources, codename, target if suite else "")
        apt = _private_apt(state, text)
        # A mirror that fails here may not be the one that matters: the download finds out.
        trouble = _complaint([*apt, "update"])
        wanted = [f"{package}/{target}" for package in packages]
        options = ["--yes", "--download-only", "--reinstall", "-t", target]
        complaint = _complaint([*apt, "install", *options, *wanted])
        debs = sorted((state / "cache" / "archives").glob("*.deb"))
        if complaint or not debs:
            raise AptError(trouble or complaint or "apt-get delivered no package")
        _unpack(debs, folder)


def _private_apt(state: Path, sources: str) -> list[str]:
    """The start of an `apt-get` command line that keeps everything it writes in `state`."""
    (state / "lists" / "partial").mkdir(parents=True)
    (state / "cache" / "archives" / "partial").mkdir(parents=True)
    listed = state / "private.sources"
    listed.write_text(sources)
    options = {
        **_OPTIONS,
        "Dir::State::Lists": str(state / "lists"),
        "Dir::Cache": str(state / "cache"),
        "Dir::Etc::SourceList": str(listed),
    }
    if os.geteuid() == 0:
        # apt would download as a user of its own, who may not enter the checkout.
        options["APT::Sandbox::User"] = "root"
    return ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]


def _unpack(debs: Sequence[Path], folder: Path) -> None:
    """Unpack with `/lib` and `/bin` inside `/usr`, as installed systems have them."""
    folder.mkdir(parents=True)
    for name in ("lib", "bin"):
        (folder / "usr" / name).mkdir(parents=True)
        (folder / name).symlink_to(f"usr/{name}")
    for deb in debs:
        # A second C library beside the system's loader would crash whatever finds it.
        if not deb.name.startswith("libc6_") and (
            complaint := _complaint(["dpkg", "-x", str(deb), str(folder)])
        ):
            raise AptError(complaint)


def _complaint(command: Sequence[str]) -> str:
    """Run a command; the line that says why it failed, or the empty string."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} took longer than {_PATIENCE:.0f} s"
    if not done.returncode:
        return ""
    lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg"))]
    return lines[-1] if lines else f"{command[0]} failed"


def main(arguments: Sequence[str]) -> int:
    """Fetch the packages named on the command line."""
    try:
        fetch(arguments[1:], Path(arguments[0]))
    except AptError as error:
        print(f"private apt: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
