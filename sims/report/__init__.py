"""Reports: a run as figures and one self-contained page."""

from tellegen.sims.report.network import draw_network
from tellegen.sims.report.page import write_report

__all__ = ["draw_network", "write_report"]
