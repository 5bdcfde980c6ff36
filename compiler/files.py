"""Which files a `.tgn` text may read.

A `.tgn` file may come from a stranger. It may name files, but only below the folders that its user
allowed: the folder of the `.tgn` file itself and those given with `--allow`. Links are resolved before
the check, so none leads out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LARGEST = 256 * 1024 * 1024


class FileRefused(Exception):
    """The file is not to be read; `code` is the diagnostic's, the text says why."""

    def __init__(self, code: str, message: str, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.help = help


@dataclass(frozen=True)
class Files:
    """Read access below some folders; relative names are looked up in them in order."""

    roots: tuple[Path, ...] = ()

    def locate(self, name: str) -> Path:
        """The resolved path of a file below an allowed folder, which need not exist.

        Raises:
            FileRefused: if it lies outside of them.
        """
        if not name.strip():
            raise FileRefused("missing-file", "the name of the file is empty")
        allowed = [root.resolve() for root in self.roots]
        found: list[Path] = []
        for root in allowed:
            try:
                path = (root / name).resolve()
                if any(path.is_relative_to(r) for r in allowed):
                    found.append(path)
                    if path.is_file():
                        return path
            except (OSError, ValueError, RuntimeError):
                continue
        if not found:
            raise FileRefused(
                "forbidden-file",
                f"file `{name}` lies outside the folders that may be read",
                "move it beside the .tgn file, or allow its folder with `--allow FOLDER`",
            )
        return found[0]

    def read_text(self, name: str) -> str:
        """The text of an allowed file.

        Raises:
            FileRefused: as `locate` does, and if it is too large or is not UTF-8 text.
        """
        return read_text(self.locate(name), name)


def read_text(path: Path, name: str, largest: int = LARGEST) -> str:
    """The text of an ordinary file, which is called `name` in messages.

    Raises:
        FileRefused: if it is missing, no ordinary file, too large, or not UTF-8 text.
    """
    try:
        if not path.is_file():
            if path.exists():
                raise FileRefused("bad-file", f"`{name}` is not an ordinary file")
            raise FileRefused("missing-file", f"file `{name}` does not exist")
        if path.stat().st_size > largest:
            raise FileRefused("bad-file", f"file `{name}` is larger than {largest >> 20} MiB")
        return path.read_text("utf-8-sig")  # editors of other systems put a mark in front
    except UnicodeDecodeError as error:
        raise FileRefused("bad-file", f"file `{name}` is not UTF-8 text") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileRefused("bad-file", f"file `{name}` cannot be read: {reason.lower()}") from error
