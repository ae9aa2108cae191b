/**
 * Starts a program that can write to no file at all. Deno's permissions do not reach the temporary files of its
 * SQLite, whose folder the code may choose. Pipes and sockets are not files, so nothing else changes.
 */
import { accessSync, constants } from 'node:fs'

const SHELL = '/bin/sh'

/** A write is to fail with an error rather than with the signal, which would end Deno at its own caches. */
const SCRIPT = `trap '' XFSZ && ulimit -f 0 && ulimit -c 0 && exec "$@"`

export const forbidsFileWrites = isExecutable(SHELL)

/** Command and arguments for `spawn`; the process id is the program's own. */
export function withoutFileWrites(program: string, ...programArguments: string[]): [string, string[]] {
  return forbidsFileWrites
    ? [SHELL, ['-c', SCRIPT, 'sh', program, ...programArguments]]
    : [program, programArguments]
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
