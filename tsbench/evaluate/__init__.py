"""Evaluate: how sure, how good."""

from tsbench.evaluate.retrieval import average_precision, hits
from tsbench.evaluate.significance import any_of, benjamini_hochberg

__all__ = ["any_of", "average_precision", "benjamini_hochberg", "hits"]
