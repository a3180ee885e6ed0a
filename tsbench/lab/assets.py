"""The browser's half: JavaScript and CSS files beside this one."""

from pathlib import Path

WEB = Path(__file__).parent / "web"


def script(*names: str) -> str:
    """One module of several files, the last of which exports the widget; the others define what it uses."""
    return "\n".join((WEB / f"{name}.js").read_text("utf-8") for name in names)


def style(*names: str) -> str:
    """One sheet of several files."""
    return "\n".join((WEB / f"{name}.css").read_text("utf-8") for name in names)
