"""Pages that are printed from the code, so that they cannot go stale; `make docs` writes them, a test compares."""

from pathlib import Path

from tsbench import settings
from tsbench.cli import app

ROOT = Path(__file__).resolve().parents[1]


def pages() -> dict[str, str]:
    """The text of every generated page by its path in the repository."""
    commands = app.generate_docs(usage_name="tsbench").strip()
    return {
        "docs/configuration.md": settings.as_markdown(),
        ".env.example": settings.as_env_example(),
        "docs/cli.md": f"{commands}\n",
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (ROOT / name).write_text(text, encoding="utf-8")
        print(f"wrote {name}")
