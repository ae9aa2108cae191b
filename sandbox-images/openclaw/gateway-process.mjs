// OpenClaw as a process: started until it is ready, and again when it ends by itself.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { whyNotReady } from './gateway-calls.mjs'
import { eachLine } from './lines.mjs'
import { AGENT_PORT } from './openclaw-config.mjs'

const OPENCLAW = '/opt/openclaw/node_modules/openclaw/openclaw.mjs'
/** Filled when the image is built (`fill-compile-cache.mjs`); nothing is written there later. */
export const COMPILE_CACHE = '/opt/openclaw/compile-cache'
const LOOK_MS = 250
/** A machine that is overloaded makes OpenClaw give up starts that would have come to be. */
export const MAX_STARTS = 5
const REST_MS = 1_000
const MAX_LOG_CHARS = 4_096

const AUTHORITY = '/run/oauth3/ca.pem'
/** What goes outside goes through the gateway's relay, whose authority is the only one that can be met behind it. */
const WAY_OUT = {
  HTTP_PROXY: 'http://127.0.0.1:3128',
  HTTPS_PROXY: 'http://127.0.0.1:3128',
  NO_PROXY: '127.0.0.1,localhost',
  NODE_USE_ENV_PROXY: '1',
  NODE_EXTRA_CA_CERTS: AUTHORITY,
  SSL_CERT_FILE: AUTHORITY,
  CURL_CA_BUNDLE: AUTHORITY,
}

const environment = (tokens, agentToken) => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  LANG: 'C.UTF-8',
  NO_COLOR: '1',
  OPENCLAW_GATEWAY_TOKEN: tokens.gateway,
  OAUTH3_HOOK_TOKEN: tokens.hook,
  OAUTH3_URL: `http://127.0.0.1:${AGENT_PORT}`,
  OAUTH3_TOKEN: agentToken ?? 'none',
  NODE_COMPILE_CACHE: COMPILE_CACHE,
  // Else it starts itself anew for a folder of its own, by the version below that one.
  OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: '1',
  OPENCLAW_NO_RESPAWN: '1',
  OPENCLAW_DISABLE_BONJOUR: '1',
  OPENCLAW_EXEC_SHELL_SNAPSHOT: '0',
  ...(existsSync(AUTHORITY) ? WAY_OUT : {}),
})

/**
 * `prepare(attempt)` is called before each start, from 1 since it was ready last; `onState` with `starting`, `ready` and `failed`; `onLog`
 * with each line that it prints.
 */
export function createGatewayProcess({ tokens, prepare, onState, onLog }) {
  let child
  let agentToken
  let ending = false
  let restarting = false
  let attempt = 0
  let loop

  const run = async () => {
    attempt += 1
    prepare(attempt)
    onState('starting')
    const startedAt = performance.now()
    const own = spawn(process.execPath, [OPENCLAW, 'gateway'], {
      cwd: process.env.HOME,
      env: environment(tokens, agentToken),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = own
    for (const stream of [own.stdout, own.stderr])
      eachLine(stream, (line) => onLog(line.slice(0, MAX_LOG_CHARS)))
    const ended = new Promise((resolve) =>
      own
        .on('error', (error) => resolve(error.message))
        .on('close', (code, signal) => resolve(signal ?? code)),
    )
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
      child?.kill('SIGTERM')
      await loop
    },
  }
}
