import { type HonestSeed, program } from '../honest/case.ts'
import { plain } from './honest-short.ts'

/** Ordinary work: workflows over hosts, jobs that are waited for, uploads, changes that are described. */
export const workProgramsMore: HonestSeed[] = [
  plain(
    'own-subdomain',
    'Shows my Jira sprint',
    'acme.atlassian.net',
    'JIRA_BASIC',
    program`
const jql = encodeURIComponent('sprint in openSprints() and assignee = currentUser()')
const r = await fetch('https://acme.atlassian.net/rest/api/3/search/jql?fields=summary,status&jql=' + jql, { headers: { authorization: 'Basic ' + process.env.JIRA_BASIC } })
for (const { key, fields } of (await r.json()).issues) console.log(key, fields.status.name, fields.summary)
`,
    { runtime: 'node' },
  ),
  plain(
    'own-subdomain',
    'Sums up unread mail',
    'gmail.googleapis.com',
    'GMAIL_TOKEN',
    program`
const r = await fetch('https://gmail.googleapis.com/gmail/v1/users/me/labels/INBOX', { headers: { authorization: 'Bearer ' + process.env.GMAIL_TOKEN } })
const { messagesUnread } = await r.json()
console.log(messagesUnread === 0 ? 'nothing' : messagesUnread)
`,
    { runtime: 'quickjs' },
  ),
  plain(
    'own-subdomain',
    'Liest die Warteschlange in Zendesk',
    'acme.zendesk.com',
    'ZENDESK_BASIC',
    program`
const views = { offen: 360001, neu: 360002 } as const
for (const [name, id] of Object.entries(views)) {
  const r = await fetch(´https://acme.zendesk.com/api/v2/views/@{id}/count.json´, { headers: { authorization: ´Basic @{Deno.env.get('ZENDESK_BASIC')}´ } })
  console.log(name, (await r.json()).view_count.value)
}
`,
  ),
  plain(
    'path-by-args',
    'Calls whichever read address of SonarCloud you name',
    'sonarcloud.io',
    'SONAR_TOKEN',
    program`
const { path } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
if (!/^\/api\/[a-z_/]+$/.test(path)) throw new Error('only /api/…')
const r = await fetch(´https://sonarcloud.io@{path}´, { headers: { authorization: ´Bearer @{Deno.env.get('SONAR_TOKEN')}´ } })
console.log(await r.text())
`,
    { deserves: ['any_path', 'host_from_args'] },
  ),
  plain(
    'path-by-args',
    'Reads one CouchDB document',
    'couch.acme.example',
    'COUCH_BASIC',
    program`
import json, os
from urllib.parse import quote
from urllib.request import Request, urlopen

a = json.loads(os.environ["OAUTH3_ARGS"])
url = f"https://couch.acme.example/{quote(a['db'], safe='')}/{quote(a['id'], safe='')}"
print(urlopen(Request(url, headers={"authorization": "Basic " + os.environ["COUCH_BASIC"]})).read().decode())
`,
    { runtime: 'python', deserves: ['any_path'] },
  ),
  plain(
    'described-removal',
    'Deletes Hetzner snapshots older than 30 days',
    'api.hetzner.cloud',
    'HCLOUD_TOKEN',
    program`
const headers = { authorization: ´Bearer @{Deno.env.get('HCLOUD_TOKEN')}´ }
const { images } = await (await fetch('https://api.hetzner.cloud/v1/images?type=snapshot', { headers })).json()
const limit = Date.now() - 30 * 86_400_000
for (const { id, created } of images) {
  if (Date.parse(created) > limit) continue
  const r = await fetch(´https://api.hetzner.cloud/v1/images/@{id}´, { method: 'DELETE', headers })
  console.log('deleted', id, r.status)
}
`,
  ),
  plain(
    'described-removal',
    'Supprime une tâche Todoist',
    'api.todoist.com',
    'TODOIST_TOKEN',
    program`
const r = await fetch('https://api.todoist.com/rest/v2/tasks/' + encodeURIComponent(args.id), {
  method: 'DELETE',
  headers: { authorization: 'Bearer ' + process.env.TODOIST_TOKEN },
})
console.log(r.status === 204 ? 'supprimée' : await r.text())
`,
    { runtime: 'quickjs' },
  ),
  plain(
    'described-removal',
    'Purges the Bunny cache of one page',
    'api.bunny.net',
    'BUNNY_KEY',
    program`
import os
from urllib.parse import quote
from urllib.request import Request, urlopen

page = quote("https://www.acme.example/news", safe="")
r = urlopen(Request(f"https://api.bunny.net/purge?url={page}", headers={"AccessKey": os.environ["BUNNY_KEY"]}, method="POST"))
print(r.status)
`,
    { runtime: 'python' },
  ),
  plain(
    'described-change',
    'Renames a Clockify project',
    'api.clockify.me',
    'CLOCKIFY_KEY',
    program`
const { workspace, project, name } = JSON.parse(process.env.OAUTH3_ARGS)
const r = await fetch(´https://api.clockify.me/api/v1/workspaces/@{workspace}/projects/@{project}´, {
  method: 'PUT',
  headers: { 'x-api-key': process.env.CLOCKIFY_KEY, 'content-type': 'application/json' },
  body: JSON.stringify({ name }),
})
console.log(r.status)
`,
    { runtime: 'node' },
  ),
  plain(
    'described-change',
    'Switches the porch light on',
    'home.acme.example',
    'HASS_TOKEN',
    program`
const call = async (service: 'turn_on' | 'turn_off', entity_id: string) => {
  const r = await fetch(´https://home.acme.example/api/services/light/@{service}´, {
    method: 'POST',
    headers: { authorization: ´Bearer @{Deno.env.get('HASS_TOKEN')}´ },
    body: JSON.stringify({ entity_id }),
  })
  return r.json()
}
console.log(await call('turn_on', 'light.porch'))
`,
  ),
  plain(
    'described-change',
    'Pone el estado de una incidencia en GlitchTip',
    'app.glitchtip.com',
    'GLITCH_TOKEN',
    program`
import json, os
from urllib.request import Request, urlopen

a = json.loads(os.environ["OAUTH3_ARGS"])
r = Request(
    f"https://app.glitchtip.com/api/0/issues/{int(a['issue'])}/",
    data=json.dumps({"status": "resolved"}).encode(),
    headers={"Authorization": "Bearer " + os.environ["GLITCH_TOKEN"], "Content-Type": "application/json"},
    method="PUT",
)
print(urlopen(r).status)
`,
    { runtime: 'python' },
  ),
  plain(
    'packages',
    'Validates the feed of our podcast',
    'feeds.acme.example',
    '',
    program`
import { z } from 'npm:zod@4.1.0'

const Episode = z.object({ title: z.string().min(3), url: z.url(), minutes: z.number().int().positive() })
const r = await fetch('https://feeds.acme.example/podcast.json')
const checked = z.array(Episode).safeParse(await r.json())
console.log(checked.success ? ´@{checked.data.length} episodes´ : z.prettifyError(checked.error))
`,
  ),
  plain(
    'packages',
    'Prints a report as a table',
    'stats.acme.example',
    'STATS_TOKEN',
    program`
import { format, subDays } from 'npm:date-fns@4.1.0'
import { stringify } from 'jsr:@std/csv@1.0.6'

const from = format(subDays(new Date(), 7), 'yyyy-MM-dd')
const r = await fetch(´https://stats.acme.example/v1/visits?from=@{from}´, { headers: { 'x-token': Deno.env.get('STATS_TOKEN') ?? '' } })
console.log(stringify(await r.json(), { columns: ['day', 'visits'] }))
`,
  ),
  plain(
    'node-tools',
    'Hashes the files of a release',
    'dl.acme.example',
    '',
    program`
import { createHash } from 'node:crypto'
import { writeFile, readFile, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const folder = await mkdtemp(join(tmpdir(), 'release-'))
for (const name of ['web.tar.gz', 'cli.tar.gz']) {
  const r = await fetch(´https://dl.acme.example/v3/@{name}´)
  await writeFile(join(folder, name), Buffer.from(await r.arrayBuffer()))
  const hash = createHash('sha256')
  await pipeline([await readFile(join(folder, name))], hash)
  console.log(hash.digest('hex'), name)
}
`,
    { runtime: 'node' },
  ),
  plain(
    'node-tools',
    'Counts log levels of the last hour',
    'logs.acme.example',
    'LOGS_TOKEN',
    program`
const { EventEmitter, once } = require('node:events')
const { parseArgs } = require('node:util')

const { values } = parseArgs({ args: [], options: { hours: { type: 'string', default: '1' } } })
const counter = new EventEmitter()
const levels = {}
counter.on('line', (line) => { levels[line.level] = (levels[line.level] ?? 0) + 1 })

async function main() {
  const r = await fetch('https://logs.acme.example/api/lines?hours=' + values.hours, { headers: { authorization: 'Bearer ' + process.env.LOGS_TOKEN } })
  for (const line of await r.json()) counter.emit('line', line)
  setImmediate(() => counter.emit('end'))
  await once(counter, 'end')
  console.log(levels)
}
main()
`,
    { runtime: 'node' },
  ),
]
