/** Servers read ranges from other fields than `Range`, and some send parts unasked. */
import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { placeholderOf } from '../support/egress-policy.ts'
import { ask } from '../support/gateway-client.ts'
import { gatewayWithUpstream } from '../support/gateway-upstream.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const HOST = 'api.example.com'

const here = gatewayWithUpstream(HOST)

const place = (): string => `${HOST}:${here.upstream.port}`
const FILE = Buffer.from(`${'a'.repeat(8_000)}${SECRET}${'b'.repeat(8_000)}`)

/** Gives the part that the field asks for, with this status. */
const servingBy =
  (name: string, status = 206): RequestListener =>
  (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(String(request.headers[name])) ?? []
    if (from === undefined) return void response.end(FILE)
    const [first, last] = [Number(from), Math.min(Number(to), FILE.length - 1)]
    const piece = FILE.subarray(first, last + 1)
    const contentRange = `bytes ${first}-${last}/${FILE.length}`
    response.writeHead(status, { 'content-range': contentRange, 'content-length': piece.length }).end(piece)
  }

async function pieces(name: string) {
  const run = await here.kit.run([place()], { KEY: { value: SECRET, hosts: [place()] } })
  const authorization = `Bearer ${placeholderOf(run.policy, 'KEY')}`
  const got = []
  for (let at = 7_995; at < 8_035; at += 5) {
    const headers = { authorization, [name]: `bytes=${at}-${at + 4}` }
    got.push(await ask(run.endpoint, `https://${place()}/`, { headers }))
  }
  return got
}

describe('a part that is asked for by another name', () => {
  test.each(['x-ms-range', 'request-range'])('is searched over its borders: %s', async (name) => {
    here.answer = servingBy(name)
    const got = await pieces(name)
    expect(got.map(({ status }) => status)).toEqual(Array(8).fill(206))
    const joined = got.map(({ body }) => body).join('')
    expect(joined).toMatch(/^a{5}[^b]{27}b{8}$/)
    expect(joined).not.toContain(SECRET.slice(0, 5))
    expect(joined).not.toContain(SECRET.slice(5, 10))
  })

  test.each([206, 200])('that nobody knows is not given: a part with %i', async (status) => {
    here.answer = servingBy('x-part', status)
    const got = await pieces('x-part')
    expect(new Set(got.map(({ rule }) => rule))).toEqual(new Set(['answer_unreadable']))
  })

  test('and by two of them is refused', async () => {
    here.answer = servingBy('range')
    const run = await here.kit.run([place()], { KEY: { value: SECRET, hosts: [place()] } })
    const headers = { range: 'bytes=0-4', 'x-ms-range': 'bytes=0-4' }
    expect((await ask(run.endpoint, `https://${place()}/`, { headers })).rule).toBe('range_not_searchable')
  })

  test('is no page of a list, which comes with 206 too', async () => {
    here.answer = (_request, response) => {
      response.writeHead(206, { 'content-range': 'id 0..9', 'next-range': 'id 10..' }).end('[1]')
    }
    const run = await here.kit.run([place()], { KEY: { value: SECRET, hosts: [place()] } })
    expect(await ask(run.endpoint, `https://${place()}/`)).toMatchObject({ status: 206, body: '[1]' })
  })

  test('comes as it is from a host that knows no secret', async () => {
    here.answer = servingBy('x-part')
    const run = await here.kit.run([place()], { KEY: { value: SECRET, hosts: ['other.example.com'] } })
    const headers = { 'x-part': 'bytes=0-4' }
    expect((await ask(run.endpoint, `https://${place()}/`, { headers })).body).toBe('aaaaa')
  })
})
