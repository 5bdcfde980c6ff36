"""What is written down about packages, commands and the set-up agrees with what is there."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS = SETUPTOOLS["package-dir"]


def found_packages():
    for package, folder in FOLDERS.items():
        for file in (ROOT / folder).rglob("__init__.py"):
            yield ".".join([package, *file.parent.relative_to(ROOT / folder).parts])


def folder_of(package):
    root = max((name for name in FOLDERS if f"{package}.".startswith(f"{name}.")), key=len)
    return ROOT.joinpath(FOLDERS[root], *package.removeprefix(root).split("."))


def test_every_package_is_listed():
    assert sorted(SETUPTOOLS["packages"]) == sorted(found_packages())


@pytest.mark.parametrize(
    ("package", "pattern"),
    [(name, pattern) for name, each in SETUPTOOLS["package-data"].items() for pattern in each],
)
def test_package_data_exists(package, pattern):
    assert any(folder_of(package).glob(pattern)), f"{package}: {pattern}"


def test_every_data_file_is_packaged():
    packaged = {
        file
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for file in folder_of(package).glob(pattern)
    }
    files = subprocess.run(
        ["git", "ls-files", "-z", *FOLDERS.values()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout.split("\0")
    data = {ROOT / name for name in files if name and not name.endswith((".py", "README.md"))}
    assert {file for file in data if file.exists()} <= packaged


def test_the_command_is_installed():
    (script,) = entry_points(group="console_scripts", name="tellegen")
    assert script.value == PROJECT["project"]["scripts"]["tellegen"]
    command = Path(sys.executable).with_name("tellegen")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60)
    assert PROJECT["project"]["version"] in done.stdout


def test_make_has_the_targets_that_the_readme_and_the_checks_use():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)", makefile, re.MULTILINE)
    assert targets == set(phony[1].split())
    for file in ("README.md", "docs/install.md", ".ci/run"):
        commands = re.findall(r"^\s*make ([a-z]+)", (ROOT / file).read_text(), re.MULTILINE)
        assert set(commands) <= targets, file
    assert "make test\n" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("script", ["tools/setup.sh", ".ci/run"])
def test_scripts_are_sound(script):
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    assert path.read_text().startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", path], timeout=60, check=True)
