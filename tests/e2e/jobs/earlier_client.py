import contextlib
import json
import pathlib
import sys

import requests
from nexus.cli import api_client


def read_argument(argument):
    if isinstance(argument, dict) and set(argument) == {"file"}:
        return pathlib.Path(argument["file"]).read_bytes()
    return argument


def call(name, arguments):
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return {"value": getattr(api_client, name)(*map(read_argument, arguments))}
    except requests.exceptions.HTTPError as error:
        return {"refused": error.response.status_code, "body": error.response.json()}


for line in sys.stdin:
    print(json.dumps(call(*json.loads(line))), flush=True)
