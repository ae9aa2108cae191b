// Leads OpenClaw's life in the container: bridges its loopback ports to the endpoint's sockets, writes its configuration as the daemon
// says, starts it, tells when a message has come back from it, and lets it end its turn when the machine is stopped.
//
// Before the first `configure` nothing here reads or writes a file below HOME: the daemon may still be bringing them. The image's label
// `oauth3.waits` says so.
//
// From the daemon, at machine.sock: configure, open, probe, wake. To it: state, probe, woke, refused, log, failed.
import { readFileSync } from 'node:fs'
import { openControl, openStream } from './control.mjs'
import { GATEWAY_PORT, wake, whyNotReady } from './gateway-calls.mjs'
import { createGatewayProcess, MAX_STARTS } from './gateway-process.mjs'
import { AGENT_PORT, MODEL_PORT, ownTokens, writeConfig } from './openclaw-config.mjs'
import { bridge } from './sockets.mjs'
import { openListeners, openRelay } from './way-out.mjs'

const PACKAGE = '/opt/openclaw/node_modules/openclaw/package.json'

await Promise.all([
  openRelay(),
  openListeners(),
  bridge(MODEL_PORT, '/run/oauth3/model.sock'),
  bridge(AGENT_PORT, '/run/oauth3/agent.sock'),
])

/** Undefined before it is configured. */
let tokens
let configure
/** What a daemon that comes later has to know. */
let state = { state: 'waiting' }
const become = (name, more = {}) => {
  state = { state: name, ...more }
  control.tell(state)
}

const gateway = createGatewayProcess({
  prepare(attempt) {
    tokens ??= ownTokens()
    // The last attempt leaves out what an agent or its owner may have broken.
    writeConfig(configure, { afresh: attempt === MAX_STARTS })
    return tokens
  },
  onState(name, more) {
    become(name, name === 'ready' ? { gatewayToken: tokens.gateway, ...more } : more)
    if (name === 'failed') void control.flushed().then(() => process.exit(1))
  },
  onLog: (line) => control.mention({ log: line }),
})

const isText = (value) => typeof value === 'string' && value !== ''
function checkConfigure({ token, model, providers }) {
  const isProvider = ({ id, path, api, models }) =>
    [id, api].every(isText) && /^(\/[\w./-]*)?$/.test(path) && models.every((one) => isText(one.id))
  if (!((token === null || isText(token)) && isText(model) && providers.every(isProvider)))
    throw new Error('a configure that lacks something')
}

const WORKS = {
  configure(message) {
    checkConfigure(message)
    configure = message
    // A running one takes what is new in the file by itself.
    if (state.state !== 'waiting') writeConfig(configure)
    gateway.start(message.token)
  },
  open: ({ stream }) => openStream(stream, GATEWAY_PORT, () => control.tell({ refused: stream })),
  async probe({ id }) {
    const detail = await whyNotReady()
    control.tell(detail === null ? { probe: id, ready: true } : { probe: id, ready: false, detail })
  },
  async wake({ id, text, session }) {
    control.tell({ woke: id, ...(await wake(tokens?.hook, text, session)) })
  },
}

const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8'))
const control = openControl(
  { image: 'openclaw', openclaw: version, node: process.versions.node },
  {
    onOpen: () => control.tell(state),
    onLine(line) {
      try {
        const message = JSON.parse(line)
        if (!Object.hasOwn(WORKS, message.do)) throw new Error('an unknown task')
        void WORKS[message.do](message)
      } catch (error) {
        control.tell({ failed: error.message })
      }
    },
  },
)

let isEnding = false
const end = async () => {
  if (isEnding) return
  isEnding = true
  become('draining')
  await gateway.end()
  await control.flushed()
  process.exit(0)
}
process.on('SIGTERM', end).on('SIGINT', end)
