import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { BenchDaemon } from './support.ts'

/** All of a benchmark over the same connection, as an agent keeps it. */
const agent = new Agent({ keepAlive: true })

/** Asks once, with the body of POST /execute, and has it approved for ever; what is returned runs it, and throws unless it wrote what is expected. */
export async function trustedRun(
  daemon: BenchDaemon,
  body: object,
  isExpected: (stdout: string) => boolean,
): Promise<() => Promise<void>> {
  const headers = { authorization: `Bearer ${daemon.token}`, 'content-type': 'application/json' }
  const sent = JSON.stringify(body)
  const post = async (): Promise<{ status: string; request_id: string; stdout?: string }> => {
    const call = request(`${daemon.url}/execute`, { agent, method: 'POST', headers })
    call.end(sent)
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    return JSON.parse(await text(response))
  }
  const asked = await post()
  await daemon.cli(['approve', asked.request_id, '--forever', '--yes'])
  return async () => {
    const result = await post()
    if (result.status !== 'success' || !isExpected(result.stdout ?? ''))
      throw new Error(`a trusted run ended as ${JSON.stringify(result)}`)
  }
}
