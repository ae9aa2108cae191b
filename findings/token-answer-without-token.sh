#!/usr/bin/env bash
# Guess:   an OAuth library raises where the token endpoint answers 200 with an `error` and no token, as GitHub's does; a token that comes
#          without `token_type` is refused, or goes into `Authorization: Bearer`.
# Real:    simple-oauth2 resolves, its token is the error and does not count as expired. oauth (under many strategies of Passport) calls back
#          without an error, jsforce resolves, and google-auth-library sends its next request with `Authorization: Bearer undefined`.
#          client-oauth2 raises there, but writes a token without a type into the query of each address. oauth4webapi, openid-client,
#          both MCP SDKs, badgateway and arctic raise on the first; all but the last two on the second too.
# Version: simple-oauth2 5.1.0, oauth 0.10.2, jsforce 3.10.26, google-auth-library 11.3.4, client-oauth2 4.3.3, oauth4webapi 3.8.8,
#          openid-client 6.9.0, @badgateway/oauth2-client 3.3.1, arctic 3.7.0, @modelcontextprotocol/sdk 1.32.2, @modelcontextprotocol/client 2.4.0
# Matters: a sign-in that failed is seen as a 401 of the API one request later, of a request that holds neither secret nor placeholder.
#          It looks as if the gateway had put nothing in: look for `undefined` where the credential belongs, and at the answer of the token endpoint.
# Seen:    the table at the end of the probe: the answer with an error, then the token without a type
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts simple-oauth2@5.1.0 oauth@0.10.2 jsforce@3.10.26 google-auth-library@11.3.4 \
  client-oauth2@4.3.3 oauth4webapi@3.8.8 openid-client@6.9.0 @badgateway/oauth2-client@3.3.1 arctic@3.7.0 @modelcontextprotocol/sdk@1.32.2 \
  @modelcontextprotocol/client@2.4.0 >/dev/null 2>&1
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { OAuth2Client as Badgateway } from '@badgateway/oauth2-client'
import * as two from '@modelcontextprotocol/client'
import * as one from '@modelcontextprotocol/sdk/client/auth.js'
import { OAuth2Client as Arctic } from 'arctic'
import ClientOAuth2 from 'client-oauth2'
import { OAuth2Client as Google } from 'google-auth-library'
import jsforce from 'jsforce'
import { OAuth2 } from 'oauth'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { AuthorizationCode } from 'simple-oauth2'

let answer, api
const server = http.createServer((req, res) => {
  req.resume()
  if (req.url.startsWith('/api')) api = `${req.url} ${req.headers.authorization}`
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end(req.url.startsWith('/api') ? '{}' : JSON.stringify(answer))
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`
const [id, secret] = ['demo', 'example']
const metadata = { issuer: base, token_endpoint: `${base}/token`, authorization_endpoint: `${base}/sign-in`, response_types_supported: ['code'] }
const client = { client_id: id }

// Each gives the token that a program would send, or has the library send it.
const calls = {
  async 'simple-oauth2'() {
    const got = await new AuthorizationCode({ client: { id, secret }, auth: { tokenHost: base } }).getToken({ code: 'c' })
    return got.token.access_token ?? `no token, ${got.expired() ? '' : 'not '}expired`
  },
  oauth: () =>
    new Promise((done, fail) =>
      new OAuth2(id, secret, base, '/sign-in', '/token').getOAuthAccessToken('c', {}, (error, token) =>
        error ? fail(error) : done(token ?? 'no token'))),
  jsforce: async () =>
    (await new jsforce.OAuth2({ loginUrl: base, clientId: id, clientSecret: secret, redirectUri: base }).refreshToken('r')).access_token ?? 'no token',
  async google() {
    const google = new Google({ clientId: id, clientSecret: secret, endpoints: { oauth2TokenUrl: `${base}/token` } })
    google.setCredentials({ refresh_token: 'r' })
    await google.request({ url: `${base}/api` })
    return api
  },
  async 'client-oauth2'() {
    const token = await new ClientOAuth2({ clientId: id, clientSecret: secret, accessTokenUri: `${base}/token` }).credentials.getToken()
    const { url, headers } = token.sign({ url: `${base}/api` })
    await fetch(url, { headers })
    return api
  },
  async oauth4webapi() {
    const plainHttp = { [oauth.allowInsecureRequests]: true }
    const response = await oauth.refreshTokenGrantRequest(metadata, client, oauth.ClientSecretPost(secret), 'r', plainHttp)
    return (await oauth.processRefreshTokenResponse(metadata, client, response)).access_token
  },
  async 'openid-client'() {
    const config = new openid.Configuration(metadata, id, {}, openid.ClientSecretPost(secret))
    openid.allowInsecureRequests(config)
    return (await openid.refreshTokenGrant(config, 'r')).access_token
  },
  badgateway: async () =>
    (await new Badgateway({ server: base, clientId: id, clientSecret: secret, tokenEndpoint: '/token' }).clientCredentials()).accessToken,
  arctic: async () => (await new Arctic(id, secret, null).refreshAccessToken(`${base}/token`, 'r', [])).accessToken(),
  'mcp 1': async () => (await one.refreshAuthorization(base, { metadata, clientInformation: client, refreshToken: 'r' })).access_token,
  'mcp 2': async () => (await two.refreshAuthorization(base, { metadata, clientInformation: client, refreshToken: 'r' })).access_token,
}
const answers = [{ error: 'bad_verification_code', error_description: 'The code is incorrect or expired.' }, { access_token: 'TOKEN', expires_in: 3600 }]
console.warn = () => {}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  const outcomes = []
  for (answer of answers) outcomes.push(await call().catch(() => 'raised'))
  seen[name] = outcomes.join(' | ')
  console.log(name, '·', seen[name])
}
assert.deepEqual(seen, {
  'simple-oauth2': 'no token, not expired | TOKEN',
  oauth: 'no token | TOKEN',
  jsforce: 'no token | TOKEN',
  google: '/api Bearer undefined | /api Bearer TOKEN',
  'client-oauth2': 'raised | /api?access_token=TOKEN undefined',
  oauth4webapi: 'raised | raised',
  'openid-client': 'raised | raised',
  badgateway: 'raised | TOKEN',
  arctic: 'raised | TOKEN',
  'mcp 1': 'raised | raised',
  'mcp 2': 'raised | raised',
})
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
