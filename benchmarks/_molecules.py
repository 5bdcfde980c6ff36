"""Makes `molecules.json`: two-qubit Hamiltonians of H2 and HeH+ in STO-3G. Needs PySCF, which Tellegen does not.

    python -m benchmarks._molecules

Two electrons of opposite spin in two Hartree-Fock orbitals have four states; the first qubit says in which
orbital the one is, the second the other's. With h the one-electron integrals and (pq|rs) the repulsion,
<pr|H|qs> = h_pq d_rs + h_rs d_pq + (pq|rs) + the nuclei's repulsion: full configuration interaction, which PySCF
finds as well, and the script compares.
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("molecules.json")
LENGTHS = {
    "H2": (0.4, 0.6, 0.735, 0.75, 1.0, 1.5, 2.0, 2.5),
    "HeH+": (0.5, 0.75, 0.9, 0.9135, 1.0, 1.5, 2.0, 3.0),
}
_ATOMS = {"H2": ("H", "H", 0), "HeH+": ("He", "H", 1)}
_PAULI = {
    "I": np.eye(2), "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1]),
}  # fmt: skip


def hamiltonian(molecule: str, length: float) -> tuple[dict[str, float], float]:
    """Coefficients in hartree at a bond length in angstrom, and PySCF's full-CI energy."""
    from pyscf import ao2mo, fci, gto, scf

    first, second, charge = _ATOMS[molecule]
    atoms = f"{first} 0 0 0; {second} 0 0 {length}"
    mol = gto.M(atom=atoms, basis="sto-3g", charge=charge, verbose=0)
    field = scf.RHF(mol).set(conv_tol=1e-12).run()
    orbitals = field.mo_coeff
    one = orbitals.T @ field.get_hcore() @ orbitals
    two = ao2mo.restore(1, ao2mo.kernel(mol, orbitals), 2)
    unit = np.eye(2)
    h = np.kron(one, unit) + np.kron(unit, one) + mol.energy_nuc() * np.eye(4)
    h = h + two.transpose(0, 2, 1, 3).reshape(4, 4)
    terms = {}
    for a, b in product("IXYZ", repeat=2):
        factor = np.trace(h @ np.kron(_PAULI[a], _PAULI[b])).real / 4
        if abs(factor) > 1e-10:
            terms[a + b] = float(factor)
    if terms.get("XI", 0) < 0:  # the sign of an orbital is free
        terms = {k: v * (-1) ** k.count("X") for k, v in terms.items()}
    energy = float(fci.FCI(field).kernel()[0])
    assert abs(np.linalg.eigvalsh(h)[0] - energy) < 1e-9
    return terms, energy


def main() -> None:
    """Write the file."""
    import pyscf

    computed = {
        molecule: [
            dict(zip(("length", "terms", "full_ci"), (r, *hamiltonian(molecule, r)), strict=True))
            for r in lengths
        ]
        for molecule, lengths in LENGTHS.items()
    }
    # What others printed, kept as it is: the benchmark runs on it too.
    published = json.loads(FILE.read_text())["published"]
    content = {
        "source": f"PySCF {pyscf.__version__}, STO-3G, by _molecules.py; angstrom and hartree",
        "computed": computed,
        "published": published,
    }
    FILE.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
