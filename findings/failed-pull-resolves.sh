#!/usr/bin/env bash
# Guess:   `followProgress` of dockerode hands an error that the engine writes into the stream of a pull to its callback, an error
#          says what is missing, and `demuxStream` ends its two streams with the source.
# Real:    a pull that fails after its 200 ends without an error: it is one event of the list that the callback gets.
#          A missing image on create reads "no such container", and `demuxStream` never ends the streams that it fills.
# Version: dockerode 5.0.1
# Matters: "the callback had no error" is not "the image is here": events are looked through, and the reason is taken from the
#          engine's message, never from the words before it. Who waits for the end of demuxed output listens to its source.
# Seen:    pull: no error, two events, the second one with `error` · create: "(HTTP code 404) no such container - No such image:
#          x:latest" · output whole, no end of either stream
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts dockerode@5.0.1 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'

// One frame of multiplexed output: stream, three zeros, length, text.
const frame = (stream, text) => Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)])
const json = 'application/json'
const answers = {
  '/images/create': [200, json, '{"status":"Pulling"}\r\n{"errorDetail":{"message":"denied"},"error":"denied"}\r\n'],
  '/containers/create': [404, json, '{"message":"No such image: x:latest"}'],
  '/containers/abc/logs': [200, 'application/vnd.docker.multiplexed-stream', Buffer.concat([frame(1, 'out'), frame(2, 'err')])],
}
const server = http.createServer((req, res) => {
  req.resume()
  const [status, type, body] = answers[req.url.split('?')[0]]
  res.writeHead(status, { 'content-type': type })
  res.end(body)
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const docker = new Docker({ protocol: 'http', host: '127.0.0.1', port: server.address().port })

const pull = await docker.pull('x:latest')
const events = await new Promise((resolve, reject) =>
  docker.modem.followProgress(pull, (error, list) => (error ? reject(error) : resolve(list))),
)
const logs = await docker.getContainer('abc').logs({ follow: true, stdout: true, stderr: true })
const [out, err] = [new PassThrough(), new PassThrough()]
let [text, ends] = ['', 0]
for (const stream of [out, err]) {
  stream.on('data', (data) => (text += data))
  stream.on('end', () => (ends += 1))
}
docker.modem.demuxStream(logs, out, err)
await once(logs, 'end')
await sleep(200)
const seen = {
  pull: events.map((event) => event.error ?? event.status),
  create: await docker.createContainer({ Image: 'x' }).catch((error) => error.message),
  logs: { text, ends },
}
console.log(seen)
assert.deepEqual(seen, {
  pull: ['Pulling', 'denied'],
  create: '(HTTP code 404) no such container - No such image: x:latest ',
  logs: { text: 'outerr', ends: 0 },
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
