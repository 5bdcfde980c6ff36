"""The grammar of the language: `tellegen.lark`, and nothing else."""
