#!/usr/bin/env bash
# Guess:   `/items/:id` and `/files/*` mean the same in every router: a parameter is not empty, `*` needs its slash.
# Real:    fastify takes `/items/` as the item with the empty id, express and hono answer 404. The tail: hono matches `/files`
#          and `/files/`, fastify `/files/` only, express (`/files/*rest`) neither.
# Version: express 5.3.0, fastify 5.12.8, hono 4.13.19, @hono/node-server 2.1.9
# Matters: what `/v1/items/*` and `/v1/files/**` cover at the ends has to be said where patterns are described; the empty last
#          segment is not left to chance.
# Seen:    the table at the end of the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts express@5.3.0 fastify@5.12.8 hono@4.13.19 @hono/node-server@2.1.9 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'

const app = express()
app.get('/items/:id', (req, res) => res.json(req.params))
app.get('/files/*rest', (req, res) => res.json(req.params))
const one = http.createServer(app)
await new Promise((done) => one.listen(0, '127.0.0.1', done))

const fastify = Fastify()
fastify.get('/items/:id', (req) => req.params)
fastify.get('/files/*', (req) => req.params)
await fastify.listen({ port: 0, host: '127.0.0.1' })

const hono = new Hono()
hono.get('/items/:id', (c) => c.json(c.req.param()))
hono.get('/files/*', (c) => c.json({}))
const three = await new Promise((done) => {
  const server = serve({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' }, () => done(server))
})
const servers = { express: one, fastify: fastify.server, hono: three }
const paths = ['/items/a', '/items/', '/files', '/files/', '/files/a']
const seen = {}
for (const [name, server] of Object.entries(servers)) {
  seen[name] = []
  for (const path of paths)
    seen[name].push((await fetch(`http://127.0.0.1:${server.address().port}${path}`)).status)
  console.log(name, paths.map((path, i) => `${path} ${seen[name][i]}`).join(', '))
}
assert.deepEqual(seen, {
  express: [200, 404, 404, 404, 200],
  fastify: [200, 200, 404, 200, 200],
  hono: [200, 404, 200, 200, 200],
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
