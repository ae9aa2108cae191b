import { Writable } from 'node:stream'
import pino, { type Logger } from 'pino'
import { LOG_OPTIONS } from '../../src/compose/daemon-log.ts'

/** A log of everything, and the lines that came. */
export function createRecordingLog(): { readonly log: Logger; readonly logged: string[] } {
  const logged: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk))
      done()
    },
  })
  return { log: pino({ ...LOG_OPTIONS, level: 'trace' }, stream), logged }
}
