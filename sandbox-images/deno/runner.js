// The first module of every run. It waits for one message on standard input, puts the secrets into the
// environment, writes the approved code to where Deno expects its main module, and leaves: Deno then loads that
// file as the main module, so `import.meta.main` is true and stack traces name `main.ts`.
//
//   deno run … --preload=runner.js /tmp/main.ts
//
// Standard input: 4 bytes big-endian length, then that many bytes of JSON:
//   { v: 1, code, env: { NAME: value }, placed?: true, end?: text }
// `placed`: main.ts already stands there, because the process may not write it. `end`: text that is written to
// both output streams, followed by the exit code and a line feed, once the code has ended in good order; it lets the reader know
// the end before the container engine has noticed it.

const { stdin, stdout, stderr, mainModule } = Deno
const encoder = new TextEncoder()
// Deno builds it at the first touch, which takes longer than a run: done while nobody waits.
const { process } = globalThis
process.emit('oauth3-warm')

function readFully(length) {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const count = stdin.readSync(bytes.subarray(filled))
    if (count === null) Deno.exit(125) // the daemon went away: nothing to run
    filled += count
  }
  return bytes
}

// Deno checks permissions of static imports for every module but the main one, whose files on disk it would
// read freely. So the code is first linked as an ordinary module, behind one that throws before any of it is
// evaluated; what that refuses never becomes the main module.
async function link(code) {
  const body = URL.createObjectURL(new Blob([code], { type: 'application/typescript' }))
  const gate = URL.createObjectURL(
    new Blob([`import "data:text/javascript,throw null"\nimport ${JSON.stringify(body)}`], {
      type: 'text/javascript',
    }),
  )
  try {
    await import(gate)
  } catch (error) {
    if (error !== null) return error
  } finally {
    URL.revokeObjectURL(gate)
    URL.revokeObjectURL(body)
  }
  return null
}

function fail(text) {
  stderr.writeSync(encoder.encode(`error: ${text}\n`))
  Deno.exit(1)
}

// `unload` reaches the listeners in the order of their registration and this one was first, so it lets all
// others have a second event before it speaks. Then the process stops inside the event, its workers with it,
// whoever sent the event: nothing runs on after its end was told. What goes wrong before that only means that the
// end is learnt later. The symbol is Deno's own sign that `unload` is over: without it, exit would send another.
function announceEnd(marker) {
  const writeOut = stdout.writeSync.bind(stdout)
  const writeErr = stderr.writeSync.bind(stderr)
  const encode = encoder.encode.bind(encoder)
  const listen = globalThis.addEventListener.bind(globalThis)
  const dispatch = globalThis.dispatchEvent.bind(globalThis)
  const exit = Deno.exit
  let seen = false
  Object.defineProperty(globalThis, Symbol.for('Deno.isUnloadDispatched'), { get: () => seen, set: () => {} })
  listen('unload', (event) => {
    if (seen) return
    seen = true
    event.stopImmediatePropagation()
    listen('unload', () => {
      let code = 1
      try {
        // Deno does this after `unload`, which would be too late here.
        if (!process._exiting) {
          process._exiting = true
          process.emit('exit', Deno.exitCode)
        }
        // An integer whatever the code has made of it, for exit would refuse anything else.
        code = Deno.exitCode | 0
        const bytes = encode(`${marker}${code}\n`)
        writeOut(bytes)
        writeErr(bytes)
      } finally {
        exit(code)
      }
    })
    dispatch(new Event('unload'))
  })
}

await link('const warm: number = 1\nexport { warm }')
stdout.writeSync(encoder.encode('oauth3-ready 1\n'))

const header = readFully(4)
const length = new DataView(header.buffer).getUint32(0)
const message = JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(readFully(length)))
if (message.v !== 1) fail('the runner and the daemon do not speak the same protocol')

if (message.end) announceEnd(message.end)
const problem = await link(message.code)
if (problem !== null) {
  const text = String(problem?.stack ?? problem)
    .replaceAll(/blob:null\/[0-9a-f-]{36}/g, 'main.ts')
    .replaceAll(/\n {4}at .*runner\.js.*/g, '')
    .replaceAll(
      /invalid URL: relative URL with a cannot-be-a-base base/g,
      'Requires read access: no file can be imported',
    )
  fail(text)
}
if (!message.placed) {
  try {
    Deno.writeFileSync(new URL(mainModule), encoder.encode(message.code))
  } catch {
    fail('the code does not fit into /tmp')
  }
}
for (const [name, value] of Object.entries(message.env)) {
  try {
    Deno.env.set(name, value)
  } catch {
    fail(`${name} cannot be an environment variable`)
  }
}
