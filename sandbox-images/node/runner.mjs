// Runs before the main program of every run. It waits for the run's message, puts the secrets into the environment,
// writes the approved code to where Node expects its main program, and leaves: Node then loads that file, so
// `import.meta.main` is true and stack traces name `main.ts`.
//
//   node … --import=/runner.mjs /tmp/main.ts
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { raiseCodeWall, refusesCodeFromText } from './code-wall.mjs'
import { end, fail, receive, warmFetch } from './host.mjs'
import { setMemory } from './machine.mjs'
import './programs.mjs'
import { openListeners, openPorts, openRelay } from './way-out.mjs'

const MAIN = '/tmp/main.ts'

/**
 * `exit` reaches the listeners in the order of their registration and this one was first, so it calls all that follow
 * before it speaks. Then the process stops inside the event, whoever sent it: nothing runs on after its end was told.
 * Node prints an uncaught error behind this event, so then the end is left to the engine to notice.
 */
function announceEnd(marker) {
  let crashed = false
  process.on('uncaughtExceptionMonitor', () => {
    crashed = true
  })
  process.on('exit', function announce(given) {
    if (crashed) return
    const listeners = process.rawListeners('exit')
    for (const listener of listeners.slice(listeners.indexOf(announce) + 1)) {
      Reflect.apply(listener, process, [process.exitCode ?? given])
    }
    // An integer whatever the code has made of it.
    end(marker, Number(process.exitCode ?? given) | 0)
  })
}

await Promise.all([openRelay(), openListeners()])
await import('./warm.ts')
await warmFetch()
// Written to at once, so that nothing is lost at an exit and a flood waits for its reader instead of filling the memory.
for (const { _handle } of [process.stdout, process.stderr]) _handle?.setBlocking?.(true)

const message = receive()
try {
  writeFileSync(MAIN, message.code)
} catch {
  fail('the code does not fit into /tmp')
}
await openPorts(message.ports ?? [])
Object.assign(process.env, message.env)
setMemory(message.memoryBytes)
if (message.end) announceEnd(message.end)
const walled = refusesCodeFromText()
if (message.dynamicCode === walled) fail('the sandbox was not started for what the run may do')
if (walled) raiseCodeWall(pathToFileURL(MAIN).href)
