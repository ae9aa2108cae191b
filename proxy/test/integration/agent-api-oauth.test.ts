/** MCP clients that were refused look for OAuth; they show what they are told only where it is in OAuth's form. */

import { auth } from '@modelcontextprotocol/sdk/client/auth.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiKit, startApi } from '../support/api-kit.ts'

let api: ApiKit
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api[Symbol.asyncDispose]())

describe.each([
  ['GET', '/.well-known/oauth-protected-resource', 404],
  ['GET', '/.well-known/oauth-protected-resource/mcp', 404],
  ['GET', '/.well-known/oauth-authorization-server', 404],
  ['GET', '/.well-known/oauth-authorization-server/mcp', 404],
  ['GET', '/.well-known/openid-configuration', 404],
  ['GET', '/mcp/.well-known/openid-configuration', 404],
  ['POST', '/register', 400],
  ['POST', '/token', 400],
  ['POST', '/oauth/token', 400],
  ['GET', '/authorize?response_type=code', 400],
  ['POST', '/revoke', 400],
])('%s %s', (method, path, status) => {
  test('is an error as RFC 6749 and 7591 have it', async () => {
    const answer = await api.call(method, path, {
      token: null,
      ...(method === 'POST'
        ? { body: 'grant_type=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
        : {}),
    })
    expect(answer.status).toBe(status)
    expect(answer.json).toEqual({
      error: expect.stringMatching(/^[a-z_]+$/),
      error_description: expect.stringContaining('oauth3 agent add'),
    })
  })
})

test('the SDK of MCP shows its user what to do, instead of an answer that it cannot read', async () => {
  const provider = {
    redirectUrl: 'http://127.0.0.1/callback',
    clientMetadata: { redirect_uris: ['http://127.0.0.1/callback'] },
    clientInformation: () => undefined,
    saveClientInformation() {},
    tokens: () => undefined,
    saveTokens() {},
    redirectToAuthorization() {},
    saveCodeVerifier() {},
    codeVerifier: () => 'x',
  }
  await expect(auth(provider, { serverUrl: `${api.url}/mcp` })).rejects.toThrow(/oauth3 agent add/)
})

test('other paths stay in the daemon’s own form', async () => {
  for (const path of ['/registers', '/token/x', '/.well-known/security.txt'])
    expect((await api.call('GET', path)).json.error.code, path).toBe('not_found')
})
