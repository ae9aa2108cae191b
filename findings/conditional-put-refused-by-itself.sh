#!/usr/bin/env bash
# Guess:   a client of an object store that is told to write only what is not there yet (`If-None-Match: *`) does not repeat that by
#          itself after an error, or knows its own object when it finds it.
# Real:    @aws-sdk/client-s3, aws4fetch and minio repeat it, and report the 412 that their own first write brought about; the error of
#          that first one is gone. The SDK does so after a broken connection too, where the two others give up; s3mini never repeats.
# Version: @aws-sdk/client-s3 3.1175.0, aws4fetch 1.0.20, minio 8.0.7, s3mini 1.0.2
# Matters: "somebody else was first" is read from 412. Behind a store that stores and then answers 500 it was the writer itself, and a
#          fence or a manifest that is there counts as lost. Who relies on it switches repeats off, or compares what is there.
# Seen:    first PUT answered 500, 503, broken off; second 412: aws-sdk 2 2 2 · aws4fetch 2 2 1 · minio 2 2 1 · s3mini 1 1 1 requests
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @aws-sdk/client-s3@3.1175.0 aws4fetch@1.0.20 minio@8.0.7 s3mini@1.0.2 >/dev/null 2>&1
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { AwsClient } from 'aws4fetch'
import { Client as Minio } from 'minio'
import { S3mini } from 's3mini'

let first, conditions
const server = http.createServer((req, res) => {
  req.resume()
  req.on('end', () => {
    conditions.push(req.headers['if-none-match'])
    if (conditions.length === 1 && first === 'broken off') return req.socket.destroy()
    const [status, code] = conditions.length === 1 ? [first, 'InternalError'] : [412, 'PreconditionFailed']
    res.writeHead(status, { 'content-type': 'application/xml' })
    res.end(`<Error><Code>${code}</Code><Message>example</Message></Error>`)
  })
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const { port } = server.address()
const endpoint = `http://127.0.0.1:${port}`
const credentials = { accessKeyId: 'example', secretAccessKey: 'example' }
const region = 'us-east-1'

const sdk = new S3Client({ region, endpoint, forcePathStyle: true, credentials })
const aws4fetch = new AwsClient({ ...credentials, region, service: 's3' })
const minio = new Minio({
  ...{ endPoint: '127.0.0.1', port, useSSL: false, region, accessKey: 'example', secretKey: 'example' },
})
const s3mini = new S3mini({ ...credentials, endpoint: `${endpoint}/demo`, region })
const header = { 'if-none-match': '*' }
const writes = {
  'aws-sdk': () =>
    sdk.send(new PutObjectCommand({ Bucket: 'demo', Key: 'key', Body: 'x', IfNoneMatch: '*' })),
  async aws4fetch() {
    const { status } = await aws4fetch.fetch(`${endpoint}/demo/key`, { method: 'PUT', body: 'x', headers: header })
    throw Object.assign(new Error('refused'), { status })
  },
  minio: () => minio.putObject('demo', 'key', 'x', 1, header),
  s3mini: () => s3mini.putObject('key', 'x', 'text/plain', undefined, header),
}
// minio tells each repeat there.
console.warn = () => {}
const seen = {}
for (const [name, write] of Object.entries(writes)) {
  seen[name] = []
  for (first of [500, 503, 'broken off']) {
    conditions = []
    const error = await write().catch((thrown) => thrown)
    assert.ok(conditions.every((one) => one === '*'))
    const told = error.status ?? error.$metadata?.httpStatusCode ?? error.code ?? error.name
    seen[name].push(`${conditions.length} ${/412|Precondition/.test(told) ? '412' : 'the error'}`)
  }
  console.log(`${name.padEnd(10)} ${seen[name].join(' | ')}`)
}
const repeats = '2 412'
const givesUp = '1 the error'
assert.deepEqual(seen, {
  'aws-sdk': [repeats, repeats, repeats],
  aws4fetch: [repeats, repeats, givesUp],
  minio: [repeats, repeats, givesUp],
  s3mini: [givesUp, givesUp, givesUp],
})
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
