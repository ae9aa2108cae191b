/** Watching and ending process groups of the embedded sandbox. Reads /proc, so it sees nothing outside Linux. */
import { readdirSync, readFileSync } from 'node:fs'

const PAGE_BYTES = 4_096

/** Memory that belongs to the process alone, in bytes; null when the system does not tell. */
export function privateMemoryBytes(pid: number): number | null {
  try {
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number)
    if (resident === undefined || shared === undefined) return null
    return (resident - shared) * PAGE_BYTES
  } catch {
    return null
  }
}

/** SIGKILL to the whole group; false when there was none. */
export function killGroup(pid: number): boolean {
  try {
    process.kill(-pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

/** Processes of which one argument starts with `prefix`. */
export function processesWithArgument(prefix: string): number[] {
  let names: string[]
  try {
    names = readdirSync('/proc')
  } catch {
    return []
  }
  return names
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8')
          .split('\0')
          .some((argument) => argument.startsWith(prefix))
      } catch {
        return false
      }
    })
    .map(Number)
}
