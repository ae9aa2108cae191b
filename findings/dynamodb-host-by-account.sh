#!/usr/bin/env bash
# Guess:   the DynamoDB client talks to `dynamodb.{region}.amazonaws.com`, whoever is signed in.
# Real:    when the credentials name an account it talks to `{account}.ddb.{region}.amazonaws.com`. (As ever, each operation, a read
#          as well as the deletion of a table, is `POST /`; only the header X-Amz-Target tells them apart.)
# Version: @aws-sdk/client-dynamodb 3.1169.0
# Matters: the host on a card depends on who is signed in, and method and path cannot part reading from deleting.
# Seen:    POST 123456789012.ddb.us-east-1.amazonaws.com/ (account known), POST dynamodb.us-east-1.amazonaws.com/ (not)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @aws-sdk/client-dynamodb@3.1169.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { DeleteTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'

const seen = []
// Nothing is sent: the handler writes down what the client would put on the wire.
const requestHandler = {
  handle: async (request) => {
    seen.push(`${request.method} ${request.hostname}${request.path} ${request.headers['x-amz-target']}`)
    throw new Error('not sent')
  },
}
const client = (account) =>
  new DynamoDBClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'example', ...account },
    requestHandler,
    maxAttempts: 1,
  })
const get = new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } })
await client({ accountId: '123456789012' }).send(get).catch(() => {})
await client({}).send(get).catch(() => {})
await client({}).send(new DeleteTableCommand({ TableName: 't' })).catch(() => {})
for (const request of seen) console.log(request)
assert.deepEqual(seen, [
  'POST 123456789012.ddb.us-east-1.amazonaws.com/ DynamoDB_20120810.GetItem',
  'POST dynamodb.us-east-1.amazonaws.com/ DynamoDB_20120810.GetItem',
  'POST dynamodb.us-east-1.amazonaws.com/ DynamoDB_20120810.DeleteTable',
])
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
