/** A hosted agent's desktop over a WebSocket, to be seen, or to be used. */
import { hostedHere, upgradeOver } from '../../hosting/agents/index.ts'
import type { SocketRow } from '../account-sockets/index.ts'
import { joinScreen } from './join-screen.ts'

const OPEN_MS = 90_000
/** The clipboard, and a little. */
const MAX_MESSAGE_BYTES = 524_288
/** Of one tenant, at once. */
const MAX_VIEWERS = 16

const isViewOnly = (query: URLSearchParams): boolean => query.get('view') === '1'

export const createVncRow = (): SocketRow => ({
  action: 'hosted_agent.desktop',
  // Whoever has a ticket to look does not act by it.
  ticketFor: (query) => (isViewOnly(query) ? 'vnc_view' : 'vnc'),
  ...{ maxMessageBytes: MAX_MESSAGE_BYTES, maxOpen: MAX_VIEWERS },
  async serve(socket, { of, machine, query, signal }) {
    const until = AbortSignal.any([signal, AbortSignal.timeout(OPEN_MS)])
    const desktop = await hostedHere(of.hosting).openDesktop(machine.id, until)
    const { stream } = desktop
    const giveUp = (): void => void stream.destroy()
    until.addEventListener('abort', giveUp, { once: true })
    stream.on('error', () => {})
    try {
      await upgradeOver(stream, {
        path: '/screen',
        headers: ['Upgrade: rfb'],
        refused: 'The desktop shows no screen now.',
      })
    } catch (error) {
      stream.destroy()
      throw error
    }
    until.removeEventListener('abort', giveUp)
    joinScreen({ socket, desktop, viewOnly: isViewOnly(query), signal })
  },
})
