import { program } from './case.ts'
import type { Style } from './style.ts'

/** Ways to write the same in Python with the standard library. */
export const PYTHON_STYLES: Style[] = (
  [
    {
      family: 'python/urlopen',
      code: (c) => program`
import base64
import json
import os
import urllib.request

token = ${c.env}
request = urllib.request.Request(
    "${c.url}",
    headers=${c.pyHeaders},
)
with urllib.request.urlopen(request, timeout=20) as response:
    body = json.load(response)
print(json.dumps(${c.list}, indent=2, ensure_ascii=False))
`,
    },
    {
      family: 'python/api-function',
      code: (c) => program`
"""Reads ${c.purpose}."""
import base64, json, os, sys
from urllib.request import Request, urlopen
from urllib.error import HTTPError

BASE = "${c.root}"
token = ${c.env}


def api(path: str, method: str = "GET", payload: dict | None = None):
    data = json.dumps(payload).encode() if payload is not None else None
    req = Request(BASE + path, data=data, method=method, headers=${c.pyHeaders})
    if data:
        req.add_header("Content-Type", "application/json")
    try:
        with urlopen(req) as res:
            return json.loads(res.read() or b"null")
    except HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()[:200]}")


if __name__ == "__main__":
    body = api("${c.path}${c.query}")
    print(json.dumps(${c.list}))
`,
    },
    {
      family: 'python/dataclass-client',
      code: (c) => program`
from __future__ import annotations

import base64
import json
import os
import urllib.request
from dataclasses import dataclass, field, asdict
from typing import Any


@dataclass
class Item:
    id: str
    name: str = ""
    extra: dict[str, Any] = field(default_factory=dict, repr=False)


class Client:
    base_url = "${c.root}"

    def __init__(self, token: str) -> None:
        self._token = token

    def _get(self, path: str) -> Any:
        token = self._token
        req = urllib.request.Request(f"{self.base_url}{path}", headers=${c.pyHeaders})
        with urllib.request.urlopen(req) as res:
            return json.load(res)

    def items(self) -> list[Item]:
        body = self._get("${c.path}${c.query}")
        return [Item(str(row.get("id")), row.get("name") or row.get("title") or "", row) for row in ${c.list}]


client = Client(${c.env})
for item in client.items():
    print(json.dumps({k: v for k, v in asdict(item).items() if k != "extra"}))
`,
    },
    {
      family: 'python/urlencode-and-csv',
      code: (c) => program`
import base64
import csv
import json
import os
import sys
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode, urljoin
from urllib.request import Request, urlopen

token = ${c.env}
since = datetime.now(timezone.utc) - timedelta(days=30)
query = urlencode({"since": since.strftime("%Y-%m-%dT%H:%M:%SZ"), **${JSON.stringify(c.params)}})
url = urljoin("${c.origin}", "${c.api.base}${c.path}") + "?" + query
body = json.load(urlopen(Request(url, headers=${c.pyHeaders})))

writer = csv.DictWriter(sys.stdout, fieldnames=["id", "name", "created"], extrasaction="ignore")
writer.writeheader()
for row in ${c.list}:
    writer.writerow({"id": row.get("id"), "name": row.get("name", ""), "created": row.get("created_at", "")})
`,
    },
    {
      family: 'python/namedtuple-itertools',
      code: (c) => program`
import base64
import itertools
import json
import os
import urllib.request
from collections import Counter, defaultdict, namedtuple
from operator import itemgetter

Row = namedtuple("Row", "key count")
token = ${c.env}
req = urllib.request.Request("${c.url}")
for name, value in ${c.pyHeaders}.items():
    req.add_header(name, value)
with urllib.request.urlopen(req) as res:
    body = json.loads(res.read().decode("utf-8"))

rows = sorted((dict(row, state=row.get("state") or "?") for row in ${c.list}), key=itemgetter("state"))
groups = {key: len(list(group)) for key, group in itertools.groupby(rows, key=itemgetter("state"))}
top = [Row(*pair) for pair in Counter(groups).most_common(5)]
index = defaultdict(list)
for row in rows:
    index[row["state"]].append(row.get("id"))
print(json.dumps({"top": [row._asdict() for row in top], "index": index}, default=str))
`,
    },
    {
      family: 'python/retry',
      code: (c) => program`
import base64
import json
import os
import random
import time
import urllib.error
import urllib.request

token = ${c.env}


def fetch(url, attempts=4):
    for attempt in range(attempts):
        try:
            req = urllib.request.Request(url, headers=${c.pyHeaders})
            with urllib.request.urlopen(req, timeout=15) as res:
                return json.load(res)
        except urllib.error.HTTPError as err:
            if err.code not in (429, 500, 502, 503) or attempt == attempts - 1:
                raise
            time.sleep(2**attempt + random.random())


body = fetch("${c.url}")
print(len(${c.list}))
`,
    },
    {
      family: 'python/paging-generator',
      code: (c) => program`
import base64, json, os
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from typing import Iterator

API = "${c.root}"
token = ${c.env}


def pages(path: str, size: int = 100) -> Iterator[dict]:
    page = 1
    while True:
        url = f"{API}{path}?{urlencode({'page': page, 'per_page': size})}"
        with urlopen(Request(url, headers=${c.pyHeaders})) as res:
            body = json.load(res)
        rows = ${c.list}
        yield from rows
        if len(rows) < size:
            return
        page += 1


print(sum(1 for _ in pages("${c.path}")))
`,
    },
    {
      family: 'python/async-to-thread',
      code: (c) => program`
import asyncio
import base64
import json
import os
import urllib.request

token = ${c.env}
HEADERS = ${c.pyHeaders}


def get(path: str):
    with urllib.request.urlopen(urllib.request.Request("${c.root}" + path, headers=HEADERS)) as res:
        return json.load(res)


async def main() -> None:
    paths = [f"${c.path}?page={page}" for page in range(1, 4)]
    results = await asyncio.gather(*(asyncio.to_thread(get, path) for path in paths))
    for page, body in enumerate(results, start=1):
        print(page, len(${c.list}))


asyncio.run(main())
`,
    },
    {
      family: 'python/argparse-defaults',
      args: { limit: 3 },
      code: (c) => program`
#!/usr/bin/env python3
# License: MIT – see https://opensource.org/license/mit
import argparse
import base64
import json
import os
import sys
import urllib.request

parser = argparse.ArgumentParser(description="${c.purpose}")
parser.add_argument("--limit", type=int, default=10)
parser.add_argument("--format", choices=["json", "text"], default="text")


def main(argv=None) -> int:
    options = parser.parse_args(argv or [])
    options.limit = (json.loads(os.environ.get("OAUTH3_ARGS", "null")) or {}).get("limit", options.limit)
    token = ${c.env}
    req = urllib.request.Request("${c.url}", headers=${c.pyHeaders})
    with urllib.request.urlopen(req) as res:
        body = json.load(res)
    for row in ${c.list}[: options.limit]:
        print(f"{row.get('id')!s:>12}  {row.get('name') or row.get('title') or '-'}")
    return 0


sys.exit(main())
`,
    },
    {
      family: 'python/stated-capability',
      stated: true,
      code: (c) => program`
import base64, json, os, urllib.request

token = ${c.env}
req = urllib.request.Request("${c.url}", method="GET", headers=${c.pyHeaders})
body = json.load(urllib.request.urlopen(req))
print(json.dumps(${c.list}))
`,
    },
  ] satisfies Style[]
).map((style) => ({ ...style, runtime: 'python' as const }))

