"""Load over keep-alive connections, by the clock (open loop) or answer by answer (closed loop), each answer checked.

A closed loop sends its next request when the last one is answered: while the server stalls it sends nothing, and the
requests that would have suffered are never counted (coordinated omission). An open loop has a timetable. What is late,
because no connection is free or the server stalls, is counted from the moment it was due.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter

import numpy as np
from asking import Asked, body_of, place_of
from numpy.typing import NDArray

# How long after the last request was due an answer is waited for.
GRACE = 2.0
Floats = NDArray[np.float64]
NAN = float("nan")


@dataclass
class Answered:
    """What became of the requests of one run, in seconds since its begin; NaN where no answer came.

    due, sent, done : when each was due, went out, was answered. wrong : answers that are not 200 or not the right ones.
    lost : connections that broke. seconds : length of the run, as planned at least. first_wrong : what was answered.
    """

    due: Floats
    sent: Floats
    done: Floats
    wrong: int
    lost: int
    seconds: float
    first_wrong: str = ""

    def from_due(self) -> dict[str, float]:
        """Milliseconds from when each was due; what was never answered has waited until the end of the run."""
        end = max(self.seconds, float(self.due.max(initial=0.0)))
        return percentiles(np.where(np.isnan(self.done), end, self.done) - self.due)

    def from_send(self) -> dict[str, float]:
        """Milliseconds from when each went out, of those that were answered: all that a closed loop sees."""
        known = ~np.isnan(self.done)
        return percentiles(self.done[known] - self.sent[known])

    @property
    def unanswered(self) -> int:
        """Requests without an answer."""
        return int(np.isnan(self.done).sum())

    @property
    def rate(self) -> float:
        """Answers per second until the last one."""
        known = self.done[~np.isnan(self.done)]
        return known.size / float(known.max()) if known.size else 0.0


def percentiles(seconds: Floats) -> dict[str, float]:
    """Median, high percentiles and maximum in milliseconds."""
    if not seconds.size:
        return dict.fromkeys(("p50", "p95", "p99", "max"), NAN)
    values = 1000 * np.percentile(seconds, (50, 95, 99, 100))
    return dict(zip(("p50", "p95", "p99", "max"), values.round(3).tolist(), strict=True))


def open_loop(
    url: str, asked: Sequence[Asked], *, rate: float, seconds: float, connections: int, seed: int
) -> Answered:
    """Requests at random moments (Poisson) of a mean rate, whatever the server does.

    Parameters
        url : of the server. asked : requests, taken in turn. rate : per second. seconds : how long.
        connections : how many answers may be outstanding. seed : fixes the moments.
    """
    gaps = np.random.default_rng(seed).exponential(1 / rate, max(1, round(rate * seconds)))
    return _run(url, asked, connections, _Timetable(gaps.cumsum()), seconds)


def closed_loop(
    url: str, asked: Sequence[Asked], *, seconds: float, connections: int, rate: float | None = None
) -> Answered:
    """Every connection sends its next request after the answer to the last.

    Parameters
        url, asked, seconds, connections : as of `open_loop`.
        rate : requests per second over all connections, each pausing in between as that takes; None = no pause.
    """
    return _run(url, asked, connections, _AnswerByAnswer(connections, rate, seconds), seconds)


class _Timetable:
    """Requests are due at given moments, whichever connection is free."""

    def __init__(self, due: Floats) -> None:
        self._due, self._next = due.tolist(), 0

    def due(self, now: float, _: int) -> float | None:
        """When the next request was due; None while none is."""
        if self._next == len(self._due) or self._due[self._next] > now:
            return None
        self._next += 1
        return float(self._due[self._next - 1])

    def rest(self) -> list[float]:
        """What was due and never went out."""
        return list(self._due[self._next :])

    def over(self, _: float) -> bool:
        """Whether nothing more will be due."""
        return self._next == len(self._due)


class _AnswerByAnswer:
    """A request is due when its connection is free and has paused long enough."""

    def __init__(self, connections: int, rate: float | None, seconds: float) -> None:
        self._pace, self._end = (connections / rate if rate else 0.0), seconds
        # spread, so that the connections do not march in step
        self._from = [i * self._pace / connections for i in range(connections)]

    def due(self, now: float, connection: int) -> float | None:
        """Now, when the connection may send."""
        if now < self._from[connection] or now >= self._end:
            return None
        self._from[connection] = now + self._pace
        return now

    def rest(self) -> list[float]:
        """Nothing: what did not go out was never due. That is the omission."""
        return []

    def over(self, now: float) -> bool:
        """Whether nothing more will be due."""
        return now >= self._end


_Plan = _Timetable | _AnswerByAnswer


def _run(url: str, asked: Sequence[Asked], connections: int, plan: _Plan, seconds: float) -> Answered:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Load(asked, plan).run(url, connections, seconds))


class _Load:
    """One run: the plan of what is due, the connections that are free, what came back."""

    def __init__(self, asked: Sequence[Asked], plan: _Plan) -> None:
        self._asked, self._plan = cycle(asked), plan
        self._free: deque[_Connection] = deque()
        self._due: list[float] = []
        self._sent: list[float] = []
        self._done: list[float] = []
        self._outstanding = self._wrong = self._lost = 0
        self._first_wrong, self._began = "", 0.0

    async def run(self, url: str, connections: int, seconds: float) -> Answered:
        """Connect, send what is due until the plan is over and all is answered, or too late."""
        (host, port, secure), loop = place_of(url), asyncio.get_running_loop()
        for number in range(connections):
            made = _Connection(number, self)
            await loop.create_connection(lambda made=made: made, host, port, ssl=secure)  # type: ignore[misc]
            self._free.append(made)
        opened, self._began = list(self._free), perf_counter()
        while True:
            now = perf_counter() - self._began
            self._send(now)
            idle, stuck = not self._outstanding, not self._free and not self._outstanding
            if now > seconds + GRACE or stuck or (idle and self._plan.over(now)):
                break
            # a look at the clock at every turn of the loop: timers are no finer than a millisecond
            await asyncio.sleep(0)
        rest = self._plan.rest()
        never = [NAN] * len(rest)
        answered = Answered(
            np.array(self._due + rest), np.array(self._sent + never), np.array(self._done + never), self._wrong,
            self._lost, max(seconds, perf_counter() - self._began), self._first_wrong,
        )  # fmt: skip
        for one in opened:
            one.transport.abort()
        return answered

    def _send(self, now: float) -> None:
        """Send what is due on the connections that are free."""
        for _ in range(len(self._free)):
            connection = self._free.popleft()
            due = self._plan.due(now, connection.number)
            if due is None:
                self._free.append(connection)
                continue
            self._due.append(due)
            self._sent.append(now)
            self._done.append(NAN)
            self._outstanding += 1
            connection.ask(next(self._asked), len(self._due) - 1)

    def answered(self, connection: "_Connection", place: int, right: bool, said: bytes) -> None:
        """Note an answer; its connection is free again."""
        self._done[place] = perf_counter() - self._began
        self._outstanding -= 1
        self._free.append(connection)
        if not right:
            self._wrong += 1
            self._first_wrong = self._first_wrong or said[:400].decode("utf-8", "replace")

    def broke(self, connection: "_Connection", asking: bool) -> None:
        """A connection ended, with or without a request outstanding; it is not made again."""
        self._lost += 1
        self._outstanding -= asking
        if connection in self._free:
            self._free.remove(connection)


class _Connection(asyncio.Protocol):
    """A keep-alive connection with at most one request outstanding."""

    transport: asyncio.Transport

    def __init__(self, number: int, load: _Load) -> None:
        self.number, self._load = number, load
        self._heard, self._right, self._place = b"", b"", -1
        self._asking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def ask(self, asked: Asked, place: int) -> None:
        """Send the request that is number `place` of the run."""
        self._heard, self._right, self._place, self._asking = b"", asked.right, place, True
        self.transport.write(asked.request)

    def data_received(self, data: bytes) -> None:
        self._heard = heard = self._heard + data if self._heard else data
        body = body_of(heard)
        if body is not None and self._asking:
            self._asking = False
            well = heard.startswith(b"HTTP/1.1 200 ") and body == self._right
            self._load.answered(self, self._place, well, heard)

    def connection_lost(self, _: Exception | None) -> None:
        self._load.broke(self, self._asking)
