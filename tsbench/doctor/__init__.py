"""The doctor: does everything here work, from the installed packages to a board drawn by a browser?"""

from tsbench.doctor.checkup import checkup
from tsbench.doctor.findings import Finding

__all__ = ["Finding", "checkup"]
