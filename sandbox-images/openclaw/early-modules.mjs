// Loaded into OpenClaw's process before OpenClaw itself (`node --import`). Some 5,600 modules are a third of its start, and need no files of
// the machine: they are loaded while those are still being brought. OpenClaw begins when the supervisor hands in what its environment lacks.
//
// Which modules it takes is written down while the image is built, by this file too. In OpenClaw's workers it sees to their
// trust alone, and in its children it does nothing.
import { readFileSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import tls from 'node:tls'
import { isMainThread } from 'node:worker_threads'

const LIST = '/opt/openclaw/modules.json'
const OWN = 'file:///opt/openclaw/node_modules/'
/** These run OpenClaw when they are loaded. */
const ENTRIES = /\/openclaw\/(openclaw\.mjs|dist\/entry\.m?js)$/
const CODE = /\.[cm]?js$/
/** Where the supervisor says its last words. */
const TOLD = 3

/** `load`, `record`; not of the children of OpenClaw. */
const mode = process.env.OAUTH3_EARLY_MODULES
delete process.env.OAUTH3_EARLY_MODULES

function record() {
  const urls = new Set()
  registerHooks({
    load(url, context, next) {
      if (url.startsWith(OWN) && CODE.test(url) && !ENTRIES.test(url)) urls.add(url)
      return next(url, context)
    },
  })
  process.on('exit', () => writeFileSync(LIST, JSON.stringify([...urls])))
}

async function begin() {
  // Of a supervisor that ends before, it is empty, which is no JSON.
  const supervisor = new Socket({ fd: TOLD })
  const words = text(supervisor)
  if (mode === 'load') for (const url of JSON.parse(readFileSync(LIST, 'utf8'))) await import(url)
  supervisor.write('loaded\n')
  Object.assign(process.env, JSON.parse(await words))
  trustAuthority()
  process.chdir(process.env.HOME)
}

/** Node reads that file when a process starts, and it may be new since; each thread has authorities of its own. */
function trustAuthority() {
  const authority = process.env.NODE_EXTRA_CA_CERTS
  if (authority !== undefined)
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(authority, 'utf8')])
}

if (isMainThread && mode === 'record') record()
if (isMainThread && mode !== undefined) await begin()
if (!isMainThread) trustAuthority()
