/**
 * What a request line, a head or a body may say in two ways is said in one way to the vendor, or not at all: the host comes
 * from the table, the path is evaluated once, and one request of the client's is one request of the vendor's.
 */
import { describe, expect, it } from 'vitest'
import { chatBody } from '../support/llm-kit.ts'
import { CHAT, status, useSmuggling, withBody } from '../support/smuggling-kit.ts'

const world = useSmuggling()
const { calls, auth } = world

const code = (text: string): string => /^x-oauth3-error: (.*)$/im.exec(text)?.[1]?.trim() ?? ''

describe('the path', () => {
  it.each([
    '/llm/openai/v1/../../admin',
    '/llm/openai/v1/..',
    '/llm/openai/../google/v1beta/models',
    '/llm/openai/%2e%2e/google/v1beta/models',
    '/llm/openai/v1/%2E%2E/%2e%2e/x',
    '/llm/openai/v1/.%2e/x',
    '/llm/openai/v1/%252e%252e/x',
    '/llm/openai/v1/..;/x',
    '/llm/openai/v1/./chat/completions',
    '/llm/openai/v1/%2e/chat/completions',
    '/llm/openai//v1/chat/completions',
    '/llm/openai/v1//chat/completions',
    '/llm//openai/v1/chat/completions',
    '/llm/openai/v1/chat/completions//',
    '/llm/openai/v1/%2Fetc',
    '/llm/openai/v1/..%2f..%2fx',
    '/llm/openai/v1/..%5c..%5cx',
    '/llm/openai/v1\\chat\\completions',
    '/llm/openai\\@evil.example/x',
    '/llm/openai/v1/%5c%5cevil.example/x',
    '/llm/openai/v1/chat%00/completions',
    '/llm/openai/v1/chat%0d%0aX-Smuggled:%20yes/completions',
    '/llm/openai/v1/chat%0acompletions',
    '/llm/openai/v1/chat/completions%20HTTP/1.1',
    '/llm/openai/v1/%zz',
    '/llm/openai/v1/%',
    '/llm/openai/v1/chat#fragment',
    '/llm/openai/v1/%ff%fe',
    '/llm/openai/v1/@evil.example',
    '/llm/%6fpenai/v1/chat/completions',
    '/llm/openai%2fv1/chat/completions',
    '/%6clm/openai/v1/chat/completions',
  ])('%s never leaves as it is', async (path) => {
    const before = calls()
    const text = await world.kit.raw(
      withBody(`POST ${path} HTTP/1.1`, `Host: ${world.host}`, 'Connection: close', auth()),
    )
    const sent = world.kit.vendors.calls.slice(before)
    for (const call of sent) {
      // Where one does go out, it is one plain path below the vendor's root, and none of it can be read in another way.
      expect(call.vendor).toBe('openai')
      expect(call.url.startsWith('/v1/')).toBe(true)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
      expect(decodeURIComponent(call.url)).not.toMatch(/\/\/|\/\.\.?(\/|$)|\\|[\x00-\x1f\x7f#]/)
    }
    world.kit.vendors.faults.length = 0
    if (sent.length === 0) expect([400, 403, 404]).toContain(status(text))
  })

  it.each([
    'http://evil.example/llm/openai/v1/chat/completions',
    'https://api.openai.com/v1/chat/completions',
    'http://169.254.169.254/latest/meta-data',
    '//evil.example/llm/openai/v1/chat/completions',
    '*',
    'llm/openai/v1/chat/completions',
  ])('the target %s is refused', async (target) => {
    const before = calls()
    const text = await world.kit.raw(
      withBody(`POST ${target} HTTP/1.1`, `Host: ${world.host}`, 'Connection: close', auth()),
    )
    expect([400, 403, 404]).toContain(status(text))
    expect(calls()).toBe(before)
    expect(world.kit.lookups).not.toContain('evil.example')
  })

  it('CONNECT opens no tunnel', async () => {
    const text = await world.kit.raw(
      `CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n${auth()}\r\n\r\n`,
    )
    expect(text).not.toMatch(/^HTTP\/1\.1 2/)
  })

  it.each([
    ...['toString', '__proto__', 'constructor', 'hasOwnProperty', 'valueOf', 'prototype', '__defineGetter__'],
    ...['OPENAI', 'OpenAI', 'openai.', 'openai:443', 'openai@evil.example', 'nobody', '..', '.'],
  ])('%s is no provider, under either path', async (name) => {
    for (const path of [`/llm/${name}/v1/chat/completions`, `/v1/${name}/v1/chat/completions`]) {
      const before = calls()
      const text = await world.kit.raw(
        withBody(`POST ${path} HTTP/1.1`, `Host: ${world.host}`, 'Connection: close', auth()),
      )
      expect([400, 403, 404], path).toContain(status(text))
      expect(code(text) || '404', path).toMatch(/^(unknown_provider|unknown_path|bad_request|404)$/)
      expect(calls(), path).toBe(before)
    }
  })

  it.each([
    '__proto__/gpt',
    'constructor/gpt',
    'toString/x',
    'evil.example/gpt',
    '../google/gemini',
    '/gpt-4o',
  ])('the model %s routes to nobody', async (model) => {
    const before = calls()
    const answer = await world.kit.ask('/v1/chat/completions', { body: chatBody({ model }) })
    expect([400, 403, 404]).toContain(answer.status)
    expect(calls()).toBe(before)
  })
})

describe('the query', () => {
  const GENERATE = '/llm/google/v1beta/models/gemini-demo:generateContent'
  const ask = (path: string, headers: Record<string, string> = {}) =>
    world.kit.ask(path, { token: world.kit.token, body: { contents: [] }, headers })

  it.each([
    '$httpMethod=DELETE',
    '%24httpMethod=DELETE',
    '%24%68ttpMethod=GET',
    '$HttpMethod=delete',
    'alt=sse&$httpMethod=PATCH',
    'alt=sse;$httpMethod=PATCH',
    '$httpMethod=',
    '_method=DELETE',
    'x-http-method-override=DELETE',
    '$req=%7B%22model%22%3A%22other%22%7D',
    '$httpHeaders=X-HTTP-Method-Override%3ADELETE%0D%0A',
    '$ct=application/x-protobuf',
    '$rpc=x',
    '$somethingNew=1',
    '$',
  ])('replaces nothing of the request that was authorized: %s', async (query) => {
    for (const path of [GENERATE, CHAT]) {
      const before = calls()
      const answer = await ask(`${path}?${query}`)
      expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([400, 'bad_request'])
      expect(answer.text).toContain('query')
      expect(calls()).toBe(before)
    }
  })

  it.each([
    '$key=AIza-other',
    '%24key=AIza-other',
    'access_token=ya29.other',
    'oauth_token=ya29.other',
    'Access_Token=ya29.other',
    'bearer_token=ya29.other',
    'api_key=other',
    'a=1;key=AIza-other',
  ])('brings no credential along beside the token: %s', async (query) => {
    const before = calls()
    const answer = await ask(`${GENERATE}?${query}`)
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([400, 'ambiguous_credentials'])
    expect(calls()).toBe(before)
  })

  it('passes byte for byte with what changes the form of an answer, and with any other word', async () => {
    for (const query of [
      '$alt=json&$prettyPrint=false&$.xgafv=2&%24fields=*&$apiVersion=2026-05-20',
      'alt=sse&prettyPrint=true&quotaUser=u',
      'method=fast&price=$5&q=$httpMethod',
    ]) {
      const answer = await ask(`${GENERATE}?${query}`)
      expect([query, answer.status]).toEqual([query, 200])
      expect(world.kit.vendors.calls.at(-1)?.url.split('?')[1]).toBe(query)
    }
  })

  it('nor does a header, in whatever spelling a server folds into one', async () => {
    for (const name of [
      'X-HTTP-Method-Override',
      'x_http_method_override',
      'X-Http_Method',
      'x_original_url',
    ]) {
      expect((await ask(GENERATE, { [name]: 'DELETE' })).status).toBe(200)
      expect(world.kit.vendors.calls.at(-1)?.headers).not.toHaveProperty([name.toLowerCase()])
    }
  })
})

describe('the host', () => {
  it.each([
    'Host: evil.example',
    'Host: api.anthropic.com',
    'X-Forwarded-Host: evil.example',
    'X-Original-URL: /v1/models',
    'X-Rewrite-URL: /v1/models',
    'X-HTTP-Method-Override: DELETE',
    'Forwarded: host=evil.example',
    'X-Upstream: https://evil.example',
    'X-Portkey-Custom-Host: https://evil.example',
  ])('is the vendor’s own whatever the request says: %s', async (line) => {
    const own = line.startsWith('Host:') ? [] : [`Host: ${world.host}`]
    const text = await world.kit.raw(
      withBody(`POST ${CHAT} HTTP/1.1`, ...own, line, 'Connection: close', auth()),
    )
    expect(status(text)).toBe(200)
    const call = world.kit.vendors.callsTo('openai').at(-1)
    expect(call?.headers.host).toBe('api.openai.com')
    expect([call?.method, call?.url]).toEqual(['POST', '/v1/chat/completions'])
    expect(world.kit.lookups).not.toContain('evil.example')
  })

  it('two Host headers, or none, are refused', async () => {
    const before = calls()
    const two = await world.kit.raw(
      withBody(
        `POST ${CHAT} HTTP/1.1`,
        `Host: ${world.host}`,
        'Host: api.openai.com',
        'Connection: close',
        auth(),
      ),
    )
    const none = await world.kit.raw(withBody(`POST ${CHAT} HTTP/1.1`, 'Connection: close', auth()))
    expect(status(none)).toBe(400)
    if (status(two) !== 400) expect(world.kit.vendors.calls.at(-1)?.headers.host).toBe('api.openai.com')
    else expect(calls()).toBe(before)
  })
})
