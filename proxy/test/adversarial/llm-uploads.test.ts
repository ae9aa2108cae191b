/** Uploads whose answer names a second address of the vendor's: what is sent there stays behind the proxy. */
import { GoogleGenAI } from '@google/genai'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'
import type { VendorCall } from '../support/vendor-doubles.ts'

const PATH = '/upload/v1beta/files'
const START = { 'x-goog-upload-protocol': 'resumable', 'x-goog-upload-command': 'start' }
const FILE = {
  file: { name: 'files/demo', uri: 'https://x.invalid/files/demo', mimeType: 'text/plain', state: 'ACTIVE' },
}

let kit: LlmKit
let key: string
beforeAll(async () => {
  kit = await createLlmKit()
})
afterAll(() => kit?.[Symbol.asyncDispose]())
let token: string
let serial = 0
beforeEach(async () => {
  serial += 1
  token = await kit.addAgent(`agent-${serial}`, [`agent-${serial}`])
  ;({ value: key } = await kit.addKey('google', { tags: [`agent-${serial}`] }))
  await kit.grant('google', { agent: `agent-${serial}`, groups: ['files', 'inference'] })
})
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

/** As Google answers a start: its own host, with the key that it was asked with. */
const opened =
  (host = 'generativelanguage.googleapis.com') =>
  (call: VendorCall) =>
    json({}, 200, {
      'x-goog-upload-status': 'active',
      'x-goog-upload-url': `https://${host}${PATH}?key=${call.key}&upload_id=AB-1_x&upload_protocol=resumable`,
    })
const ended = () => json(FILE, 200, { 'x-goog-upload-status': 'final' })
const start = () => kit.ask(`/llm/google${PATH}`, { token, body: {}, headers: START })

describe('an upload to Google', () => {
  it('goes through the proxy whole, with the SDK as it is', async () => {
    kit.vendors.next('google', opened())
    kit.vendors.next('google', ended)
    const client = new GoogleGenAI({ apiKey: token, httpOptions: { baseUrl: kit.base('google') } })
    const file = await client.files.upload({
      file: new Blob(['some text']),
      config: { mimeType: 'text/plain' },
    })
    expect(file.name).toBe('files/demo')
    const [first, second] = kit.vendors.callsTo('google').slice(-2)
    expect(first?.key).toBe(key)
    expect(second?.url).toBe(`${PATH}?upload_id=AB-1_x&upload_protocol=resumable`)
    expect([second?.key, second?.body.toString()]).toEqual([key, 'some text'])
  })

  it('goes on without a credential, as other SDKs send it, with the key that it began with', async () => {
    // Google's other projects do not know the upload.
    await kit.addKey('google', { tags: [`agent-${serial}`] })
    for (let at = 0; at < 6; at += 1) {
      kit.vendors.next('google', opened())
      const first = await start()
      const url = first.headers.get('x-goog-upload-url') ?? ''
      expect(url.startsWith(`${kit.url}/llm/google${PATH}?upload_id=`)).toBe(true)
      kit.vendors.next('google', ended)
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'x-goog-upload-command': 'upload, finalize' },
        body: 'x',
      })
      expect(answer.status).toBe(200)
      const [began, went] = kit.vendors.callsTo('google').slice(-2)
      expect(went?.key).toBe(began?.key)
    }
  })

  it('stands for this path alone, for its agent alone, and while the agent may', async () => {
    kit.vendors.next('google', opened())
    const url = (await start()).headers.get('x-goog-upload-url') ?? ''
    const secret = new URL(url).searchParams.get('oauth3_upload')
    const statusOf = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(`${kit.url}${path}`, { method: 'POST', headers, body: 'x' })).status
    expect(secret).toMatch(/^[\w-]{22}$/)
    const before = kit.vendors.calls.length
    expect(
      await statusOf(`/llm/google/v1beta/models/gemini-demo:generateContent?oauth3_upload=${secret}`),
    ).toBe(401)
    expect(await statusOf(`/llm/google${PATH}/x?oauth3_upload=${secret}`)).toBe(401)
    expect(await statusOf(`/llm/openai${PATH}?oauth3_upload=${secret}`)).toBe(401)
    expect(await statusOf(`/llm/google${PATH}?oauth3_upload=${'A'.repeat(22)}`)).toBe(401)
    expect(await statusOf(`/llm/google${PATH}?oauth3_upload=${secret}&oauth3_upload=${secret}`)).toBe(401)
    expect(await statusOf(new URL(url).pathname + new URL(url).search, { authorization: 'Bearer x' })).toBe(
      401,
    )
    const other = await kit.addAgent(`other-${serial}`)
    expect(
      await statusOf(new URL(url).pathname + new URL(url).search, { authorization: `Bearer ${other}` }),
    ).toBe(400)
    await kit.revokeAgent(`agent-${serial}`)
    expect(await statusOf(new URL(url).pathname + new URL(url).search)).toBe(401)
    expect(kit.vendors.calls.length).toBe(before)
  })

  it('that would lead to somebody else is not begun', async () => {
    kit.vendors.next('google', opened('uploads.evil.example'))
    const answer = await start()
    expect(answer.headers.get('x-goog-upload-url') ?? '').toBe('')
  })
})

it('redirects and resumable uploads of the vendor lead to the proxy, those to others stay what they are', async () => {
  const home = 'https://generativelanguage.googleapis.com'
  for (const [location, given] of [
    [`${home}/upload/x?key=k`, `${kit.url}/llm/google/upload/x`],
    ['/v1beta/y?a=1', `${kit.url}/llm/google/v1beta/y?a=1`],
    ['https://elsewhere.example/z', 'https://elsewhere.example/z'],
    ['//elsewhere.example/z', '//elsewhere.example/z'],
    [`${home}:444/z`, `${home}:444/z`],
  ] as const) {
    kit.vendors.next('google', { status: 308, headers: { location }, pieces: [] })
    expect((await start()).headers.get('location')).toBe(given)
  }
})
