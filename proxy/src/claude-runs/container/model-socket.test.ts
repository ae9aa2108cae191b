import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ModelSocket, openModelSocket } from './model-socket.ts'

describe('the model endpoint of a container', () => {
  let directory: string
  let endpoint: ModelSocket
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'oauth3-model-'))
    endpoint = await openModelSocket(directory)
  })
  afterEach(async () => {
    await endpoint.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const ask = (path: string, headers = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = request({ socketPath: join(directory, 'model.sock'), method: 'POST', path, headers })
      call.on('error', reject).on('response', (response) => resolve(textOf(response)))
      call.end('{}')
    })
  const model = (served: Socket[]) => ({
    connection: (socket: Socket) => {
      served.push(socket)
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nmodel')
    },
    refusal: () => null,
  })

  it('counts tokens by itself until it has a run, and asks no model', async () => {
    const served: Socket[] = []
    expect(await ask('/v1/messages/count_tokens')).toBe('{"input_tokens":1}')
    await expect(ask('/v1/messages')).rejects.toThrow('socket hang up')
    let first = 0
    endpoint.bind(model(served), () => (first += 1))
    expect(served).toHaveLength(0)
    expect(await ask('/v1/messages/count_tokens')).toBe('model')
    expect(await ask('/v1/messages')).toBe('model')
    expect([served.length, first]).toEqual([2, 1])
  })

  it('ends what was open before the run', async () => {
    const early = connect(join(directory, 'model.sock'))
    await once(early, 'connect')
    // Whoever is answered now was accepted behind it.
    await ask('/v1/messages/count_tokens')
    const served: Socket[] = []
    endpoint.bind(model(served))
    await once(early, 'close')
    expect(served).toHaveLength(0)
  })

  it('serves nobody once it is closed', async () => {
    await endpoint.close()
    await expect(ask('/v1/messages')).rejects.toThrow(/ENOENT|ECONNREFUSED/)
  })
})
