import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createDaemonKit } from '../test/support/daemon-kit.ts'
import { createPlayedHosting } from '../test/support/hosted-kit.ts'
import { type DaemonAnswer, SOCKET } from './hosting-streams-peers.ts'

export interface PlayedDaemon extends AsyncDisposable {
  open(): Promise<DaemonAnswer>
}

/** A whole daemon; what it reaches of machines is the sockets of the folder. */
export async function playDaemon(folder: string): Promise<PlayedDaemon> {
  const open = async () => {
    const stream = connect(join(folder, SOCKET.front))
    await once(stream, 'connect')
    return { stream, used: () => {}, isAwake: () => true }
  }
  const kit = await createDaemonKit({
    environment: { OAUTH3_SIGNUP: 'password' },
    hosting: { played: () => ({ ...createPlayedHosting(), openDesktop: open, openBrowser: open }) },
  })
  const ask = async (path: string, token: string | null, body?: object) => {
    const response = await fetch(kit.daemon.url + path, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    })
    return (await response.json()) as Readonly<Record<string, string>>
  }
  const who = { email: 'bench@example.com', password: 'demo password of the bench' }
  await ask('/api/auth/signup', null, who)
  const access = `${(await ask('/api/auth/login', null, who)).access_token}`
  const { id } = await ask('/api/instances', access, { name: 'desk' })
  const openBoth = async (): Promise<DaemonAnswer> => {
    const { webSocketDebuggerUrl = '' } = await ask('/cdp/json/version', kit.token)
    const { pathname, search } = new URL(webSocketDebuggerUrl)
    return {
      port: Number(new URL(kit.daemon.url).port),
      vnc: { path: `/api/instances/${id}/vnc`, authorization: `Bearer ${access}` },
      cdp: { path: pathname + search, authorization: null },
    }
  }
  return { open: openBoth, [Symbol.asyncDispose]: () => kit[Symbol.asyncDispose]() }
}
