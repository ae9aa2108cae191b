#!/usr/bin/env bash
# Guess:   the private part of the Public Suffix List holds every well-known host of strangers' content, and never the host
#          below which a vendor's own services live.
# Real:    nip.io, wordpress.com, glitch.me, r2.cloudflarestorage.com and table.core.windows.net are not in it, though
#          r2.dev and blob.core.windows.net are; of all regions only us-east-1.amazonaws.com is a suffix itself, so sqs and
#          lambda of that region, and of no other, are domains of their own; googleapis.com is one as well.
# Version: tldts 7.6.0
# Matters: "a pattern over a suffix" alone misses some hosts of strangers and strikes at `*.us-east-1.amazonaws.com` but not at
#          `*.eu-west-1.amazonaws.com`: both directions need a list of their own.
# Seen:    the two lists in the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts tldts@7.6.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { getPublicSuffix } from 'tldts'

const hosts = [
  'blob.core.windows.net', 'googleapis.com', 'r2.dev', 'us-east-1.amazonaws.com',
  'eu-west-1.amazonaws.com', 'glitch.me', 'nip.io', 'r2.cloudflarestorage.com',
  'table.core.windows.net', 'us-east-2.amazonaws.com', 'wordpress.com',
]
const isSuffix = (host) => getPublicSuffix(`x.${host}`, { allowPrivateDomains: true }) === host
const [suffixes, others] = [hosts.filter(isSuffix), hosts.filter((host) => !isSuffix(host))]
console.log('suffixes:', suffixes.join(' '))
console.log('not:', others.join(' '))
assert.deepEqual(suffixes, hosts.slice(0, 4))
assert.deepEqual(others, hosts.slice(4))
assert.equal(getPublicSuffix('sqs.us-east-1.amazonaws.com', { allowPrivateDomains: true }), 'us-east-1.amazonaws.com')
assert.equal(getPublicSuffix('sqs.eu-west-1.amazonaws.com', { allowPrivateDomains: true }), 'com')
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
