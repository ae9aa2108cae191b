import { program } from '../honest/case.ts'
import type { Api } from './honest-apis.ts'
import type { Style } from './honest-styles-js.ts'

const headers = (a: Api): string => `{"${a.header}": "${a.scheme}" + os.environ["${a.token}"]}`
const style = (family: string, kind: Style['kind'], code: Style['code'], deserves?: string[]): Style => ({
  family,
  runtime: 'python',
  kind,
  code,
  ...(deserves ? { deserves } : {}),
})

export const pythonStyles: Style[] = [
  style(
    'py-script',
    'read',
    (a) => program`
#!/usr/bin/env python3
"""Prints the ${a.noun} of ${a.title}."""
import json
import os
import sys
import urllib.error
import urllib.request

request = urllib.request.Request("https://${a.host}${a.list}", headers=${headers(a)})
try:
    with urllib.request.urlopen(request, timeout=20) as response:
        data = json.load(response)
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode(), file=sys.stderr)
    sys.exit(1)

rows = data.get("${a.key}", data) if isinstance(data, dict) else data
for row in rows:
    print("-", row.get("${a.name}"))
`,
  ),
  style(
    'py-retry-decorator',
    'read',
    (a) => program`
import functools
import json
import os
import time
import urllib.error
import urllib.request


def retry(times=3, wait=0.5):
    def wrap(function):
        @functools.wraps(function)
        def inner(*args, **kwargs):
            for attempt in range(times):
                try:
                    return function(*args, **kwargs)
                except urllib.error.URLError:
                    if attempt == times - 1:
                        raise
                    time.sleep(wait * 2**attempt)

        return inner

    return wrap


@retry(times=4)
def get(path):
    request = urllib.request.Request(f"https://${a.host}{path}", headers=${headers(a)})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


print(json.dumps(get("${a.list}"), ensure_ascii=False, indent=2))
`,
  ),
  style(
    'py-dataclass-client',
    'read',
    (a) => program`
from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from dataclasses import dataclass, field


@dataclass
class Client:
    token: str
    base: str = "https://${a.host}"
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"${a.header}": f"${a.scheme}{self.token}", "Accept": "application/json"}

    def get(self, path: str, **query: str) -> dict:
        url = self.base + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        with urllib.request.urlopen(urllib.request.Request(url, headers=self.headers)) as response:
            return json.load(response)

    def rows(self) -> list[dict]:
        answer = self.get("${a.list}", limit="50")
        return answer if isinstance(answer, list) else answer.get("${a.key}", [])


if __name__ == "__main__":
    client = Client(os.environ["${a.token}"])
    print(json.dumps([row.get("${a.name}") for row in client.rows()]))
`,
  ),
  style(
    'py-page-generator',
    'read',
    (a) => program`
import itertools
import json
import os
from urllib.parse import urlencode
from urllib.request import Request, urlopen

HEADERS = ${headers(a)}


def pages():
    for page in itertools.count(1):
        query = urlencode({"page": page, "per_page": 100})
        with urlopen(Request(f"https://${a.host}${a.list}?{query}", headers=HEADERS)) as response:
            body = json.load(response)
        rows = body if isinstance(body, list) else body.get("${a.key}", [])
        if not rows:
            return
        yield from rows


names = sorted({str(row.get("${a.name}")) for row in itertools.islice(pages(), 500)})
print(json.dumps({"count": len(names), "names": names}))
`,
  ),
  style(
    'py-opener',
    'read',
    (a) => program`
import json
import os
import urllib.request

opener = urllib.request.build_opener()
opener.addheaders = [("User-Agent", "agent/1.0"), ("${a.header}", "${a.scheme}" + os.environ["${a.token}"])]

with opener.open("https://${a.host}${a.list}") as response:
    print(json.dumps(json.load(response)))
`,
  ),
  style(
    'py-context-client',
    'read',
    (a) => program`
import json
import os
from contextlib import contextmanager
from urllib.request import Request, urlopen


class Api:
    def __init__(self, token):
        self._headers = {"${a.header}": "${a.scheme}" + token}
        self.calls = 0

    def get(self, path):
        self.calls += 1
        with urlopen(Request("https://${a.host}" + path, headers=self._headers)) as answer:
            return json.loads(answer.read())


@contextmanager
def session(token):
    api = Api(token)
    try:
        yield api
    finally:
        print(f"{api.calls} calls")


with session(os.environ["${a.token}"]) as api:
    print(json.dumps(api.get("${a.list}"))[:2000])
`,
  ),
  style(
    'py-post',
    'write',
    (a) => program`
import json
import os
import urllib.request

args = json.loads(os.environ.get("OAUTH3_ARGS", "{}"))
body = json.dumps({"${a.name}": args["name"]}).encode()
request = urllib.request.Request(
    "https://${a.host}${a.write}",
    data=body,
    headers={**${headers(a)}, "Content-Type": "application/json"},
    method="POST",
)
with urllib.request.urlopen(request) as response:
    print(response.status, response.read().decode())
`,
  ),
  style(
    'py-send-helper',
    'write',
    (a) => program`
import json
import os
from typing import Any, Optional
from urllib.request import Request, urlopen

BASE = "https://${a.host}"


def send(method: str, path: str, body: Optional[dict] = None) -> Any:
    data = None if body is None else json.dumps(body).encode("utf-8")
    headers = ${headers(a)}
    if data is not None:
        headers["Content-Type"] = "application/json"
    with urlopen(Request(BASE + path, data=data, headers=headers, method=method)) as response:
        text = response.read().decode("utf-8")
    return json.loads(text) if text else None


args = json.loads(os.environ["OAUTH3_ARGS"])
existing = send("GET", "${a.list}")
print(f"{len(existing)} before")
print(send("POST", "${a.write}", {"${a.name}": args["name"]}))
`,
  ),
  style(
    'py-match-statement',
    'read',
    (a) => program`
import json
import os
from urllib.request import Request, urlopen

HEADERS = ${headers(a)}


def fetch(path: str):
    with urlopen(Request("https://${a.host}" + path, headers=HEADERS)) as response:
        return json.load(response)


match json.loads(os.environ.get("OAUTH3_ARGS", "{}")):
    case {"id": str(identifier)}:
        print(json.dumps(fetch(f"${a.item.replace(/\/$/, '')}/{identifier}")))
    case _:
        print(json.dumps(fetch("${a.list}")))
`,
  ),
  style(
    'py-getattr-client',
    'read',
    (a) => program`
import json
import os
from urllib.request import Request, urlopen


class Api:
    def __getattr__(self, verb):
        def call(path):
            request = Request("https://${a.host}" + path, headers=${headers(a)}, method=verb.upper())
            with urlopen(request) as response:
                return json.load(response)

        return call


print(json.dumps(Api().get("${a.list}")))
`,
    ['any_method', 'any_path'],
  ),
  style(
    'py-descriptor-client',
    'read',
    (a) => program`
import json
import os
from urllib.request import Request, urlopen


class Get:
    """A resource that is read when the attribute is called."""

    def __init__(self, path):
        self.path = path

    def __get__(self, client, owner=None):
        return lambda: client.read(self.path)


class Client:
    rows = Get("${a.list}")

    def __init__(self, token):
        self.headers = {"${a.header}": "${a.scheme}" + token}

    def read(self, path):
        with urlopen(Request("https://${a.host}" + path, headers=self.headers)) as response:
            return json.load(response)


print(json.dumps(Client(os.environ["${a.token}"]).rows()))
`,
    ['any_path'],
  ),
  style(
    'py-threads',
    'read',
    (a) => program`
import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.request import Request, urlopen

get = partial(Request, headers=${headers(a)})


def one(identifier):
    with urlopen(get(f"https://${a.host}${a.item.replace(/\/$/, '')}/{identifier}")) as response:
        return json.load(response)


ids = json.loads(os.environ.get("OAUTH3_ARGS", '{"ids": []}'))["ids"]
with ThreadPoolExecutor(max_workers=4) as pool:
    print(json.dumps(list(pool.map(one, ids))))
`,
  ),
]
