import { parentPort } from 'node:worker_threads'
import type { Language } from '../../domain/facts/index.ts'
import { readProgram } from '../../domain/reading/index.ts'

/** One program after the other: `{ code, language }` comes, its facts go back. */
parentPort?.on('message', ({ code, language }: { code: string; language: Language }) => {
  parentPort?.postMessage(readProgram(code, language))
})
