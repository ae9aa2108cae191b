import { readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'

/** Addresses by name as the operating system's hosts file has them (hosts(5)); empty where there is no such file. */
export type HostsFile = (host: string) => readonly string[]

const RECHECK_MS = 1_000
const NONE: readonly string[] = []

/** Read again when the file has changed, looked at once a second at most. */
export function createHostsFile(path = '/etc/hosts', recheckMs = RECHECK_MS): HostsFile {
  let known: ReadonlyMap<string, readonly string[]> = new Map()
  let version = ''
  let checkedAt = Number.NEGATIVE_INFINITY
  return (host) => {
    const now = performance.now()
    if (now - checkedAt >= recheckMs) {
      checkedAt = now
      try {
        const { mtimeMs, size, ino } = statSync(path)
        const found = `${mtimeMs} ${size} ${ino}`
        if (found !== version) {
          known = parseHosts(readFileSync(path, 'utf8'))
          version = found
        }
      } catch {
        known = new Map()
        version = ''
      }
    }
    return known.get(host) ?? NONE
  }
}

function parseHosts(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of names) {
      const key = name.toLowerCase()
      const addresses = found.get(key)
      if (addresses === undefined) found.set(key, [address])
      else if (!addresses.includes(address)) addresses.push(address)
    }
  }
  return found
}
