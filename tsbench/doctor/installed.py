"""Python and the packages, against what the installed distribution asks for."""

import platform

from tsbench.doctor.findings import Told

DISTRIBUTION = "tsbench"


def python() -> Told:
    """Whether this Python is one that tsbench runs on."""
    import sys
    from importlib.metadata import metadata

    from packaging.specifiers import SpecifierSet

    wanted = metadata(DISTRIBUTION)["Requires-Python"]
    found = f"Python {platform.python_version()}"
    if SpecifierSet(wanted).contains(platform.python_version(), prereleases=True):
        return "ok", f"{found}, {sys.executable}"
    return "wrong", f"{found}, wanted {wanted}; install a newer one and make the environment anew"


def packages() -> Told:
    """Whether every required package is installed, in a version that is wanted."""
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    wanted = [Requirement(line) for line in requires(DISTRIBUTION) or ()]
    wanted = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    bad = []
    for one in wanted:
        try:
            found = version(one.name)
        except PackageNotFoundError:
            bad.append(f"{one.name} is missing")
        else:
            if not one.specifier.contains(found, prereleases=True):
                bad.append(f"{one.name} is {found}, wanted {one.specifier}")
    if bad:
        return "wrong", f"{'; '.join(bad)}; run: pip install --upgrade {DISTRIBUTION}"
    return "ok", f"all {len(wanted)} that are required"
