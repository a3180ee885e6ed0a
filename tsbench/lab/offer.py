"""What there is to choose from on a board."""

from typing import TYPE_CHECKING, Any

from tsbench.patterns import Pattern, groups, named
from tsbench.patterns.constraints import KINDS
from tsbench.series import Panel

if TYPE_CHECKING:
    from tsbench.store import Store


def offer(panel: Panel, store: "Store | None") -> dict[str, Any]:
    """For the page: presets (names by group), metrics, kinds of conditions, and whether there is a store."""
    saved = [] if store is None else store.patterns.names()
    return {
        "presets": {"saved": saved, **{group: list(names) for group, names in groups().items()}},
        "metrics": sorted(set(panel.index["metric"])),
        "kinds": list(KINDS),
        "store": store is not None,
    }


def on_offer(pattern: Pattern | str, store: "Store | None") -> Pattern:
    """The pattern itself, or the one of that name: saved in the store first, then shipped. Raises NotFound."""
    if isinstance(pattern, Pattern):
        return pattern
    if store is None:
        return named(pattern)
    from tsbench.jobs import resolve

    return resolve(store, pattern)
