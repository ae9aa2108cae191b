#!/usr/bin/env bash
# Guess:   GraphQL servers take `Content-Type` in any case (RFC 9110 8.3.1), the most tolerant one first of all.
# Real:    graphql-yoga, which takes a form (`query=…`) and `application/graphql` where graphql-http and Apollo refuse them,
#          answers 415 to `Application/JSON`, which both others take.
# Version: graphql-yoga 5.24.1, graphql-http 1.23.1, @apollo/server 5.5.1, graphql 16.15.0
# Matters: a gateway that reads operations out of bodies meets four kinds of them, and compares media types without case.
# Seen:    the table at the end of the probe (statuses)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts graphql-yoga@5.24.1 graphql-http@1.23.1 @apollo/server@5.5.1 graphql@16.15.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { createHandler } from 'graphql-http/lib/use/http'
import { createYoga } from 'graphql-yoga'

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { a: { type: GraphQLString, resolve: () => 'a' } } }),
})
async function listen(handler) {
  const server = http.createServer(handler)
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return server.address().port
}
const { url } = await startStandaloneServer(new ApolloServer({ schema }), {
  listen: { port: 0, host: '127.0.0.1' },
})
const ports = {
  yoga: await listen(createYoga({ schema, logging: false })),
  'graphql-http': await listen(createHandler({ schema })),
  apollo: new URL(url).port,
}
const bodies = [
  ['application/json', '{"query":"{a}"}'],
  ['Application/JSON', '{"query":"{a}"}'],
  ['application/x-www-form-urlencoded', 'query=%7Ba%7D'],
  ['application/graphql', '{a}'],
]
const seen = {}
for (const [name, port] of Object.entries(ports)) {
  seen[name] = []
  for (const [type, body] of bodies) {
    const headers = { 'content-type': type, 'apollo-require-preflight': 'true' }
    const answer = await fetch(`http://127.0.0.1:${port}/graphql`, { method: 'POST', headers, body })
    seen[name].push(answer.status)
  }
  console.log(name, bodies.map(([type], i) => `${type}: ${seen[name][i]}`).join(', '))
}
assert.deepEqual(seen, {
  yoga: [200, 415, 200, 200],
  'graphql-http': [200, 200, 415, 415],
  apollo: [200, 200, 400, 400],
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
