// OpenClaw as a process: started until it is ready, and again when it ends by itself. A process of it is there before it may begin, and loads
// its modules meanwhile (`early-modules.mjs`).
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { whyNotReady } from './gateway-calls.mjs'
import { eachLine } from './lines.mjs'
import { AGENT_PORT } from './openclaw-config.mjs'

const OPENCLAW = '/opt/openclaw/node_modules/openclaw/openclaw.mjs'
const EARLY_MODULES = '/early-modules.mjs'
const TOLD = 3
/** Filled when the image is built (`fill-compile-cache.mjs`); nothing is written there later. */
export const COMPILE_CACHE = '/opt/openclaw/compile-cache'
const LOOK_MS = 100
/** A machine that is overloaded makes OpenClaw give up starts that would have come to be. */
export const MAX_STARTS = 5
const REST_MS = 1_000
const MAX_LOG_CHARS = 4_096

const AUTHORITY = '/run/oauth3/ca.pem'
/** What goes outside goes through the gateway's relay, whose authority is the only one that can be met behind it. */
const PROXY = {
  HTTP_PROXY: 'http://127.0.0.1:3128',
  HTTPS_PROXY: 'http://127.0.0.1:3128',
  NO_PROXY: '127.0.0.1,localhost',
  NODE_USE_ENV_PROXY: '1',
}
const TRUST = { NODE_EXTRA_CA_CERTS: AUTHORITY, SSL_CERT_FILE: AUTHORITY, CURL_CA_BUNDLE: AUTHORITY }

/** What it has from the beginning, before anything is known. */
const BASE = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  LANG: 'C.UTF-8',
  NO_COLOR: '1',
  OAUTH3_URL: `http://127.0.0.1:${AGENT_PORT}`,
  NODE_COMPILE_CACHE: COMPILE_CACHE,
  // Else it starts itself anew for a folder of its own, by the version below that one.
  OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: '1',
  OPENCLAW_NO_RESPAWN: '1',
  OPENCLAW_DISABLE_BONJOUR: '1',
  OPENCLAW_EXEC_SHELL_SNAPSHOT: '0',
  ...PROXY,
}

/** What is handed in when it may begin. */
const lastWords = (tokens, agentToken) => ({
  OPENCLAW_GATEWAY_TOKEN: tokens.gateway,
  OAUTH3_HOOK_TOKEN: tokens.hook,
  OAUTH3_TOKEN: agentToken ?? 'none',
  ...(existsSync(AUTHORITY) ? TRUST : {}),
})

/** It loads what it can, touches none of the machine's files, and waits for the last words; `mode`: of its early modules. */
function prepareProcess(mode, onLog) {
  const child = spawn(process.execPath, ['--import', EARLY_MODULES, OPENCLAW, 'gateway'], {
    cwd: '/',
    env: { ...BASE, OAUTH3_EARLY_MODULES: mode },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const ended = new Promise((resolve) =>
    child
      .on('error', (error) => resolve(error.message))
      .on('close', (code, signal) => resolve(signal ?? code)),
  )
  const line = child.stdio[TOLD]
  line.on('error', () => {}).once('data', () => onLog('OpenClaw’s modules are loaded.'))
  const begin = (words) => line.end(JSON.stringify(words))
  return { child, ended, begin }
}

/**
 * `prepare(attempt)` is called before each start, from 1 since it was ready last, and returns its own tokens; `onState` is told `starting`,
 * `ready` and `failed`; `onLog` each line that it prints. The first process waits from now on.
 */
export function createGatewayProcess({ prepare, onState, onLog, mode = 'load' }) {
  let child
  let agentToken
  let ending = false
  let restarting = false
  let attempt = 0
  let loop
  let waiting = prepareProcess(mode, onLog)

  const run = async () => {
    attempt += 1
    const tokens = prepare(attempt)
    onState('starting')
    const startedAt = performance.now()
    const { child: own, ended, begin } = waiting ?? prepareProcess(mode, onLog)
    waiting = undefined
    child = own
    for (const stream of [own.stdout, own.stderr])
      eachLine(stream, (line) => onLog(line.slice(0, MAX_LOG_CHARS)))
    begin(lastWords(tokens, agentToken))
    let over = false
    void ended.then(() => {
      over = true
    })
    while (!over && !ending && (await whyNotReady()) !== null) await Promise.race([delay(LOOK_MS), ended])
    if (!over && !ending) {
      attempt = 0
      onState('ready', { ms: Math.round(performance.now() - startedAt) })
    }
    return ended
  }

  const keepRunning = async () => {
    while (!ending) {
      const how = await run()
      if (ending) return
      if (restarting) {
        restarting = false
        attempt = 0
        continue
      }
      onLog(`OpenClaw ended: ${how}`)
      if (attempt >= MAX_STARTS)
        return onState('failed', { detail: `it ended ${attempt} times before it was ready` })
      await delay(REST_MS)
    }
  }

  return {
    /** Starts it, or starts it anew where the token is another. */
    start(token) {
      const isSame = loop !== undefined && token === agentToken
      agentToken = token
      if (loop === undefined) loop = keepRunning()
      else if (!isSame) {
        restarting = true
        child?.kill('SIGTERM')
      }
    },
    /** It ends the turn that is under way first. */
    async end() {
      ending = true
      waiting?.child.kill('SIGKILL')
      child?.kill('SIGTERM')
      await loop
    },
  }
}
