// The program of every run: QuickJS inside Node. It waits for the run's message, then has QuickJS run the approved code as a
// module. Between the two stand only the functions of `host` below. They take and give numbers, bytes, and text as JSON,
// for QuickJS hands over text only up to its first NUL; what the code sees of them is made by prelude.js.
import { readFileSync } from 'node:fs'
import variant from '@jitl/quickjs-wasmfile-release-sync'
import { newQuickJSWASMModuleFromVariant } from 'quickjs-emscripten-core'
import { end, receive, warmFetch, writeFully } from './host.mjs'
import { openRelay } from './way-out.mjs'

const STACK_BYTES = 524_288
const NEVER_SETTLED = 13
/** The argument of a container whose code may make code from text. */
const DYNAMIC_CODE = '--dynamic-code'

const decoder = new TextDecoder()
const timers = new Map()
/** Ids of those that are not answered yet. */
const requests = new Set()
let marker
let exitCode = 0
/** What the module's evaluation came to: a promise when it awaits. */
let main

const quickjs = await newQuickJSWASMModuleFromVariant(variant)
const runtime = quickjs.newRuntime()
runtime.setMaxStackSize(STACK_BYTES)
const vm = runtime.newContext()

const jsonHandle = (value) => vm.newString(JSON.stringify(value))
const bytesHandle = ({ buffer, byteOffset, byteLength }) =>
  vm.newArrayBuffer(buffer.slice(byteOffset, byteOffset + byteLength))
const jsonOf = (handle) => JSON.parse(vm.getString(handle))

/** A copy: what QuickJS holds may move. */
function bytesOf(handle) {
  const lent = vm.getArrayBuffer(handle)
  const bytes = lent.value.slice()
  lent.dispose()
  return bytes
}

const host = {
  write: (fd, text) => writeFully(vm.getNumber(fd) === 2 ? 2 : 1, Buffer.from(jsonOf(text))),
  exit: (code) => end(marker, vm.getNumber(code) | 0),
  exitCode: (code) => {
    exitCode = vm.getNumber(code) | 0
  },
  setTimer: (id, delayMs, repeat) => {
    const key = vm.getNumber(id)
    const start = vm.getNumber(repeat) === 1 ? setInterval : setTimeout
    timers.set(
      key,
      start(() => tell('timer', key), vm.getNumber(delayMs)),
    )
  },
  clearTimer: (id) => {
    const key = vm.getNumber(id)
    clearTimeout(timers.get(key))
    timers.delete(key)
  },
  request: (id, head, body) => {
    const content = vm.typeof(body) === 'undefined' ? {} : { body: bytesOf(body) }
    void request(vm.getNumber(id), { ...jsonOf(head), ...content })
  },
  encode: (text) => bytesHandle(Buffer.from(jsonOf(text))),
  decode: (bytes) => jsonHandle(decoder.decode(bytesOf(bytes))),
  now: () => vm.newNumber(performance.now()),
  randomUuid: () => vm.newString(crypto.randomUUID()),
}

async function request(id, { url, ...options }) {
  requests.add(id)
  let head
  let content = new ArrayBuffer(0)
  try {
    const answer = await fetch(url, options)
    content = await answer.arrayBuffer()
    const { status, statusText, redirected } = answer
    head = { url: answer.url, status, statusText, redirected, headers: [...answer.headers] }
  } catch (error) {
    // The cause says what went wrong: that the address is none, or that there is no way out.
    head = { error: [error.message, error.cause?.message].filter(Boolean).join(': ') }
  }
  requests.delete(id)
  tell('answer', id, head, content)
}

/** Gives the code an event, and runs what follows from it. */
function tell(kind, id, head = null, content = new ArrayBuffer(0)) {
  const given = [vm.newString(kind), vm.newNumber(id), jsonHandle(head), vm.newArrayBuffer(content)]
  checked(vm.callFunction(deliver, vm.undefined, ...given)).dispose()
  for (const handle of given) handle.dispose()
  settle()
}

/** Runs every job that waits; stops at an error that nobody caught. */
function settle() {
  const jobs = runtime.executePendingJobs()
  if (jobs.error) crash(jobs.error)
  if (main === undefined) return
  const state = vm.getPromiseState(main)
  if (state.type === 'rejected') crash(state.error)
  // Nothing can happen any more, whatever Node still has open for itself.
  if (state.type === 'fulfilled' && timers.size + requests.size === 0) end(marker, exitCode)
}

function checked(result) {
  if (result.error) crash(result.error)
  return result.value
}

/** The prelude makes the error readable; should the code have broken that, its being there is said. */
function crash(error) {
  const shown = vm.callFunction(describe, vm.undefined, error)
  const text = shown.error ? 'an error that cannot be shown' : jsonOf(shown.value)
  writeFully(2, Buffer.from(`Uncaught ${text}\n`))
  end(marker, 1)
}

function install() {
  const functions = vm.newObject()
  for (const [name, call] of Object.entries(host)) {
    const handle = vm.newFunction(name, (...given) => call(...given))
    vm.setProp(functions, name, handle)
    handle.dispose()
  }
  const source = readFileSync(new URL('./prelude.js', import.meta.url), 'utf8')
  const prelude = vm.unwrapResult(vm.evalCode(source, 'prelude.js'))
  return vm.unwrapResult(vm.callFunction(prelude, vm.undefined, functions))
}

const installed = install()
const deliver = vm.getProp(installed, 'deliver')
const describe = vm.getProp(installed, 'describe')
if (!process.argv.includes(DYNAMIC_CODE)) {
  vm.unwrapResult(vm.callFunction(vm.getProp(installed, 'refuseCodeFromText'), vm.undefined)).dispose()
}
await openRelay()
await warmFetch()

const message = receive()
marker = message.end
process.on('exit', () => {
  const open = main !== undefined && vm.getPromiseState(main).type === 'pending'
  if (open) writeFully(2, Buffer.from('Warning: a top-level await of main.js never settled\n'))
  end(marker, open ? NEVER_SETTLED : exitCode)
})
tell('begin', 0, message.env)
main = checked(vm.evalCode(message.code.replace(/^\ufeff/, ''), 'main.js', { type: 'module' }))
settle()
