"""The service: everything over HTTP, each route declared once, the hot ones with a fast path in front."""

from tsbench.serve.app import create_app, from_environment
from tsbench.serve.run import run

__all__ = ["create_app", "from_environment", "run"]
