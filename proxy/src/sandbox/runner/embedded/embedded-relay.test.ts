import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRelay } from './embedded-relay.ts'

describe('the relay of an embedded run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-relay-'))
  const path = join(folder, 'gateway.sock')
  let gateway: Server
  let requests = 0

  beforeAll(async () => {
    gateway = createServer((request, response) => {
      requests += 1
      response.end(`saw ${request.url}`)
    })
    await new Promise<void>((resolve) => gateway.listen(path, resolve))
  })
  afterAll(() => {
    gateway.close()
    rmSync(folder, { recursive: true })
  })

  /** Everything that comes back for these pieces, each written once the one before has left. */
  async function say(proxyUrl: string, ...pieces: readonly string[]): Promise<string> {
    const socket = connect(Number(new URL(proxyUrl).port), '127.0.0.1')
    for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => resolve()))
    const answer = await new Promise<string>((resolve) => {
      let text = ''
      socket
        .on('error', () => {})
        .on('data', (bytes) => {
          text += bytes.toString()
        })
        .on('close', () => resolve(text))
    })
    return answer
  }
  const word = (proxyUrl: string): string => {
    const { username, password } = new URL(proxyUrl)
    return Buffer.from(`${username}:${password}`).toString('base64')
  }
  const request = (header: string): string =>
    `GET http://demo.test/x HTTP/1.1\r\nHost: demo.test\r\nConnection: close\r\n${header}\r\n`

  it('passes on what begins with the word of its run, in whatever pieces it comes', async () => {
    const relay = await openRelay(path)
    const text = request(`Proxy-Authorization: Basic ${word(relay.proxyUrl)}\r\n`)
    expect(await say(relay.proxyUrl, text)).toContain('saw http://demo.test/x')
    expect(await say(relay.proxyUrl, text.slice(0, 40), text.slice(40))).toContain('saw http://demo.test/x')
    relay.close()
  })

  it('refuses everybody else on the host, and the word of another run', async () => {
    const relay = await openRelay(path)
    const other = await openRelay(path)
    const before = requests
    for (const header of [
      '',
      'Proxy-Authorization: Basic\r\n',
      `Authorization: Basic ${word(relay.proxyUrl)}\r\n`,
      `Proxy-Authorization: Bearer ${word(relay.proxyUrl)}\r\n`,
      `Proxy-Authorization: Basic ${word(other.proxyUrl)}\r\n`,
      `Proxy-Authorization: Basic ${word(relay.proxyUrl).slice(0, -1)}\r\n`,
    ]) {
      expect(await say(relay.proxyUrl, request(header))).toMatch(/^HTTP\/1\.1 407 /)
    }
    // A word behind the head is not in the head.
    const late = `${request('')}Proxy-Authorization: Basic ${word(relay.proxyUrl)}\r\n\r\n`
    expect(await say(relay.proxyUrl, late)).toMatch(/^HTTP\/1\.1 407 /)
    expect(requests).toBe(before)
    relay.close()
    other.close()
  })

  it('ends a connection whose head has no end', async () => {
    const relay = await openRelay(path)
    expect(await say(relay.proxyUrl, `GET / HTTP/1.1\r\nX: ${'x'.repeat(70_000)}`)).toBe('')
    relay.close()
  })
})
