"""Evaluate: how sure, how good."""

from tsbench.evaluate.significance import any_of, benjamini_hochberg, binomial_interval

__all__ = ["any_of", "benjamini_hochberg", "binomial_interval"]
