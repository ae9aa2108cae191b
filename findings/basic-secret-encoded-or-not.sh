#!/usr/bin/env bash
# Guess:   a client secret in `Authorization: Basic` is base64 of id, colon and secret, whichever library writes it.
# Real:    oauth4webapi (and openid-client, which is built on it), @badgateway/oauth2-client and simple-oauth2 encode the secret as a
#          form does before (RFC 6749, 2.3.1), arctic, client-oauth2 and axios write it as it is. The first three do not agree
#          either: `~` stays in simple-oauth2, and `-` of the id becomes %2D in the two others.
# Version: oauth4webapi 3.8.8, openid-client 6.9.0, @badgateway/oauth2-client 3.3.1, simple-oauth2 5.1.0, arctic 3.7.0,
#          client-oauth2 4.3.3, axios 1.21.1
# Matters: who puts the secret in behind the library (a gateway, a proxy) sees no sign of which it was: of a stand-in made of letters
#          and digits both forms are the same. A server that decodes reads another secret where it has `+` or `%`.
# Seen:    the secret a+b/c=d~e as a%2Bb%2Fc%3Dd%7Ee · a%2Bb%2Fc%3Dd~e · a+b/c=d~e
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts oauth4webapi@3.8.8 openid-client@6.9.0 @badgateway/oauth2-client@3.3.1 \
  simple-oauth2@5.1.0 arctic@3.7.0 client-oauth2@4.3.3 axios@1.21.1 >/dev/null 2>&1
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { OAuth2Client as Badgateway } from '@badgateway/oauth2-client'
import { OAuth2Client as Arctic } from 'arctic'
import axios from 'axios'
import ClientOAuth2 from 'client-oauth2'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { ClientCredentials } from 'simple-oauth2'

let basic
const server = http.createServer((req, res) => {
  basic = Buffer.from((req.headers.authorization ?? '').slice('Basic '.length), 'base64').toString()
  req.resume()
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end('{"access_token":"example","token_type":"bearer","expires_in":3600}')
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`
const [id, secret] = ['demo-id', 'a+b/c=d~e']
const metadata = { issuer: base, token_endpoint: `${base}/token` }
const plainHttp = { [oauth.allowInsecureRequests]: true }

const calls = {
  oauth4webapi: () =>
    oauth.clientCredentialsGrantRequest(
      metadata, { client_id: id }, oauth.ClientSecretBasic(secret), new URLSearchParams(), plainHttp),
  'openid-client'() {
    const config = new openid.Configuration(metadata, id, {}, openid.ClientSecretBasic(secret))
    openid.allowInsecureRequests(config)
    return openid.clientCredentialsGrant(config)
  },
  badgateway: () =>
    new Badgateway({
      ...{ server: base, clientId: id, clientSecret: secret, tokenEndpoint: '/token' },
      authenticationMethod: 'client_secret_basic',
    }).clientCredentials(),
  'simple-oauth2': () =>
    new ClientCredentials({ client: { id, secret }, auth: { tokenHost: base } }).getToken({}),
  arctic: () => new Arctic(id, secret, null).refreshAccessToken(`${base}/token`, 'example', []),
  'client-oauth2': () =>
    new ClientOAuth2({ clientId: id, clientSecret: secret, accessTokenUri: `${base}/token` }).credentials.getToken(),
  axios: () =>
    axios.post(`${base}/token`, 'grant_type=client_credentials', { auth: { username: id, password: secret } }),
}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  basic = null
  await call()
  seen[name] = basic
  console.log(name.padEnd(14), basic)
}
assert.deepEqual(seen, {
  oauth4webapi: 'demo%2Did:a%2Bb%2Fc%3Dd%7Ee',
  'openid-client': 'demo%2Did:a%2Bb%2Fc%3Dd%7Ee',
  badgateway: 'demo%2Did:a%2Bb%2Fc%3Dd%7Ee',
  'simple-oauth2': 'demo-id:a%2Bb%2Fc%3Dd~e',
  arctic: 'demo-id:a+b/c=d~e',
  'client-oauth2': 'demo-id:a+b/c=d~e',
  axios: 'demo-id:a+b/c=d~e',
})
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
