"""The set-up's reading of a machine's apt sources."""

import importlib.util
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture(scope="module")
def private_apt():
    spec = importlib.util.spec_from_file_location("private_apt", TOOLS / "private_apt.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["private_apt"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["private_apt"]


ONE_LINE = """\
# deb mirror://commented bookworm main
deb mirror://plain/debian bookworm main contrib  # a comment
deb-src mirror://plain/debian bookworm main
deb [arch=amd64 signed-by=/keys/own.gpg] mirror://signed/debian bookworm-updates main
deb mirror://other/apt stable main
deb mirror://vendor/apt bookworm vendor
"""
STANZAS = """\
Types: deb deb-src
# a comment
URIs: mirror://one/debian mirror://two/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /keys/archive.gpg

Types: deb
URIs: mirror://three/security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: mirror://off/debian
Suites: bookworm
Components: main
"""


@pytest.fixture
def apt(tmp_path):
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (folder / "debian.sources").write_text(STANZAS)
    (folder / "old.sources.save").write_text(STANZAS.replace("mirror", "old"))
    return tmp_path


def test_both_formats_are_read(private_apt, apt):
    found = private_apt.machine_sources("bookworm", apt)
    assert [(s.uri, s.suites, s.key) for s in found] == [
        ("mirror://plain/debian", ("bookworm",), ""),
        ("mirror://signed/debian", ("bookworm-updates",), "/keys/own.gpg"),
        ("mirror://one/debian", ("bookworm", "bookworm-updates"), "/keys/archive.gpg"),
        ("mirror://two/debian", ("bookworm", "bookworm-updates"), "/keys/archive.gpg"),
        ("mirror://three/security", ("bookworm-security",), ""),
    ]
    assert private_apt.machine_sources("trixie", apt) == []


def test_the_further_suite_comes_from_the_mirrors_of_the_release(private_apt, apt, monkeypatch):
    monkeypatch.setattr(private_apt, "KEYRINGS", ())
    sources = private_apt.machine_sources("bookworm", apt)
    text = private_apt.private_sources(sources, "bookworm", "bookworm-backports")
    stanzas = {stanza.split()[3]: stanza for stanza in text.strip().split("\n\n")}
    with_it = {uri for uri, stanza in stanzas.items() if "bookworm-backports" in stanza}
    assert with_it == {"mirror://plain/debian", "mirror://one/debian", "mirror://two/debian"}
    assert "Signed-By: /keys/own.gpg" in stanzas["mirror://signed/debian"]
    assert "Signed-By" not in stanzas["mirror://plain/debian"]
    assert "backports" not in private_apt.private_sources(sources, "bookworm")
