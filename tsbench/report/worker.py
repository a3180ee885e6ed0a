"""The child process that executes one notebook: `python -P worker.py < job.json`.

A process of its own, so that several notebooks run at once, a deadline can be enforced on code that never returns,
and the Jupyter folders of the run are not the user's. Its exit status tells how it went. It imports nothing of
tsbench, which would only delay the start of the kernel.
"""

import json
import sys
import time
from typing import Any

DONE, FAILED, TIMEOUT, INTERRUPTED = 0, 1, 3, 130


def execute(job: dict[str, Any], deadline: float) -> int:
    """Execute `job` (notebook, output, parameters, folder) until `deadline` on the monotonic clock; the exit status."""
    import papermill
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient.exceptions import CellTimeoutError
    from papermill.exceptions import PapermillExecutionError

    class ThisInterpreter(AsyncKernelManager):
        """Starts sys.executable whatever kernels are installed: without kernel folders only the own one is known."""

        def _kernel_spec_manager_default(self) -> KernelSpecManager:
            return KernelSpecManager(kernel_dirs=[])

    try:
        papermill.execute_notebook(
            job["notebook"],
            job["output"],
            parameters=job["parameters"],
            kernel_name="python3",
            language="python",
            cwd=job["folder"],
            progress_bar=False,
            kernel_manager_class=ThisInterpreter,
            # nbclient takes 0 for "no limit", hence the floor
            timeout_func=lambda _cell: max(deadline - time.monotonic(), 0.01),
        )
    except PapermillExecutionError:
        return FAILED
    except CellTimeoutError:
        return TIMEOUT
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


def main() -> None:
    """Read the job, run it, leave with its status."""
    started = time.monotonic()
    job = json.load(sys.stdin)
    status = execute(job, started + job["deadline"])
    sys.exit(status)


if __name__ == "__main__":
    main()
