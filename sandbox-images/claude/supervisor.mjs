// The first process of the container. It starts the CLI ahead of the run, says when that is ready, and then passes lines on:
// `>` and a line for the CLI in, `<` and a line of the CLI out. Every other line is JSON between the daemon and this program.
//
// In:  {"do":"launch","arguments":[…]}         the CLI that waits is ended, one with these arguments is started
//      {"do":"file","name":…,"data":…}         base64, put behind what the file has; `name` is one name in the working folder
//      {"do":"session","id":…,"data":…}        likewise, of the conversation to resume
//      {"do":"end"}                            the CLI's input is closed
//      {"do":"keep","id":…}                    gives back the conversation: {"session":…} pieces, then {"kept":true|false}
// Out: {"stderr":…}, {"exit":…,"signal":…}, {"failed":…}
import { appendFileSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { CONFIG, startClaude, WORK } from './claude-process.mjs'
import { eachLine } from './lines.mjs'
import { openListeners, openRelay } from './way-out.mjs'

const READY = 'oauth3-ready 1\n'
/**
 * Asked before the run: the second has the CLI load and compile most of what a first turn needs, which takes a fifth off the time to
 * the first byte. Neither changes anything. `initialize` would: the CLI takes system prompts from the first one alone, so that
 * is left to the run.
 */
const AHEAD = ['get_settings', 'get_context_usage']
const isLastAhead = (line) => line.includes(`"request_id":"ahead-${AHEAD.length - 1}"`)
/** The CLI names the folder of a working folder's conversations like this. */
const SESSIONS = join(CONFIG, 'projects', WORK.replaceAll('/', '-'))
const FILE_NAME = /^(?!\.{1,2}$)[^/\0]{1,255}$/
const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const PIECE_BYTES = 48 * 1_024

for (const folder of [process.env.HOME, WORK, CONFIG, SESSIONS])
  mkdirSync(folder, { recursive: true, mode: 0o700 })
await Promise.all([openRelay(), openListeners()])

const write = (text) => process.stdout.write(text)
const tell = (message) => write(`${JSON.stringify(message)}\n`)

let isReady = false
const held = []
const whenReady = (text) => {
  if (!isReady) return held.push(text)
  // Backpressure: the daemon takes what it can, and the CLI waits for it.
  if (!write(text)) claude.pause()
}
process.stdout.on('drain', () => claude.resume())

const start = (parameters, onLine) =>
  startClaude(parameters, {
    onLine,
    onError: (text) => whenReady(`${JSON.stringify({ stderr: text.slice(0, 4_096) })}\n`),
    onExit: (code, signal) => {
      if (!isReady) process.exit(1)
      tell({ exit: code, signal })
    },
  })

const relay = (line) => whenReady(`<${line}\n`)

let claude = start(process.argv.slice(2), (line) => {
  if (isReady) return relay(line)
  if (!isLastAhead(line)) return
  write(READY)
  isReady = true
  for (const text of held.splice(0)) write(text)
})
for (const [at, subtype] of AHEAD.entries())
  claude.say(JSON.stringify({ type: 'control_request', request_id: `ahead-${at}`, request: { subtype } }))

const append = (folder, name, data) =>
  appendFileSync(join(folder, name), Buffer.from(data, 'base64'), { mode: 0o600 })

const checked = (pattern, text) => {
  if (typeof text !== 'string' || !pattern.test(text)) throw new Error('a name that none may have')
  return text
}

const WORKS = {
  launch: ({ arguments: parameters }) => {
    claude.discard()
    claude = start(parameters, relay)
  },
  file: ({ name, data }) => append(WORK, checked(FILE_NAME, name), data),
  session: ({ id, data }) => append(SESSIONS, `${checked(SESSION_ID, id)}.jsonl`, data),
  end: () => claude.endInput(),
  keep: ({ id }) => {
    const path = join(SESSIONS, `${checked(SESSION_ID, id)}.jsonl`)
    if (!existsSync(path)) return tell({ kept: false })
    const file = openSync(path, 'r')
    const piece = Buffer.alloc(PIECE_BYTES)
    for (let length = 1; length > 0; ) {
      length = readSync(file, piece)
      if (length > 0) tell({ session: piece.toString('base64', 0, length) })
    }
    tell({ kept: true })
  },
}

eachLine(process.stdin, (line) => {
  if (line.startsWith('>')) return claude.say(line.slice(1))
  try {
    const message = JSON.parse(line)
    WORKS[message.do](message)
  } catch (error) {
    tell({ failed: error.message })
  }
})
// The daemon is gone, or done with this container.
process.stdin.on('close', () => process.exit(0)).on('end', () => process.exit(0))
