"""docs/api_examples.md: every call is sent, every answer compared.

`python -m pytest tests/serve/test_api_examples.py` with TSBENCH_TEST_WRITE_EXAMPLES=1 writes the answers instead.
"""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api_examples.md"
PAIR = re.compile(r"^```sh\n(.*?)^```\n```json\n(.*?)^```", flags=re.M | re.S)
# Of another day, or of another run.
CHANGING = {"created_at": "2026-11-22T05:00:00Z", "request_id": "19e19fd0-2"}
SHOWN_OF_A_LIST = 4


def test_the_calls_of_the_page_are_answered_as_it_says(served_companies):
    text = PAGE.read_text("utf-8")
    pairs = PAIR.findall(text)
    assert len(pairs) >= 9
    for line, told in pairs:
        answer = settled(asked(line, served_companies.url))
        if os.environ.get("TSBENCH_TEST_WRITE_EXAMPLES"):
            shown = json.dumps(answer, indent=2, ensure_ascii=False)
            text = text.replace(f"{line}```\n```json\n{told}", f"{line}```\n```json\n{shown}\n", 1)
        else:
            assert answer == json.loads(told), line
    if os.environ.get("TSBENCH_TEST_WRITE_EXAMPLES"):
        PAGE.write_text(text, "utf-8")


def asked(line: str, url: str):
    words = shlex.split(line.replace("\\\n", " ").replace("http://localhost:8000", url))
    done = subprocess.run([*words, "-sS"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def settled(answer):
    """The answer with what changes from run to run replaced, and long lists cut."""
    if isinstance(answer, dict):
        return {key: CHANGING.get(key, settled(value)) for key, value in answer.items()}
    if isinstance(answer, list):
        parts = [settled(value) for value in answer]
        return parts if len(parts) <= SHOWN_OF_A_LIST else [*parts[:SHOWN_OF_A_LIST], "..."]
    return float(f"{answer:.9g}") if isinstance(answer, float) else answer
