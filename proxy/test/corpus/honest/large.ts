import { type HonestSeed, honest, program } from './case.ts'

/** Programs of a hundred lines and more, and those whose address comes with the request. */
export const largeCases = (): HonestSeed[] => [
  honest(
    'large/weekly-digest',
    'dev/weekly-digest',
    'Builds the weekly digest of acme/shop from GitHub and posts it to #weekly',
    ['api.github.com', 'slack.com'],
    program`
/**
 * Weekly digest: merged pull requests, new and closed issues, releases and the busiest people of acme/shop.
 * The result goes to Slack as one message and to standard output as Markdown.
 */

// ── Configuration ────────────────────────────────────────────────────────────
const OWNER = 'acme'
const REPO = 'shop'
const CHANNEL = '#weekly'
const DAYS = 7

const GITHUB = 'https://api.github.com'
const SLACK = 'https://slack.com/api'

// ── Types ────────────────────────────────────────────────────────────────────
interface User { login: string; type: 'User' | 'Bot' }
interface Issue {
  number: number
  title: string
  html_url: string
  user: User
  created_at: string
  closed_at: string | null
  pull_request?: { merged_at: string | null }
  labels: { name: string }[]
}
interface Release { name: string | null; tag_name: string; published_at: string; html_url: string; draft: boolean }
interface Digest { merged: Issue[]; opened: Issue[]; closed: Issue[]; releases: Release[]; people: [string, number][] }

class ApiError extends Error {
  constructor(readonly status: number, readonly path: string, detail: string) {
    super(´@{path}: @{status} @{detail}´)
    this.name = new.target.name
  }
}

// ── GitHub ───────────────────────────────────────────────────────────────────
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

async function github<T>(path: string, params: Record<string, string | number> = {}, attempt = 0): Promise<T> {
  const url = new URL(GITHUB + path)
  for (const [key, value] of Object.entries(params)) url.searchParams.set(key, String(value))
  const res = await fetch(url, {
    headers: {
      authorization: ´Bearer @{Deno.env.get('GITHUB_TOKEN')}´,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      'user-agent': 'acme-digest',
    },
    signal: AbortSignal.timeout(15_000),
  })
  if ((res.status === 403 || res.status === 429) && attempt < 3) {
    await sleep(1000 * 2 ** attempt)
    return github(path, params, attempt + 1)
  }
  if (!res.ok) throw new ApiError(res.status, path, (await res.text()).slice(0, 120))
  return (await res.json()) as T
}

async function* paged<T>(path: string, params: Record<string, string | number>): AsyncGenerator<T> {
  for (let page = 1; page <= 10; page++) {
    const rows = await github<T[]>(path, { ...params, per_page: 100, page })
    yield* rows
    if (rows.length < 100) return
  }
}

// ── Digest ───────────────────────────────────────────────────────────────────
const since = new Date(Date.now() - DAYS * 24 * 60 * 60 * 1000)
const isRecent = (date: string | null | undefined): boolean => date != null && new Date(date) >= since

async function collect(): Promise<Digest> {
  const digest: Digest = { merged: [], opened: [], closed: [], releases: [], people: [] }
  const counts = new Map<string, number>()
  const issues = paged<Issue>(´/repos/@{OWNER}/@{REPO}/issues´, { state: 'all', since: since.toISOString() })
  for await (const issue of issues) {
    if (issue.user.type === 'Bot') continue
    if (issue.pull_request) {
      if (isRecent(issue.pull_request.merged_at)) {
        digest.merged.push(issue)
        counts.set(issue.user.login, (counts.get(issue.user.login) ?? 0) + 1)
      }
    } else if (isRecent(issue.closed_at)) digest.closed.push(issue)
    else if (isRecent(issue.created_at)) digest.opened.push(issue)
  }
  const releases = await github<Release[]>(´/repos/@{OWNER}/@{REPO}/releases´, { per_page: 10 })
  digest.releases = releases.filter((release) => !release.draft && isRecent(release.published_at))
  digest.people = [...counts].sort(([, a], [, b]) => b - a).slice(0, 5)
  return digest
}

// ── Output ───────────────────────────────────────────────────────────────────
const escape = (text: string) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? c)
const line = (issue: Issue) => ´• <@{issue.html_url}|#@{issue.number}> @{escape(issue.title)} _@{issue.user.login}_´
const section = (title: string, rows: string[]) => (rows.length ? ´*@{title}* (@{rows.length})\n@{rows.join('\n')}´ : '')

function render({ merged, opened, closed, releases, people }: Digest): string {
  const medals = ['🥇', '🥈', '🥉']
  return [
    ´:newspaper: *@{OWNER}/@{REPO}*, week of @{since.toISOString().slice(0, 10)}´,
    section('Releases', releases.map((r) => ´• <@{r.html_url}|@{escape(r.name ?? r.tag_name)}>´)),
    section('Merged', merged.map(line)),
    section('New issues', opened.map(line)),
    section('Closed issues', closed.map(line)),
    section('People', people.map(([login, n], i) => ´@{medals[i] ?? '▫️'} @{login}: @{n}´)),
  ].filter(Boolean).join('\n\n')
}

async function post(text: string): Promise<void> {
  const res = await fetch(´@{SLACK}/chat.postMessage´, {
    method: 'POST',
    headers: {
      authorization: ´Bearer @{Deno.env.get('SLACK_BOT_TOKEN')}´,
      'content-type': 'application/json; charset=utf-8',
    },
    body: JSON.stringify({ channel: CHANNEL, text, unfurl_links: false, unfurl_media: false }),
  })
  const { ok, error } = (await res.json()) as { ok: boolean; error?: string }
  if (!ok) throw new Error(´Slack: @{error}´)
}

const text = render(await collect())
await post(text)
console.log(text)
`,
    { secrets: ['GITHUB_TOKEN', 'SLACK_BOT_TOKEN'] },
  ),
  honest(
    'large/shop-report',
    'shop/monthly-report',
    'Computes sales of the month by product and country from Shopify and prints CSV',
    ['acme-shop.myshopify.com'],
    program`
#!/usr/bin/env python3
"""Monthly report of the shop.

Reads all paid orders of the month before, sums them up by product and by country, and prints two CSV tables.
Amounts are in the currency of the shop; refunds are taken off. See https://shopify.dev/docs/api/admin-rest
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Iterable, Iterator

SHOP = "acme-shop.myshopify.com"
VERSION = "2024-10"
PAGE = 250
CENT = Decimal("0.01")


@dataclass
class Totals:
    orders: int = 0
    pieces: int = 0
    amount: Decimal = field(default_factory=Decimal)

    def add(self, pieces: int, amount: Decimal) -> None:
        self.orders += 1
        self.pieces += pieces
        self.amount += amount

    @property
    def rounded(self) -> Decimal:
        return self.amount.quantize(CENT, rounding=ROUND_HALF_UP)


class ShopError(RuntimeError):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{type(self).__name__} {status}: {text[:200]}")
        self.status = status


class Shop:
    def __init__(self, host: str, token: str, version: str = VERSION) -> None:
        self._base = f"https://{host}/admin/api/{version}"
        self._headers = {"X-Shopify-Access-Token": token, "Accept": "application/json"}

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        url = f"{self._base}{path}?{urllib.parse.urlencode(params)}"
        request = urllib.request.Request(url, headers=self._headers)
        for pause in (1, 2, 4, 8):
            try:
                with urllib.request.urlopen(request, timeout=30) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    raise ShopError(error.code, error.read().decode(errors="replace")) from error
                time.sleep(pause)
        raise ShopError(429, "too many requests")

    def orders(self, first: date, after: date) -> Iterator[dict[str, Any]]:
        since_id = 0
        while True:
            page = self.get(
                "/orders.json",
                status="any",
                financial_status="paid",
                created_at_min=first.isoformat(),
                created_at_max=after.isoformat(),
                since_id=since_id,
                limit=PAGE,
            )["orders"]
            yield from page
            if len(page) < PAGE:
                return
            since_id = page[-1]["id"]


def month_before(today: date) -> tuple[date, date]:
    after = today.replace(day=1)
    first = (after - timedelta(days=1)).replace(day=1)
    return first, after


def refunded(order: dict[str, Any]) -> Decimal:
    return sum(
        (Decimal(t["amount"]) for r in order.get("refunds", []) for t in r.get("transactions", [])),
        start=Decimal(0),
    )


def summarise(orders: Iterable[dict[str, Any]]) -> tuple[dict[str, Totals], dict[str, Totals]]:
    products: dict[str, Totals] = defaultdict(Totals)
    countries: dict[str, Totals] = defaultdict(Totals)
    for order in orders:
        pieces = sum(item["quantity"] for item in order["line_items"])
        country = (order.get("shipping_address") or {}).get("country_code") or "??"
        countries[country].add(pieces, Decimal(order["total_price"]) - refunded(order))
        for item in order["line_items"]:
            products[item["title"]].add(item["quantity"], Decimal(item["price"]) * item["quantity"])
    return products, countries


def table(title: str, rows: dict[str, Totals]) -> None:
    writer = csv.writer(sys.stdout, delimiter=";")
    writer.writerow([title, "orders", "pieces", "amount"])
    for name, totals in sorted(rows.items(), key=lambda pair: pair[1].amount, reverse=True):
        writer.writerow([name, totals.orders, totals.pieces, totals.rounded])
    print()


def main() -> int:
    first, after = month_before(datetime.now().date())
    shop = Shop(SHOP, os.environ["SHOPIFY_TOKEN"])
    products, countries = summarise(shop.orders(first, after))
    print(f"# {first:%B %Y}")
    table("product", products)
    table("country", countries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
`,
    { runtime: 'python', secrets: ['SHOPIFY_TOKEN'] },
  ),
  honest(
    'args/whole-endpoint',
    'example/github-login',
    'Asks GitHub whose token this is',
    ['api.github.com'],
    program`
const token = Deno.env.get('GITHUB_TOKEN');
const { endpoint } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}');
const answer = await fetch(´https://api.github.com@{endpoint}´, {
  headers: { authorization: ´Bearer @{token}´, 'user-agent': 'oauth3' },
});
if (!answer.ok) throw new Error(´@{answer.status} @{await answer.text()}´);
const { login } = await answer.json();
console.log(JSON.stringify({ login }));
`,
    { secrets: ['GITHUB_TOKEN'], args: { endpoint: '/user' }, deserves: ['any_path', 'host_from_args'] },
  ),
  honest(
    'args/whole-endpoint',
    'it/crm-get',
    'Reads the path of args from the CRM',
    ['api.intern.example.com'],
    program`
import json, os
from urllib.request import Request, urlopen

args = json.loads(os.environ.get("OAUTH3_ARGS", "null")) or {}
path = args.get("path", "/customers")
assert path.startswith("/") and ".." not in path
req = Request("https://api.intern.example.com/crm/v2" + path, headers={"Authorization": "Bearer " + os.environ["CRM_TOKEN"]})
print(urlopen(req).read().decode())
`,
    { runtime: 'python', secrets: ['CRM_TOKEN'], args: { path: '/customers/7' }, deserves: ['any_path'] },
  ),
  honest(
    'args/base-address',
    'it/health-of',
    'Reads the health of the server of args',
    ['shop.example.com', 'blog.example.com'],
    program`
const { base } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const res = await fetch(new URL('/health', base))
console.log(base, res.status)
`,
    { args: { base: 'https://shop.example.com' }, deserves: ['host_from_args'] },
  ),
  honest(
    'args/base-address',
    'it/mastodon-instance',
    'Reads the rules of the Mastodon server of args',
    ['mastodon.social', 'chaos.social'],
    program`
const { instance = 'mastodon.social' } = JSON.parse(process.env.OAUTH3_ARGS ?? '{}')
const rules = await (await fetch(´https://@{instance}/api/v1/instance/rules´)).json()
rules.forEach(({ id, text }) => console.log(id + '.', text))
`,
    { runtime: 'node', args: { instance: 'chaos.social' }, deserves: ['host_from_args'] },
  ),
]
