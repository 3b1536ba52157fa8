"""A server with FastAPI whose tokens PyJWT verifies, with the keys of the issuer kept."""
import json
import os

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

answer = json.loads(os.environ["ANSWER"])
keys = jwt.PyJWKClient(os.environ["JWKS_URL"])
app = FastAPI()


def admitted(authorization: str = Header(default="")) -> None:
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer" or not token:
        raise HTTPException(401, "invalid_token")
    try:
        key = keys.get_signing_key_from_jwt(token).key
        jwt.decode(token, key, algorithms=["RS256"], audience=os.environ["AUDIENCE"], issuer=os.environ["ISSUER"])
    except jwt.PyJWTError:
        raise HTTPException(401, "invalid_token")


@app.get("/public")
async def public() -> dict:
    return answer


@app.get("/task", dependencies=[Depends(admitted)])
async def task() -> dict:
    return answer
