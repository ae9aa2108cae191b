#!/usr/bin/env bash
# Guess:   `file.save()` of @google-cloud/storage sends one POST; an upload never sends a DELETE.
# Real:    when the answer to the upload names no checksum, or another one, the SDK sends `DELETE` for the object of that
#          name and raises.
# Version: @google-cloud/storage 8.4.0
# Matters: code that shows only an upload may need DELETE as well; a gateway that changes an answer can make it happen, and
#          one that refuses the DELETE leaves the object, under the same error.
# Seen:    POST /upload/storage/v1/b/bucket/o, DELETE /storage/v1/b/bucket/o/dir%2Fname, then the error
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @google-cloud/storage@8.4.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { Storage } from '@google-cloud/storage'

const seen = []
const server = http.createServer((req, res) => {
  seen.push(`${req.method} ${req.url.split('?')[0]}`)
  req.resume()
  req.on('end', () => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end('{"name":"dir/name"}')
  })
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const storage = new Storage({
  projectId: 'p',
  apiEndpoint: `http://127.0.0.1:${server.address().port}`,
  useAuthWithCustomEndpoint: false,
})
const outcome = await storage
  .bucket('bucket')
  .file('dir/name')
  .save('text', { resumable: false })
  .then(() => 'resolved', () => 'raised')
console.log(seen.join(', '), outcome)
assert.deepEqual(seen, [
  'POST /upload/storage/v1/b/bucket/o',
  'DELETE /storage/v1/b/bucket/o/dir%2Fname',
])
assert.equal(outcome, 'raised')
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
