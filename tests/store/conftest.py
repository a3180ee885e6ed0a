"""Files of companies, written for one test."""

import gzip
from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path):
    def write(text: str, name: str = "some.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write
