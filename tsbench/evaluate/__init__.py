"""Evaluate: how sure, how good."""

from tsbench.evaluate.retrieval import average_precision, hits
from tsbench.evaluate.significance import any_of, benjamini_hochberg, binomial_interval

__all__ = ["any_of", "average_precision", "benjamini_hochberg", "binomial_interval", "hits"]
