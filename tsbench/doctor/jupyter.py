"""What JupyterLab must have to show a board: two extensions, and a kernel that is this environment."""

import subprocess
import sys
from pathlib import Path

from tsbench.doctor.findings import Told

# The extension, and the package that brings it.
EXTENSIONS = {"anywidget": "anywidget", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}
KERNEL = "python3"


def extensions() -> Told:
    """Whether JupyterLab finds the extensions that show boards, whole and not disabled."""
    from jupyter_core.paths import jupyter_path
    from jupyterlab_server.config import get_federated_extensions, get_page_config

    folders = jupyter_path("labextensions")
    found = get_federated_extensions(folders)
    page = get_page_config(folders)
    off = {name for name, disabled in _named(page.get("disabledExtensions", {})).items() if disabled}
    bad = []
    for name, package in EXTENSIONS.items():
        if name not in found:
            bad.append(f"{name} is not installed; run: pip install --force-reinstall {package}")
        elif not _loads(found[name]):
            bad.append(
                f"{name} in {found[name]['ext_path']} is not whole; run: pip install --force-reinstall {package}"
            )
        # a plugin of an extension is written extension:plugin
        elif disabled := sorted(one for one in off if one.partition(":")[0] == name):
            bad += [f"{one} is disabled; run: jupyter labextension enable {one}" for one in disabled]
    if bad:
        return "wrong", "; ".join(bad)
    return "ok", ", ".join(f"{name} {found[name].get('version', '')}" for name in EXTENSIONS)


def _named(disabled: dict[str, bool] | list[str]) -> dict[str, bool]:
    """Old files list the names, newer ones map each to a bool."""
    return dict.fromkeys(disabled, True) if isinstance(disabled, list) else disabled


def _loads(extension: dict[str, object]) -> bool:
    """Whether the script that the extension begins with is there."""
    build = extension.get("jupyterlab")
    script = build.get("_build", {}).get("load") if isinstance(build, dict) else None
    return script is not None and Path(str(extension["ext_path"]), str(script)).is_file()


def kernel() -> Told:
    """Whether the default kernel of a notebook is this environment's Python."""
    from jupyter_client.kernelspec import KernelSpecManager

    spec = KernelSpecManager().get_kernel_spec(KERNEL)
    names = ("python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    # as jupyter_client reads it: a bare name is the Python of the server
    program = sys.executable if spec.argv[0] in names else spec.argv[0]
    place = f"the kernel {KERNEL!r} of {spec.resource_dir}" if spec.resource_dir else f"the kernel {KERNEL!r}"
    mend = f"run: {sys.executable} -m ipykernel install --sys-prefix, or remove that folder"
    try:
        told = subprocess.run(
            [program, "-c", "import sys, ipykernel; print(sys.prefix)"], capture_output=True, text=True, timeout=60
        )
    except OSError as error:
        return "wrong", f"{place} does not start: {error}; {mend}"
    if told.returncode:
        return "wrong", f"{place} does not start: {told.stderr.strip().splitlines()[-1]}; {mend}"
    prefix = told.stdout.strip()
    if Path(prefix) != Path(sys.prefix):
        return "wrong", f"{place} runs the Python of {prefix}, not of {sys.prefix}; {mend}"
    return "ok", f"{place} runs {program}"
