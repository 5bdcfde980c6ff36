"""Names for the arrays that cross the project: what their elements are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Complex = NDArray[np.complex128]
Indices = NDArray[np.int64]
