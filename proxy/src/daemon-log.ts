import pino, { type Logger } from 'pino'
import { isReaderGone } from './lost-reader.ts'

/** JSON lines on standard output. The daemon goes on without whoever read them, and drains without a terminal. */
export function createLog(level: string): Logger {
  const destination = pino.destination({ fd: 1, sync: true })
  destination.on('error', (error: NodeJS.ErrnoException) => {
    if (!isReaderGone(error)) throw error
  })
  return pino({ level, base: null }, destination)
}
