"""Every plasticity rule, in brief, against a reference of its equation."""

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "plasticity"
RULES = sorted(p.stem for p in FOLDER.glob("[!_]*.py"))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_follows_its_equation(rule):
    rows = list(importlib.import_module(f"benchmarks.plasticity.{rule}").run(True))
    assert rows
    assert all(row.met for row in rows), rows
