"""What ``import veperf`` offers: functions that return results which show themselves.

Results are thin wrappers around the data of ``veperf.model``: DataFrames for work, and a rich repr
as text, HTML and markdown for the eye.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
