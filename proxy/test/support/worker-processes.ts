import { readdirSync, readFileSync } from 'node:fs'

/** What works for this process now, by a part of its entry's path; Linux only. */
export function workerProcesses(entry: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isWorker(name, entry))
    .map(Number)
}

function isWorker(pid: string, entry: string): boolean {
  try {
    // The name of the program, in brackets, may hold anything.
    const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(entry)
  } catch {
    // It ended meanwhile.
    return false
  }
}
