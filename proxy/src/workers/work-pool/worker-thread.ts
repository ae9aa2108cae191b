import { Worker } from 'node:worker_threads'
import type { WorkerHandle, WorkerOptions } from './worker-handle.ts'

/**
 * For work on large bodies, whose memory it takes over without a copy, and on the files of this process. V8 keeps some
 * tables of machine code for all threads of a process, and some shortages of memory end all of them
 * (https://github.com/nodejs/node/issues/64500, https://github.com/nodejs/node/issues/47224).
 */
export function startThread({ file, start, limits, onMessage, onEnd }: WorkerOptions): WorkerHandle {
  const worker = new Worker(file, { resourceLimits: limits, stdin: false, env: {}, workerData: start })
  worker.on('message', onMessage)
  worker.on('error', onEnd)
  worker.on('exit', onEnd)
  worker.unref()
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    async end() {
      await worker.terminate()
    },
  }
}
