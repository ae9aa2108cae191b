#!/usr/bin/env bash
# Guess:   a client of GraphQL sends each operation as `POST` with `{query, variables}` in its body; GET is for those who ask for it.
# Real:    urql sends a query as GET with all of it in the address, and as POST once that address has 2,048 letters: by the length of a
#          variable. Apollo Server refuses such a GET with its default settings (its protection against CSRF), so there a short query
#          fails and a long one passes; Yoga and graphql-http take both. `preferGetMethod: false` ends it. Apollo's client, graphql-request
#          and Octokit POST whatever the length is.
# Version: @urql/core 6.0.3, @apollo/client 4.3.8, graphql-request 7.4.0, @octokit/graphql 9.0.5;
#          @apollo/server 5.5.1, graphql-yoga 5.24.1, graphql-http 1.23.1, graphql 16.15.0
# Matters: one line of code wants POST or GET by its data: an approval of `POST /graphql` alone refuses most of its queries, and one of
#          GET lets pass what was tried with short ones. A variable that holds a secret stands in the address or in the body by its neighbours'
#          length: in logs, and in a part of the request that was not approved for it.
# Seen:    the two tables at the end of the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @urql/core@6.0.3 @apollo/client@4.3.8 rxjs@7.8.2 graphql-request@7.4.0 \
  @octokit/graphql@9.0.5 @apollo/server@5.5.1 graphql-yoga@5.24.1 graphql-http@1.23.1 graphql@16.15.0 >/dev/null 2>&1
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client/core'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { graphql as octokit } from '@octokit/graphql'
import { fetchExchange, Client as Urql } from '@urql/core'
import { buildSchema } from 'graphql'
import { createHandler } from 'graphql-http/lib/use/http'
import { GraphQLClient } from 'graphql-request'
import { createSchema, createYoga } from 'graphql-yoga'

async function listen(server) {
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${server.address().port}/graphql`
}

const query = 'query Q($name: String) { hello(name: $name) }'
const mutation = 'mutation M($name: String) { hello(name: $name) }'
const short = { name: 'a' }
const long = { name: 'a'.repeat(2_048) }

// Where the variables came.
let came
const url = await listen(
  http.createServer(async (req, res) => {
    let body = ''
    for await (const part of req) body += part
    came = `${req.method} ${req.url.includes('variables') ? 'address' : body.includes('"variables"') ? 'body' : '?'}`
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"hello":"a"}}')
  }),
)
const isQuery = (text) => text === query
const urql = (more) => {
  const client = new Urql({ url, exchanges: [fetchExchange], ...more })
  return (text, variables) => (isQuery(text) ? client.query(text, variables) : client.mutation(text, variables)).toPromise()
}
const apollo = new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache() })
const clients = {
  urql: urql({}),
  'urql, preferGetMethod false': urql({ preferGetMethod: false }),
  apollo: (text, variables) =>
    isQuery(text) ? apollo.query({ query: gql(text), variables }) : apollo.mutate({ mutation: gql(text), variables }),
  'graphql-request': (text, variables) => new GraphQLClient(url).request(text, variables),
  octokit: octokit.defaults({ baseUrl: url.replace(/\/graphql$/, '') }),
}
const sent = {}
for (const [name, send] of Object.entries(clients)) {
  const row = []
  for (const [text, variables] of [[query, short], [query, long], [mutation, short]]) {
    came = 'nothing'
    await send(text, variables)
    row.push(came)
  }
  sent[name] = row.join(' | ')
  console.log(name.padEnd(28), sent[name])
}

// The same query of urql, at three servers as they are made without options.
const typeDefs = 'type Query { hello(name: String): String }'
const hello = () => 'hello'
const schema = createSchema({ typeDefs, resolvers: { Query: { hello } } })
const servers = {
  'apollo server': (await startStandaloneServer(new ApolloServer({ typeDefs, resolvers: { Query: { hello } } }), { listen: { port: 0, host: '127.0.0.1' } })).url,
  yoga: await listen(http.createServer(createYoga({ schema, logging: false }))),
  'graphql-http': await listen(http.createServer(createHandler({ schema: buildSchema(typeDefs), rootValue: { hello } }))),
}
const answered = {}
for (const [name, at] of Object.entries(servers)) {
  const row = []
  for (const variables of [short, long]) {
    const { data, error } = await urql({ url: at })(query, variables)
    row.push(data?.hello ?? `${error.response.status} ${/CSRF|Cross-Site/.test(error.message) ? 'CSRF' : error.message}`)
  }
  answered[name] = row.join(' | ')
  console.log(name.padEnd(28), answered[name])
}
const post = 'POST body | POST body | POST body'
assert.deepEqual(sent, {
  urql: 'GET address | POST body | POST body',
  'urql, preferGetMethod false': post,
  apollo: post,
  'graphql-request': post,
  octokit: post,
})
assert.deepEqual(answered, { 'apollo server': '400 CSRF | hello', yoga: 'hello | hello', 'graphql-http': 'hello | hello' })
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
