import { type HonestSeed, program } from '../honest/case.ts'
import { plain } from './honest-short.ts'

/** Long programs, as agents write them when a task has several steps. */
export const longProgramsMore: HonestSeed[] = [
  plain(
    'long-checks',
    'Checks that our sites answer, and posts a summary to Zulip',
    'www.acme.example shop.acme.example docs.acme.example chat.acme.example',
    'ZULIP_BASIC',
    program`
type Status = 'ok' | 'slow' | 'wrong' | 'down'

interface Site {
  name: string
  url: string
  expect: RegExp
  slow: number
}

interface Finding {
  site: Site
  status: Status
  ms: number
  detail: string
}

const SITES: readonly Site[] = [
  { name: 'Website', url: 'https://www.acme.example/', expect: /<title>Acme/, slow: 1500 },
  { name: 'Shop', url: 'https://shop.acme.example/health', expect: /"status":"up"/, slow: 800 },
  { name: 'Docs', url: 'https://docs.acme.example/index.json', expect: /"version"/, slow: 1000 },
]

const ICONS: Record<Status, string> = { ok: '✅', slow: '🐢', wrong: '⚠️', down: '🔥' }

async function check(site: Site): Promise<Finding> {
  const start = performance.now()
  try {
    const response = await fetch(site.url, { signal: AbortSignal.timeout(10_000), headers: { accept: '*/*' } })
    const text = await response.text()
    const ms = Math.round(performance.now() - start)
    if (!response.ok) return { site, status: 'down', ms, detail: ´HTTP @{response.status}´ }
    if (!site.expect.test(text)) return { site, status: 'wrong', ms, detail: 'unexpected content' }
    return { site, status: ms > site.slow ? 'slow' : 'ok', ms, detail: '' }
  } catch (error) {
    const ms = Math.round(performance.now() - start)
    return { site, status: 'down', ms, detail: error instanceof Error ? error.message : String(error) }
  }
}

function line({ site, status, ms, detail }: Finding): string {
  const rest = detail ? ´ (@{detail})´ : ''
  return ´@{ICONS[status]} **@{site.name}**: @{status}, @{ms} ms@{rest}´
}

async function post(content: string): Promise<void> {
  const body = new URLSearchParams({ type: 'stream', to: 'operations', topic: 'site checks', content })
  const response = await fetch('https://chat.acme.example/api/v1/messages', {
    method: 'POST',
    headers: { authorization: ´Basic @{Deno.env.get('ZULIP_BASIC')}´ },
    body,
  })
  if (!response.ok) throw new Error(´Zulip: @{response.status} @{await response.text()}´)
}

const findings: Finding[] = []
for (const site of SITES) {
  let finding = await check(site)
  if (finding.status === 'down') {
    await new Promise((done) => setTimeout(done, 2000))
    finding = await check(site)
  }
  findings.push(finding)
}

const bad = findings.filter(({ status }) => status !== 'ok')
const head = bad.length === 0 ? 'All sites answer.' : ´@{bad.length} of @{findings.length} sites need a look.´
await post([head, '', ...findings.map(line)].join('\n'))
console.log(JSON.stringify(findings.map(({ site, status, ms }) => ({ name: site.name, status, ms }))))
`,
  ),
  plain(
    'long-migration',
    'Creates our standard labels in every Codeberg repository of the organisation',
    'codeberg.org',
    'CODEBERG_TOKEN',
    program`
#!/usr/bin/env python3
"""Creates labels that are missing, sets colour and description of those that differ."""
import argparse
import json
import os
import textwrap
from collections import Counter
from collections.abc import Iterable
from urllib.request import Request, urlopen

ROOT = "https://codeberg.org/api/v1"
STANDARD = {
    "bug": ("#d73a4a", "Something does not work"),
    "docs": ("#0075ca", "Text for readers"),
    "idea": ("#a2eeef", "Not decided yet"),
    "ready": ("#0e8a16", "Can be taken"),
    "blocked": ("#b60205", "Waits for something else"),
}


class Forge:
    def __init__(self, token: str, dry_run: bool):
        self.token = token
        self.dry_run = dry_run
        self.counts: Counter[str] = Counter()

    def _send(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        with urlopen(Request(ROOT + path, data=data, headers=headers, method=method), timeout=30) as response:
            return json.load(response)

    def repositories(self, organisation: str) -> Iterable[str]:
        page = 1
        while rows := self._send("GET", f"/orgs/{organisation}/repos?limit=50&page={page}"):
            yield from (row["name"] for row in rows if not row["archived"])
            page += 1

    def labels(self, owner: str, name: str) -> dict[str, dict]:
        return {row["name"]: row for row in self._send("GET", f"/repos/{owner}/{name}/labels?limit=100")}

    def create(self, owner: str, name: str, label: str, colour: str, text: str) -> None:
        self.counts["created"] += 1
        if self.dry_run:
            return
        self._send("POST", f"/repos/{owner}/{name}/labels", {"name": label, "color": colour, "description": text})

    def change(self, owner: str, name: str, identifier: int, colour: str, text: str) -> None:
        self.counts["changed"] += 1
        if self.dry_run:
            return
        self._send("PATCH", f"/repos/{owner}/{name}/labels/{identifier}", {"color": colour, "description": text})


def normal(colour: str) -> str:
    return "#" + colour.lstrip("#").lower()


def arrange(forge: Forge, owner: str, name: str) -> None:
    present = forge.labels(owner, name)
    for label, (colour, text) in STANDARD.items():
        row = present.get(label)
        if row is None:
            forge.create(owner, name, label, colour, text)
        elif normal(row["color"]) != colour or row.get("description", "") != text:
            forge.change(owner, name, row["id"], colour, text)
        else:
            forge.counts["same"] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=textwrap.dedent(__doc__ or ""))
    parser.add_argument("--organisation", required=True)
    parser.add_argument("--dry-run", action="store_true")
    given = json.loads(os.environ["OAUTH3_ARGS"])
    words = ["--organisation", given["organisation"]] + (["--dry-run"] if given.get("dry_run") else [])
    options = parser.parse_args(words)
    forge = Forge(os.environ["CODEBERG_TOKEN"], options.dry_run)
    for name in forge.repositories(options.organisation):
        arrange(forge, options.organisation, name)
        print(name)
    print(json.dumps(forge.counts))


if __name__ == "__main__":
    main()
`,
    { runtime: 'python' },
  ),
]
