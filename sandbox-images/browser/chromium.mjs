// Chromium as a process: started with a profile of its own, and ended with all that it started.
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eachLine } from './lines.mjs'

const run = promisify(execFile)
const CHROMIUM = '/usr/lib/chromium/chromium'
const AUTHORITY = '/run/oauth3/ca.pem'
const START_MS = 60_000
const LISTENING = /^DevTools listening on ws:\/\/127\.0\.0\.1:([0-9]+)(\/devtools\/browser\/[\w-]+)$/
/** In the environment of a Chromium and of all that it starts. */
const MARK = 'OAUTH3_BROWSER'

const FLAGS = [
  // The container is the wall: it has no user namespaces to make another one of.
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-breakpad',
  '--no-first-run',
  '--no-default-browser-check',
  '--password-store=basic',
  // All of it goes through the gateway, loopback too: a page reaches neither the supervisor nor another session.
  '--proxy-server=http://127.0.0.1:3128',
  '--proxy-bypass-list=<-loopback>',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  // Nothing is asked for but what a session asks for, as far as there are flags for it.
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-client-side-phishing-detection',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-pings',
  '--metrics-recording-only',
  '--disable-features=MediaRouter,OptimizationHints,Translate,InterestFeedContentSuggestions,CertificateTransparencyComponentUpdater,AutofillServerCommunication',
]

/** Where there is a display it is seen there. */
const flagsNow = () => [...FLAGS, ...(process.env.DISPLAY ? [] : ['--headless=new'])]
const environmentNow = () => {
  const { HOME, PATH, LANG, DISPLAY, XAUTHORITY } = process.env
  return { HOME, PATH, LANG, ...(DISPLAY && { DISPLAY, XAUTHORITY }) }
}

/** Chromium takes no authority from the environment; it has to stand in the user's database of NSS. */
export async function trustGateway() {
  const database = join(process.env.HOME, '.pki', 'nssdb')
  // A home that outlived an earlier machine has that one's.
  await rm(database, { recursive: true, force: true })
  mkdirSync(database, { recursive: true, mode: 0o700 })
  await run('certutil', ['-d', `sql:${database}`, '-N', '--empty-password'])
  if (existsSync(AUTHORITY))
    await run('certutil', ['-d', `sql:${database}`, '-A', '-t', 'C,,', '-n', 'oauth3', '-i', AUTHORITY])
}

/** Resolves to where it listens, or rejects when it ends or takes too long; `ended` resolves once it has. */
export async function startChromium() {
  const profile = await mkdtemp('/tmp/browser-')
  const own = ['--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank']
  const child = spawn(CHROMIUM, [...flagsNow(), ...own], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...environmentNow(), [MARK]: profile },
  })
  const ended = new Promise((resolve) =>
    child
      .once('error', resolve)
      .once('exit', (code, signal) => resolve(new Error(`it ended: ${signal ?? code}`))),
  )
  const end = async () => {
    killAll(child.pid, profile)
    await ended
    // What was just being started when it was killed.
    killAll(undefined, profile)
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  let timer
  try {
    const listening = new Promise((resolve) =>
      eachLine(child.stderr, (line) => {
        const found = LISTENING.exec(line)
        if (found) resolve({ port: Number(found[1]), path: found[2] })
      }),
    )
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, START_MS, new Error('it did not start in time'))
    })
    const how = await Promise.race([listening, ended, late])
    if (how instanceof Error) throw how
    return { ...how, ended, end }
  } catch (error) {
    await end()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** One that a person opens on the display, for as long as they like: with a profile that stays, and without DevTools for others. */
export function openForPerson(profile, addresses) {
  const own = [`--user-data-dir=${profile}`, '--disk-cache-dir=/tmp/cache', '--', ...addresses]
  spawn(CHROMIUM, [...flagsNow(), ...own], { detached: true, stdio: 'ignore' }).unref()
}

/** Its process group, and whatever left that. */
function killAll(group, profile) {
  const kill = (pid) => {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It is gone.
    }
  }
  if (group !== undefined) kill(-group)
  const mark = `${MARK}=${profile}`
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)))
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark)) kill(Number(pid))
    } catch {
      // It is gone, or another's.
    }
}
