"""Audits a data set before anyone trains on it or believes a figure of it.

In: the samples of a manifest. Out: how far cues that have nothing to do with forgery tell fakes
from genuine files, set by set, and what lies on both sides of a split.
"""

from seamline.evaluation.audit.run import Audit, audit

__all__ = ["Audit", "audit"]
