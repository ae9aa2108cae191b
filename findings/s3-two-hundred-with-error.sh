#!/usr/bin/env bash
# Guess:   S3 may answer the end of an upload in parts with 200 and an `<Error>` in its body (AWS documents it); every client reads
#          that body and throws an error that names the code.
# Real:    the AWS SDK asks three times and throws InternalError. s3mini resolves: the upload counts as done. minio throws the
#          parsed body, which is no Error: it has no message and no stack, and prints as [object Object].
#          s3-lite-client throws "Unexpected response" with the whole body and without a code.
# Version: @aws-sdk/client-s3 3.1175.0, @aws-sdk/lib-storage 3.1175.0, s3mini 1.0.2, minio 8.0.7, @bradenmacdonald/s3-lite-client 1.0.0
# Matters: what was stored in parts is there only once a HEAD or a read has shown it; a mark "all is written" must not hang on the
#          resolution of an upload.
# Seen:    the table at the end of the probe: of an upload of 12 MiB, what became of the call, and how often its end was asked for
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @aws-sdk/client-s3@3.1175.0 @aws-sdk/lib-storage@3.1175.0 s3mini@1.0.2 \
  minio@8.0.7 @bradenmacdonald/s3-lite-client@1.0.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { S3Client as Lite } from '@bradenmacdonald/s3-lite-client'
import { Client as Minio } from 'minio'
import { S3mini } from 's3mini'

const xml = (text) => `<?xml version="1.0" encoding="UTF-8"?>\n${text}`
let ends = 0
const server = http.createServer(async (req, res) => {
  for await (const _ of req);
  const { searchParams } = new URL(req.url, 'http://x')
  const send = (text, headers = {}) => res.writeHead(200, { 'content-type': 'application/xml', ...headers }).end(text)
  if (searchParams.has('uploads') && req.method === 'GET')
    return send(xml('<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>'))
  if (searchParams.has('uploads'))
    return send(xml('<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>'))
  if (req.method === 'PUT') return send('', { etag: '"0123456789abcdef0123456789abcdef"' })
  if (req.method === 'DELETE') return res.writeHead(204).end()
  ends += 1
  send(xml('<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>'))
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address()
const endPoint = `http://127.0.0.1:${port}`
const credentials = { accessKeyId: 'example', secretAccessKey: 'example' }
const region = 'us-east-1'
const body = Buffer.alloc(12 * 1_048_576)

const uploads = {
  aws: () => {
    const client = new S3Client({ endpoint: endPoint, region, forcePathStyle: true, credentials })
    return new Upload({ client, params: { Bucket: 'bucket', Key: 'k', Body: body } }).done()
  },
  s3mini: () => new S3mini({ endpoint: `${endPoint}/bucket`, region, ...credentials }).putAnyObject('k', body),
  minio: () =>
    new Minio({ endPoint: '127.0.0.1', port, useSSL: false, region, partSize: 6 * 1_048_576, accessKey: 'example', secretKey: 'example' })
      .putObject('bucket', 'k', body),
  lite: () =>
    new Lite({ endPoint, region, bucket: 'bucket', pathStyle: true, accessKey: 'example', secretKey: 'example' })
      .putObject('k', body, { partSize: 6 * 1_048_576 }),
}
const seen = {}
for (const [name, upload] of Object.entries(uploads)) {
  ends = 0
  const outcome = await upload().then(
    () => 'resolves',
    (error) => (error instanceof Error ? `throws ${error.name}: ${error.message.slice(0, 20)}` : `throws ${error}, code ${error.Code}`),
  )
  seen[name] = `${outcome} · asked ${ends}`
}
console.log(seen)
assert.deepEqual(seen, {
  aws: 'throws InternalError: We encountered an in · asked 3',
  s3mini: 'resolves · asked 1',
  minio: 'throws [object Object], code InternalError · asked 1',
  lite: 'throws Error: Unexpected response: · asked 1',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
