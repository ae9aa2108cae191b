/** The cookies of the Chromium that a desktop's icon opens, from within its machine. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Opens Chromium on the profile of the icon, with a port for this alone: the icon itself gives nobody DevTools. `put` leaves it open once its cookies
 * are on the disk, where it writes them each half minute, or as soon as there are 512; `names` ends it.
 */
const SCRIPT = `
  const { spawn } = require('node:child_process')
  const [what] = process.argv.slice(1)
  const port = 9333
  const chromium = spawn('/usr/lib/chromium/chromium', ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--headless=new',
    '--password-store=basic', '--user-data-dir=/state/home/chromium', '--remote-debugging-port=' + port, 'about:blank'],
    { detached: true, stdio: 'ignore' })
  chromium.unref()
  const { DatabaseSync } = require('node:sqlite')
  const written = () => {
    try {
      const cookies = new DatabaseSync('/state/home/chromium/Default/Cookies', { readOnly: true })
      try { return cookies.prepare('SELECT count(*) AS count FROM cookies').get().count } finally { cookies.close() }
    } catch { return 0 }
  }
  const answer = async () => { for (;;) try { return await (await fetch('http://127.0.0.1:' + port + '/json/version')).json() } catch { await new Promise((r) => setTimeout(r, 50)) } }
  answer().then(async ({ webSocketDebuggerUrl }) => {
    const socket = new WebSocket(webSocketDebuggerUrl)
    await new Promise((r) => socket.addEventListener('open', r))
    const ask = (method, params) => new Promise((r) => {
      socket.addEventListener('message', ({ data }) => r(JSON.parse(data).result), { once: true })
      socket.send(JSON.stringify({ id: 1, method, params }))
    })
    const expires = Date.now() / 1000 + 86400
    const cookies = Array.from({ length: 600 }, (_, at) => ({ name: 'signed-in', value: 'yes', domain: 'host-' + at + '.example', path: '/', expires }))
    if (what === 'put') {
      await ask('Storage.setCookies', { cookies })
      while (written() === 0) await new Promise((r) => setTimeout(r, 50))
    }
    const found = (await ask('Storage.getCookies')).cookies
    console.log([...new Set(found.map(({ name }) => name))].join())
    if (what === 'names') process.kill(-chromium.pid, 'SIGKILL')
    process.exit()
  })
`

/** Resolves to their names, each once, with a comma between. */
export async function cookiesInside(container: string, what: 'put' | 'names'): Promise<string> {
  const { stdout } = await run('docker', ['exec', container, 'node', '-e', SCRIPT, what])
  return stdout.trim()
}
