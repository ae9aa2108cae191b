import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResourceLimits } from 'node:worker_threads'
import type { WorkerMessage } from './serve.ts'
import type { Surroundings, WorkerHandle, WorkerOptions } from './worker-handle.ts'

/**
 * Made from what made it small: a core of a worker would hold its input, and fill the disk. One that lost its pool in the
 * middle of a job without end is ended by the kernel when it had so much of the processor.
 */
const SMALL = 'ulimit -c 0; ulimit -t "$1"; shift; exec "$@"'
/** Of a semi-space, of which V8's young generation has three. */
const SEMI_SPACES = 3
/** As Node keeps of a thread's stack for native code. */
const NATIVE_STACK_KIB = 192

/** V8's options for limits that hold for a thread otherwise. */
function optionsFor({
  maxOldGenerationSizeMb,
  maxYoungGenerationSizeMb,
  stackSizeMb,
}: ResourceLimits): string[] {
  const options: string[] = []
  if (maxOldGenerationSizeMb !== undefined) options.push(`--max-old-space-size=${maxOldGenerationSizeMb}`)
  if (maxYoungGenerationSizeMb !== undefined)
    options.push(`--max-semi-space-size=${Math.max(1, Math.floor(maxYoungGenerationSizeMb / SEMI_SPACES))}`)
  if (stackSizeMb !== undefined) options.push(`--stack-size=${stackSizeMb * 1_024 - NATIVE_STACK_KIB}`)
  return options
}

/** Where what it loads is read as it was compiled the last time, if this process has such a folder: it halves what a start takes. */
function compileCache(): Record<string, string> {
  const folder = getCompileCacheDir()
  // Node’s own folder of this version, below the one that it was given.
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) }
}

export interface ProcessOptions extends WorkerOptions {
  readonly cpuSeconds: number
  readonly surroundings?: Surroundings | undefined
}

/**
 * For hostile input: what ends it (a signal, V8 out of memory or at odds with itself, the kernel short of memory) ends
 * nothing else, and it has no memory or descriptor of this process, and of its environment the compile cache alone,
 * unless it is told more of its surroundings.
 */
export function startProcess(options: ProcessOptions): WorkerHandle {
  const { file, start, limits, cpuSeconds, surroundings, onMessage, onEnd } = options
  const own = surroundings?.execArgv ?? []
  const command = [
    process.execPath,
    ...own,
    ...optionsFor(limits),
    fileURLToPath(file),
    JSON.stringify(start),
  ]
  const child = spawn('/bin/sh', ['-c', SMALL, 'worker', String(cpuSeconds), ...command], {
    cwd: surroundings?.cwd ?? '/',
    env: { ...surroundings?.env, ...compileCache() },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  })
  const gone = child.pid === undefined ? Promise.resolve() : once(child, 'exit').then(() => undefined)
  child.on('message', (message) => onMessage(message as WorkerMessage))
  child.on('error', onEnd)
  child.on('exit', onEnd)
  child.unref()
  child.channel?.unref()
  return {
    // What cannot be sent was sent to one that is gone, and its end is told.
    post: (message) => void child.send(message, () => undefined),
    async end() {
      child.ref()
      child.kill('SIGKILL')
      await gone
    },
  }
}
