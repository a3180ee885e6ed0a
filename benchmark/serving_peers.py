"""The same answers from other servers: FastAPI as one first writes it, and a bare ASGI callable with msgspec.

Both keep their one model in memory, have no versions, store nothing, check no name and give no p-value: what they save
is in their favour. Run by uvicorn: `uvicorn --factory serving_peers:plain`.
"""

from typing import Any

import msgspec
import numpy as np
import orjson

MODELS = {"peer": (10.6, 0.4472135954999579)}
LIMIT = 3.0


class Reading(msgspec.Struct):
    """Body of a prediction."""

    timestamp: int | str
    value: float


class Readings(msgspec.Struct):
    """Body of a batch of predictions."""

    values: list[float]
    timestamps: list[int] = []


def plain() -> Any:
    """FastAPI with pydantic bodies and `list[float]`."""
    from fastapi import FastAPI, HTTPException
    from pydantic import BaseModel

    class One(BaseModel):
        timestamp: int | str
        value: float

    class Many(BaseModel):
        values: list[float]
        timestamps: list[int] = []

    app = FastAPI()

    @app.post("/predict/{series_id}")
    async def predict(series_id: str, sent: One) -> dict[str, Any]:
        if series_id not in MODELS:
            raise HTTPException(404)
        level, spread = MODELS[series_id]
        score = (sent.value - level) / spread
        return {"series_id": series_id, "anomaly": score > LIMIT, "score": score}

    @app.post("/predict/{series_id}/batch")
    async def batch(series_id: str, sent: Many) -> dict[str, Any]:
        if series_id not in MODELS:
            raise HTTPException(404)
        level, spread = MODELS[series_id]
        score = (np.asarray(sent.values) - level) / spread
        return {"series_id": series_id, "anomaly": (score > LIMIT).tolist(), "score": score.tolist()}

    return app


def bare() -> Any:
    """A raw ASGI callable with typed bodies by msgspec."""
    one, many = msgspec.json.Decoder(Reading).decode, msgspec.json.Decoder(Readings).decode

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        series_id, _, batch = scope["path"].removeprefix("/predict/").partition("/")
        # an empty body asks whether it is there
        status, answer = (404 if body else 200), b"{}"
        if body and series_id in MODELS:
            level, spread = MODELS[series_id]
            if batch:
                scores = (np.asarray(many(body).values) - level) / spread
                said: dict[str, Any] = {"anomaly": scores > LIMIT, "score": scores}
                option = orjson.OPT_SERIALIZE_NUMPY
            else:
                score = (one(body).value - level) / spread
                said, option = {"anomaly": score > LIMIT, "score": score}, 0
            status, answer = 200, orjson.dumps({"series_id": series_id, **said}, option=option)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app