/** Ways to change one thing in Python. */
export const PYTHON_WRITE_STYLES: Style[] = (
  [
    {
      family: 'python-write/request-with-method',
      code: (c) => program`
import base64
import json
import os
import urllib.request

token = ${c.env}
payload = ${c.body}
req = urllib.request.Request(
    "${c.url}",
    data=json.dumps(payload).encode("utf-8"),
    headers={**${c.pyHeaders}, "Content-Type": "application/json"},
    method="${c.method}",
)
with urllib.request.urlopen(req) as res:
    print(res.status, res.read().decode())
`,
    },
    {
      family: 'python-write/session-class',
      code: (c) => program`
import base64, json, os
from urllib.request import Request, urlopen


class Session:
    def __init__(self, base, headers):
        self.base, self.headers = base, headers

    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, "content-type": "application/json"}
        with urlopen(Request(self.base + path, data, headers, method=method)) as res:
            return res.read().decode()

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body):
        return self.request("POST", path, body)

    def put(self, path, body):
        return self.request("PUT", path, body)

    def patch(self, path, body):
        return self.request("PATCH", path, body)

    def delete(self, path, body=None):
        return self.request("DELETE", path, body)


token = ${c.env}
session = Session("${c.root}", ${c.pyHeaders})
print(session.${c.method.toLowerCase()}("${c.path}", ${c.body}))
`,
    },
  ] satisfies Style[]
).map((style) => ({ ...style, runtime: 'python' as const }))
