# `make` lists the targets. Those that need anything installed set it up first: see docs/install.md.

PYTHON_HERE := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## install what is missing: packages into .venv, ngspice into .tellegen (no root needed)
	@tools/setup.sh

demo: setup ## train a network of resistors on Iris in ngspice; ends with accuracy and pictures
	.venv/bin/tellegen train examples/iris.tgn

test: setup ## run the tests; `make test ARGS="-k diode"` runs some of them
	$(PYTHON_HERE) -m pytest $(ARGS)

lint: setup ## check style, layout and types of the code
	$(PYTHON_HERE) -m ruff check .
	$(PYTHON_HERE) -m ruff format --check .
	tools/types.sh

bench: setup ## list the benchmarks; `make bench ARGS="step --quick"` runs one
	$(PYTHON_HERE) -m benchmarks $(ARGS)
