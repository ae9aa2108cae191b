import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { SETTINGS } from '../src/config/index.ts'
import { readCommandLine } from './command-line.ts'
import { restartOnChange } from './restart-on-change.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'proxy/src/main.ts')
const FIRST_SETTINGS = `# Settings of \`npm run dev\`; the names are in docs/reference/configuration.md.
PORT=3738
OAUTH3_SANDBOX=auto
LOG_LEVEL=debug
`

const { values } = readCommandLine({
  command: 'npm run dev',
  does: `The daemon from its sources, started anew when one changes. It has a database, a key and settings of its own: neither the
shell's settings nor the checkout's .env count, so that nobody develops on the real vault, bot or audit by mistake.`,
  options: {
    state: { type: 'string', default: join(ROOT, 'data/dev'), takes: 'FOLDER', says: 'where they are kept' },
  },
})
const state = resolve(values.state)
mkdirSync(state, { recursive: true, mode: 0o700 })
const settings = join(state, '.env')
if (!existsSync(settings)) writeFileSync(settings, FIRST_SETTINGS, { mode: 0o600 })

const env: NodeJS.ProcessEnv = { ...process.env }
for (const name of Object.keys(SETTINGS)) delete env[name]
env.DB_PATH = join(state, 'proxy.db')

const stopped = new AbortController()
// Under npm and at a terminal the signal comes several times.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.abort())
const log = (line: string): void => console.log(`dev: ${line}`)
log(`state and settings in ${shown(state)}`)
log(`commands: npx oauth3 --socket ${shown(join(state, 'admin.sock'))} status`)
process.exitCode = await restartOnChange({
  command: process.execPath,
  args: [MAIN, 'daemon'],
  cwd: state,
  env,
  watched: [join(ROOT, 'proxy/src')],
  signal: stopped.signal,
  log,
})

function shown(path: string): string {
  const inside = relative(process.cwd(), path)
  return inside.startsWith('..') ? path : inside
}
