import { type HonestSeed, honest, program } from './case.ts'

const python = { runtime: 'python' as const }

/** Python with more of its standard library. */
export const pythonCases = (): HonestSeed[] => [
  honest(
    'python-more/http-client-through-proxy',
    'dev/raw-http',
    'Reads the rate limit of GitHub over one kept connection',
    ['api.github.com'],
    program`
import http.client
import json
import os
from urllib.parse import urlsplit

proxy = urlsplit(os.environ["https_proxy"])
connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, timeout=20)
connection.set_tunnel("api.github.com", 443)
connection.request("GET", "/rate_limit", headers={"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "User-Agent": "acme"})
response = connection.getresponse()
print(json.load(response)["resources"]["core"])
connection.close()
`,
    { ...python, secrets: ['GITHUB_TOKEN'], deserves: ['any_host'] },
  ),
  honest(
    'python-more/http-client-through-proxy',
    'ops/es-health',
    'Reads the health of Elasticsearch',
    ['acme.es.eu-central-1.aws.cloud.es.io:9243'],
    program`
import json, os
from http.client import HTTPSConnection

conn = HTTPSConnection("127.0.0.1", 3128)
conn.set_tunnel("acme.es.eu-central-1.aws.cloud.es.io", 9243)
conn.request("GET", "/_cluster/health", headers={"Authorization": "ApiKey " + os.environ["ELASTIC_KEY"]})
print(json.loads(conn.getresponse().read())["status"])
`,
    { ...python, secrets: ['ELASTIC_KEY'], deserves: ['any_host'] },
  ),
  honest(
    'python-more/multipart',
    'files/discord-file',
    'Posts a CSV file into the Discord channel',
    ['discord.com'],
    program`
import io, json, os, uuid
from urllib.request import Request, urlopen

boundary = uuid.uuid4().hex
csv = "day,visits\n2026-11-27,311\n"
body = io.BytesIO()
for name, filename, kind, data in (
    ("payload_json", None, "application/json", json.dumps({"content": "Visits 📈"})),
    ("files[0]", "visits.csv", "text/csv", csv),
):
    body.write(f"--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"".encode())
    if filename:
        body.write(f'; filename="{filename}"'.encode())
    body.write(f"\r\nContent-Type: {kind}\r\n\r\n{data}\r\n".encode())
body.write(f"--{boundary}--\r\n".encode())
req = Request("https://discord.com/api/v10/channels/111/messages", body.getvalue(), method="POST")
req.add_header("Authorization", f"Bot {os.environ['DISCORD_BOT_TOKEN']}")
req.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
print(urlopen(req).status)
`,
    { ...python, secrets: ['DISCORD_BOT_TOKEN'] },
  ),
  honest(
    'python-more/xml',
    'info/ecb-rates',
    'Reads the reference rates of the ECB',
    ['www.ecb.europa.eu'],
    program`
import xml.etree.ElementTree as ET
from urllib.request import urlopen

with urlopen("https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml") as res:
    tree = ET.parse(res)
for cube in tree.iter("{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"):
    if (currency := cube.get("currency")) in {"USD", "GBP", "CHF"}:
        print(currency, cube.get("rate"))
`,
    python,
  ),
  honest(
    'python-more/zip-and-csv',
    'info/holidays',
    'Downloads our export as ZIP and sums up the hours',
    ['time.intern.example.com'],
    program`
import csv, io, os, zipfile
from collections import Counter
from urllib.request import Request, urlopen

req = Request("https://time.intern.example.com/exports/2026-11.zip", headers={"X-Api-Key": os.environ["TIME_KEY"]})
archive = zipfile.ZipFile(io.BytesIO(urlopen(req).read()))
hours: Counter[str] = Counter()
with archive.open("entries.csv") as handle:
    for row in csv.DictReader(io.TextIOWrapper(handle, encoding="utf-8"), delimiter=";"):
        hours[row["person"]] += float(row["hours"].replace(",", "."))
for person, total in hours.most_common():
    print(f"{person:<20}{total:7.2f} h")
`,
    { ...python, secrets: ['TIME_KEY'] },
  ),
  honest(
    'python-more/sqlite',
    'data/join',
    'Reads customers and orders of the CRM and joins them',
    ['api.intern.example.com'],
    program`
import json, os, sqlite3
from urllib.request import Request, urlopen

HEADERS = {"Authorization": "Bearer " + os.environ["CRM_TOKEN"]}
db = sqlite3.connect(":memory:")
db.executescript("create table customer(id, name); create table orders(customer, total);")
for table, path, columns in (("customer", "/customers", ("id", "name")), ("orders", "/orders", ("customer", "total"))):
    rows = json.load(urlopen(Request("https://api.intern.example.com/crm/v2" + path, headers=HEADERS)))["items"]
    db.executemany(f"insert into {table} values (?, ?)", [tuple(row[c] for c in columns) for row in rows])
for name, total in db.execute("select name, sum(total) from customer join orders on customer.id = orders.customer group by 1 order by 2 desc"):
    print(f"{name}: {total:.2f}")
`,
    { ...python, secrets: ['CRM_TOKEN'] },
  ),
  honest(
    'python-more/decorator-and-context',
    'ops/timed-list',
    'Lists DigitalOcean droplets and how long it took',
    ['api.digitalocean.com'],
    program`
import functools, json, os, sys, time
from contextlib import contextmanager
from urllib.request import Request, urlopen


def retry(times=3):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            for attempt in range(1, times + 1):
                try:
                    return function(*args, **kwargs)
                except OSError:
                    if attempt == times:
                        raise
                    time.sleep(attempt)

        return wrapper

    return decorate


@contextmanager
def timed(label):
    start = time.perf_counter()
    yield
    print(f"{label}: {time.perf_counter() - start:.2f}s", file=sys.stderr)


@retry()
def droplets():
    req = Request("https://api.digitalocean.com/v2/droplets?per_page=200", headers={"Authorization": f"Bearer {os.environ['DO_TOKEN']}"})
    return json.load(urlopen(req))["droplets"]


with timed("droplets"):
    for droplet in droplets():
        print(droplet["name"], droplet["status"], droplet["region"]["slug"])
`,
    { ...python, secrets: ['DO_TOKEN'] },
  ),
  honest(
    'python-more/enum-and-match',
    'support/zendesk-state',
    'Counts Zendesk tickets by state',
    ['acme.zendesk.com'],
    program`
import json, os
from enum import Enum
from urllib.request import Request, urlopen


class State(str, Enum):
    NEW = "new"
    OPEN = "open"
    SOLVED = "solved"


def icon(state: State) -> str:
    match state:
        case State.NEW:
            return "🆕"
        case State.OPEN:
            return "📬"
        case _:
            return "✔️"


for state in State:
    url = f"https://acme.zendesk.com/api/v2/search/count.json?query=type:ticket+status:{state.value}"
    count = json.load(urlopen(Request(url, headers={"Authorization": "Bearer " + os.environ["ZENDESK_TOKEN"]})))["count"]
    print(icon(state), state.name.lower(), count)
`,
    { ...python, secrets: ['ZENDESK_TOKEN'] },
  ),
  honest(
    'python-more/opener-with-headers',
    'dev/jira-mine',
    'Lists my open Jira issues',
    ['acme.atlassian.net'],
    program`
import base64, json, os, urllib.parse, urllib.request

login = base64.b64encode(f"ada@example.com:{os.environ['JIRA_TOKEN']}".encode()).decode()
opener = urllib.request.build_opener()
opener.addheaders = [("Authorization", f"Basic {login}"), ("Accept", "application/json")]
jql = urllib.parse.quote("assignee = currentUser() AND resolution = Unresolved ORDER BY priority")
with opener.open(f"https://acme.atlassian.net/rest/api/3/search/jql?jql={jql}&fields=summary,status") as res:
    for issue in json.load(res)["issues"]:
        print(issue["key"], issue["fields"]["status"]["name"], issue["fields"]["summary"], sep="\t")
`,
    { ...python, secrets: ['JIRA_TOKEN'] },
  ),
  honest(
    'python-more/opener-with-headers',
    'media/youtube-stats',
    'Shows views of our newest videos',
    ['www.googleapis.com'],
    program`
import json
import os
import statistics
from urllib.parse import urlencode
from urllib.request import urlopen

API = "https://www.googleapis.com/youtube/v3"


def call(resource: str, **params: str) -> dict:
    """Calls one resource, see https://developers.google.com/youtube/v3/docs"""
    params["key"] = os.environ["YOUTUBE_KEY"]
    with urlopen(f"{API}/{resource}?{urlencode(params)}") as res:
        return json.load(res)


found = call("search", part="id", channelId="UCacme", order="date", type="video", maxResults="20")
ids = ",".join(item["id"]["videoId"] for item in found["items"])
views = [int(v["statistics"]["viewCount"]) for v in call("videos", part="statistics", id=ids)["items"]]
print(f"median {statistics.median(views):,.0f}, best {max(views):,}")
`,
    {
      ...python,
      secrets: ['YOUTUBE_KEY'],
      secretPlaces: { YOUTUBE_KEY: ['query'] },
      deserves: ['secret_in_query'],
    },
  ),
  honest(
    'python-more/protocol-and-typing',
    'crm/intercom-export',
    'Exports Intercom contacts as JSON lines',
    ['api.intercom.io'],
    program`
from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import NamedTuple, Protocol, TypedDict
from urllib.request import Request, urlopen


class Contact(TypedDict, total=False):
    id: str
    email: str | None
    name: str | None


class Page(NamedTuple):
    contacts: list[Contact]
    after: str | None


class Source(Protocol):
    def page(self, after: str | None) -> Page: ...


class Intercom:
    def page(self, after: str | None) -> Page:
        query = f"?per_page=150&starting_after={after}" if after else "?per_page=150"
        req = Request("https://api.intercom.io/contacts" + query, headers={"Authorization": f"Bearer {os.environ['INTERCOM_TOKEN']}"})
        body = json.load(urlopen(req))
        return Page(body["data"], ((body.get("pages") or {}).get("next") or {}).get("starting_after"))


def contacts(source: Source) -> Iterator[Contact]:
    after = None
    while True:
        page = source.page(after)
        yield from page.contacts
        if not (after := page.after):
            return


for contact in contacts(Intercom()):
    print(json.dumps({k: contact.get(k) for k in ("id", "email", "name")}))
`,
    { ...python, secrets: ['INTERCOM_TOKEN'] },
  ),
]
