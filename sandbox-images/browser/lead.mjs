// Leads a machine that has Chromium: opens the way outside, shows that Chromium works, tells the daemon that it is ready, and joins the
// daemon's streams to its front. The lines are those of the image of OpenClaw.
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { startChromium, trustGateway } from './chromium.mjs'
import { openControl, openStream } from './control.mjs'
import { ask, FRONT_PORT, openFront } from './front.mjs'
import { createSessions } from './sessions.mjs'
import { openListeners, openRelay } from './way-out.mjs'

/** Rejects when no Chromium starts here; resolves to what it says of itself. */
async function tryChromium() {
  const first = await startChromium()
  const { webSocketDebuggerUrl: _, ...version } = JSON.parse(await ask('GET', '/json/version', first))
  await first.end()
  return version
}

/** `openScreen` resolves to the path of its VNC server's socket, and to what programs need to be seen there; null: there is no screen. */
export async function lead(image, openScreen = async () => null) {
  mkdirSync(process.env.HOME, { recursive: true, mode: 0o700 })
  process.chdir(process.env.HOME)
  const sessions = createSessions()
  const configured = Promise.withResolvers()
  let state = { state: 'waiting' }

  const WORKS = {
    configure: () => configured.resolve(),
    open: ({ stream }) => openStream(stream, FRONT_PORT, () => control.tell({ refused: stream })),
    probe: ({ id }) => control.tell({ probe: id, ready: state.state === 'ready' }),
  }
  const control = openControl(
    { image, node: process.versions.node },
    {
      onOpen: () => control.tell(state),
      onLine(line) {
        try {
          const message = JSON.parse(line)
          if (!Object.hasOwn(WORKS, message.do)) throw new Error('an unknown task')
          WORKS[message.do](message)
        } catch (error) {
          control.tell({ failed: error.message })
        }
      },
    },
  )
  const become = (name, more = {}) => {
    state = { state: name, ...more }
    control.tell(state)
  }

  const end = async () => {
    become('draining')
    await sessions.endAll()
    await control.flushed()
    process.exit(0)
  }
  process.on('SIGTERM', end).on('SIGINT', end)

  try {
    await Promise.all([openRelay(), openListeners()])
    // A container may run before the daemon has written the gateway's authority; who is configured has all of it.
    await configured.promise
    become('starting')
    await trustGateway()
    const [version, screen] = await Promise.all([tryChromium(), openScreen()])
    Object.assign(process.env, screen?.environment)
    await openFront(sessions, version, screen?.path ?? null)
    // Whoever has a stream is the daemon: the front asks for no token.
    become('ready', { gatewayToken: randomBytes(24).toString('base64url') })
  } catch (error) {
    become('failed', { detail: error.message })
    await control.flushed()
    process.exit(1)
  }
}
