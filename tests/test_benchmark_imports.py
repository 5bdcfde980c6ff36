"""What benchmarks import within functions, which no test runs, is there."""

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_imported_is_there(file):
    found = [
        (node.module, name.name)
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tellegen")
        for name in node.names
    ]

    def there(module, name):
        parent = importlib.import_module(module)
        return hasattr(parent, name) or importlib.util.find_spec(f"{module}.{name}")

    assert not [f"{module}.{name}" for module, name in found if not there(module, name)]
