"""Pages that are printed from the code, so that they cannot go stale; `make docs` writes them, a test compares.

python docs/generate.py [FOLDER]
"""

import sys
from pathlib import Path

from tsbench import settings
from tsbench.cli import app


def pages() -> dict[str, str]:
    """The text of every generated page by its path in the repository."""
    commands = app.generate_docs(usage_name="tsbench").strip()
    return {
        "docs/configuration.md": settings.as_markdown(),
        ".env.example": settings.as_env_example(),
        "docs/cli.md": f"{commands}\n",
    }


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    for name, text in pages().items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
