"""Every error the package raises on purpose.

TsbenchError
├── BadInput (ValueError)        the caller can mend it: wrong value, shape, name or file
│   └── TooShort                 a series has fewer points than the question needs
├── NotFound (LookupError)       no such company, metric, pattern, version, run
├── NotFitted (RuntimeError)     a model was asked before it was fitted
├── MissingExtra (ImportError)   an optional dependency is not installed
└── Unavailable (ConnectionError)   a service the work needs does not answer

A message says what is wrong, what came, what is wanted and what to do next.
"""


class TsbenchError(Exception):
    """Base of all errors raised by tsbench on purpose."""


class BadInput(TsbenchError, ValueError):
    """The input is wrong in a way the caller can mend."""


class TooShort(BadInput):
    """A series has fewer usable points than the question needs."""


class NotFound(TsbenchError, LookupError):
    """The named thing does not exist in the store, library or panel."""


class NotFitted(TsbenchError, RuntimeError):
    """The model must be fitted before it can answer."""


class MissingExtra(TsbenchError, ImportError):
    """An optional dependency is missing; the message names the extra to install."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'tsbench[{extra}]'")
        self.package, self.extra = package, extra


class Unavailable(TsbenchError, ConnectionError):
    """A service that the work needs does not answer.

    told : the same for strangers, without addresses.
    """

    def __init__(
        self, message: str, *, told: str = "a service this needs does not answer; try again in a moment"
    ) -> None:
        super().__init__(message)
        self.told = told
