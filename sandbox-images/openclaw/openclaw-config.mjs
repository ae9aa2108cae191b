// OpenClaw's configuration: what the daemon decides stands over what is in the file; everything else there is its owner's and stays.
// No token is in the file: the two of OpenClaw's own and the agent's come from the environment.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GATEWAY_PORT } from './gateway-calls.mjs'

export const MODEL_PORT = 3_738
export const AGENT_PORT = 3_737
const STATE = join(process.env.HOME ?? '/state/home', '.openclaw')
const CONFIG = join(STATE, 'openclaw.json')
const TOKENS = join(process.env.HOME ?? '/state/home', '.oauth3', 'tokens.json')

const PLUGIN = '/opt/oauth3/openclaw-plugin'

/** Plugins that need what a machine has not (a display, a browser, a network of its own), or that look for others unasked. */
const IDLE_PLUGINS = [
  'bonjour',
  'browser',
  'cua-computer',
  'geolocation',
  'linux-node',
  'ollama',
  'talk-voice',
  'xai',
]

/** What the daemon says a machine is, as configuration. `configure` is its message. */
export function decided({ model, providers }) {
  return {
    gateway: {
      mode: 'local',
      port: GATEWAY_PORT,
      bind: 'loopback',
      auth: { mode: 'token' },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
    hooks: { enabled: true, token: `\${OAUTH3_HOOK_TOKEN}`, allowRequestSessionKey: true },
    models: {
      mode: 'replace',
      // The list comes with the package; a newer one would be asked for outside.
      catalogRefresh: { enabled: false },
      providers: Object.fromEntries(providers.map((provider) => [provider.id, providerConfig(provider)])),
    },
    mcp: {
      servers: {
        oauth3: {
          url: `http://127.0.0.1:${AGENT_PORT}/mcp`,
          transport: 'streamable-http',
          headers: { Authorization: `Bearer \${OAUTH3_TOKEN}` },
          // The plugin has them, and knows whom to wake.
          toolFilter: { exclude: ['execute', 'execution_status', 'list_secrets'] },
        },
      },
    },
    agents: {
      defaults: {
        workspace: join(process.env.HOME ?? '/state/home', 'workspace'),
        model: { primary: model },
      },
    },
    plugins: { entries: { oauth3: { enabled: true } } },
    update: { checkOnStart: false, auto: { enabled: false } },
  }
}

/** What holds unless its owner says otherwise: nothing that asks the model unasked. */
const PRESET = {
  agents: {
    defaults: {
      heartbeat: { every: '0m' },
      skipBootstrap: true,
      // Its default is a cheaper model of the vendor's own, asked at the vendor's own address.
      utilityModel: '',
    },
  },
  plugins: { deny: IDLE_PLUGINS, entries: { 'memory-core': { config: { dreaming: { enabled: false } } } } },
}

/** The socket is the identity: what is sent as a key means nothing. */
const providerConfig = ({ path, api, models }) => ({
  baseUrl: `http://127.0.0.1:${MODEL_PORT}${path}`,
  apiKey: 'the-socket-is-the-identity',
  api,
  models: models.map((model) => ({ name: model.id, ...model })),
})

const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A copy of `under` with everything of `over`; lists and plain values are replaced whole. */
export function laidOver(under, over) {
  const result = isRecord(under) ? { ...under } : {}
  for (const [name, value] of Object.entries(over))
    Object.defineProperty(result, name, {
      value: isRecord(value) ? laidOver(Object.hasOwn(result, name) ? result[name] : {}, value) : value,
      enumerable: true,
      writable: true,
      configurable: true,
    })
  return result
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/**
 * Writes the file where it says something else. `afresh`: OpenClaw cannot start with what is there; it is kept beside it. What is no JSON
 * (OpenClaw also reads JSON5) is treated likewise.
 */
export function writeConfig(configure, { afresh = false } = {}) {
  const found = read(CONFIG)
  if (afresh || found === undefined) {
    try {
      renameSync(CONFIG, `${CONFIG}.refused`)
    } catch {
      // There was none.
    }
  }
  const ours = decided(configure)
  const config = laidOver(laidOver(PRESET, (afresh ? undefined : found) ?? {}), ours)
  // Providers that the daemon does not name any more are not reachable either.
  config.models.providers = ours.models.providers
  const paths = config.plugins.load?.paths ?? []
  config.plugins.load = {
    ...config.plugins.load,
    paths: [...paths.filter((path) => path !== PLUGIN), PLUGIN],
  }
  const text = `${JSON.stringify(config, null, 2)}\n`
  if (afresh || text !== `${JSON.stringify(found, null, 2)}\n`) write(CONFIG, text)
}

/** Made inside at the first start, and kept with the files. */
export function ownTokens() {
  const found = read(TOKENS)
  if (typeof found?.gateway === 'string' && typeof found.hook === 'string') return found
  const token = () => randomBytes(32).toString('base64url')
  const made = { gateway: token(), hook: token() }
  write(TOKENS, JSON.stringify(made))
  return made
}
