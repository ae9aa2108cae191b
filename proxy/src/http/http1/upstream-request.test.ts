/** What goes out to an upstream is one request, or nothing. */
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { answering, ask, OK, turns, upstream } from '../../../test/support/http1-upstream-kit.ts'

describe('a request', () => {
  it('says its host, and the length of its body', async () => {
    let came = ''
    const { pool } = await upstream((socket) => {
      socket.on('data', (bytes) => {
        came += bytes.toString()
        if (came.endsWith('abc')) socket.write(OK)
      })
    })
    await ask(pool, { method: 'POST', path: '/v1?x', headers: ['a', 'b'], body: Buffer.from('abc') })
    expect(came).toBe(
      'POST /v1?x HTTP/1.1\r\nhost: vendor.example\r\nconnection: keep-alive\r\na: b\r\ncontent-length: 3\r\n\r\nabc',
    )
  })

  it.each([
    ['a line end in a field', { headers: ['x', 'a\r\nhost: evil'] }],
    ['a line end in a name', { headers: ['x\r\ny', 'a'] }],
    ['a NUL in a field', { headers: ['x', '\u0000'] }],
    ['what becomes a line end as a byte', { headers: ['x', '\u010d\u010ahost: evil'] }],
    ['a line end in its path', { path: '/x HTTP/1.1\r\nhost: evil\r\n\r\n' }],
    ['a space in its path', { path: '/x y' }],
    ['no path', { path: '*' }],
    ['a length that is none', { headers: ['content-length', 'abc'] }],
    ['two lengths', { headers: ['content-length', '3', 'Content-Length', '3'], body: Buffer.from('abc') }],
    ['a length in a spelling of its own', { headers: ['content_length', '3'] }],
    ['a framing of its own', { headers: ['transfer-encoding', 'chunked'], body: Buffer.from('abc') }],
    ['a second host', { headers: ['Host', 'evil'] }],
    ['another length than its body has', { headers: ['content-length', '9'], body: Buffer.from('abc') }],
  ])('with %s is not written', async (_, request) => {
    let came = 0
    const { pool } = await upstream((socket) => {
      socket.on('data', ({ length }) => {
        came += length
      })
    })
    expect((await ask(pool, request)).error).toBeInstanceOf(TypeError)
    await turns(5)
    expect(came).toBe(0)
  })

  it.each([
    ['in chunks', [], 'transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n'],
    ['with the length that it says', ['content-length', '6'], 'content-length: 6\r\n\r\nabcdef'],
  ])('whose body is a stream goes out %s', async (_, headers, written) => {
    let came = ''
    const { pool, connections } = await upstream((socket) => {
      socket.on('data', (bytes) => {
        came += bytes.toString()
        if (/def(\r\n0\r\n\r\n)?$/.test(came) && (headers.length > 0 || came.endsWith('0\r\n\r\n')))
          socket.write(OK)
      })
    })
    const body = Readable.from([Buffer.from('abc'), Buffer.from('def')])
    expect((await ask(pool, { method: 'POST', headers, body })).body).toBe('ok')
    expect(came.endsWith(written)).toBe(true)
    await ask(pool, {
      method: 'POST',
      headers,
      body: Readable.from([Buffer.from('abc'), Buffer.from('def')]),
    })
    expect(connections()).toBe(1)
  })

  it.each([
    ['longer', '5'],
    ['shorter', '7'],
  ])(
    'whose stream is %s than it says is broken off, and nothing of it is the next one',
    async (_, length) => {
      const { pool, sockets } = await upstream((socket) => socket.resume())
      const body = Readable.from([Buffer.from('abc'), Buffer.from('def')])
      const { error } = await ask(pool, { method: 'POST', headers: ['content-length', length], body })
      expect(error?.message).toContain('than its head says')
      expect(sockets[0]?.destroyed).toBe(true)
    },
  )

  it('whose client leaves in the middle of its body is broken off', async () => {
    const { pool, sockets } = await upstream((socket) => socket.resume())
    const body = new Readable({ read() {} })
    body.on('error', () => {})
    body.push('abc')
    const asked = ask(pool, { method: 'POST', body })
    while (sockets.length === 0) await turns(1)
    await turns(5)
    body.destroy(new Error('the client left'))
    expect((await asked).error?.message).toBe('the client left')
    expect(sockets[0]?.destroyed).toBe(true)
  })

  it('that is answered before its end has its answer, and its connection serves no other', async () => {
    const { pool, connections } = await upstream((socket, at) => {
      if (at === 1) socket.once('data', () => socket.write(OK))
      else answering(OK)(socket)
    })
    const body = new Readable({ read() {} })
    body.push('abc')
    expect(await ask(pool, { method: 'POST', body })).toMatchObject({ body: 'ok', error: undefined })
    expect(body.destroyed).toBe(true)
    expect((await ask(pool)).body).toBe('ok')
    expect(connections()).toBe(2)
  })

  it('is sent no faster than it is taken', async () => {
    const { pool } = await upstream((socket) => void socket.pause())
    let taken = 0
    const body = new Readable({
      read() {
        taken += 1
        this.push(Buffer.alloc(65_536))
      },
    })
    void ask(pool, { method: 'POST', body })
    await turns(500)
    expect(taken).toBeGreaterThan(0)
    expect(taken).toBeLessThan(300)
  })

  it('that waits is told when the pool is closed, and so is one that comes later', async () => {
    const { pool } = await upstream((socket) => void socket.resume())
    const waiting = ask(pool)
    await turns(20)
    await pool.destroy()
    expect((await waiting).error?.message).toContain('closed')
    expect((await ask(pool)).error?.message).toContain('closed')
  })
})
