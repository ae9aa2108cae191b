// The screen: an X server that is seen by VNC alone, at a socket in a folder of the machine's user, and XFCE on it. It listens on no port, and
// asks for no password: whoever opens the socket is the machine itself.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const FOLDER = '/tmp/desktop'
const DISPLAY = ':1'
const SIZE = '1280x800'
const START_MS = 30_000
const LOOK_MS = 20
const AGAIN_MS = 1_000

export async function openDesktop() {
  mkdirSync(FOLDER, { mode: 0o700 })
  const XAUTHORITY = `${FOLDER}/authority`
  writeFileSync(XAUTHORITY, authorityOf(randomBytes(16)), { mode: 0o600 })
  const path = `${FOLDER}/rfb.sock`
  const server = spawn('Xtigervnc', serverArguments(path, XAUTHORITY), { stdio: 'ignore' })
  const end = (why) => {
    console.error(why)
    // Without its screen the machine is of no use: it is started anew.
    process.exit(1)
  }
  server.on('error', (error) => end(error.message)).on('exit', () => end('the X server ended'))
  for (const until = Date.now() + START_MS; !existsSync(path); await delay(LOOK_MS))
    if (Date.now() > until) throw new Error('the X server did not start in time')
  const environment = { DISPLAY, XAUTHORITY }
  keepSession({ ...process.env, ...environment })
  return { path, environment }
}

const serverArguments = (path, authority) => [
  DISPLAY,
  ...['-rfbunixpath', path, '-rfbunixmode', '0600'],
  // Else it listens for VNC on every address.
  ...['-rfbport', '-1', '-nolisten', 'tcp', '-auth', authority],
  ...['-SecurityTypes', 'None'],
  // Whoever comes by the socket is one address to it: a few that leave early would shut out all.
  '-UseBlacklist=0',
  ...['-AlwaysShared', '-DisconnectClients=0', '-AcceptSetDesktopSize=0'],
  ...['-geometry', SIZE, '-depth', '24', '-desktop', 'desktop'],
]

/** Begins anew when somebody signs out of it. */
function keepSession(environment) {
  const runtime = '/tmp/desktop/run'
  mkdirSync(runtime, { recursive: true, mode: 0o700 })
  const proxy = 'http://127.0.0.1:3128'
  const start = () =>
    spawn('dbus-run-session', ['--', 'xfce4-session'], {
      stdio: 'ignore',
      env: {
        ...environment,
        ...{ SHELL: '/bin/bash', XDG_RUNTIME_DIR: runtime, XDG_CACHE_HOME: '/tmp/cache', NO_AT_BRIDGE: '1' },
        // Whoever opens a terminal finds the way out that all of it has.
        ...{ http_proxy: proxy, https_proxy: proxy },
      },
    })
      .on('error', (error) => console.error(error.message))
      .on('close', () => setTimeout(start, AGAIN_MS))
  start()
}

/** A file of one cookie, for every display and host (Xau(3): family, address, number, name, data, each with its length). */
function authorityOf(cookie) {
  const field = (data) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(data.length)
    return Buffer.concat([length, data])
  }
  const ANY_HOST = Buffer.from([0xff, 0xff])
  return Buffer.concat([
    ANY_HOST,
    ...[Buffer.alloc(0), Buffer.from(DISPLAY.slice(1)), Buffer.from('MIT-MAGIC-COOKIE-1'), cookie].map(field),
  ])
}
