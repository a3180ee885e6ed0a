"""PostgreSQL and Valkey for one project, without an administrator: found, started, shared, stopped, mended."""

from tsbench.store.embedded.servers import fresh_database
from tsbench.store.embedded.sharing import Services, Status, acquire, exists, start, status, stop

__all__ = ["Services", "Status", "acquire", "exists", "fresh_database", "start", "status", "stop"]
