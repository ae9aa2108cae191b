import { type Capability, capabilityTexts, isAnyMethod, isAnyPath } from './capability.ts'

/** Entries by danger: what may be anything, what changes things, what only reads. */
const rank = (entry: Capability): number => {
  if (isAnyMethod(entry)) return isAnyPath(entry) ? 0 : 1
  if (entry.graphql === 'mutation') return 2
  if (entry.methods.some((method) => method !== 'GET' && method !== 'OPTIONS'))
    return isAnyPath(entry) ? 2 : 3
  return entry.websocket ? 4 : 5
}

/** Paths of one entry that the line names before it counts the rest. */
const NAMED_PATHS = 6

/** One line for all capabilities; a host is named where it is another than before. */
export function describeNetwork(network: readonly Capability[]): string {
  if (network.length === 0) return 'nothing'
  const worst = (host: string): number => Math.min(...network.filter((one) => one.host === host).map(rank))
  const ordered = network.toSorted(
    (a, b) =>
      worst(a.host) - worst(b.host) || (a.host < b.host ? -1 : a.host > b.host ? 1 : 0) || rank(a) - rank(b),
  )
  let before = ''
  return ordered
    .flatMap((entry) => {
      const texts = capabilityTexts(entry)
      const more = texts.length - NAMED_PATHS
      const shown = more > 1 ? [...texts.slice(0, NAMED_PATHS), `and ${more} more paths`] : texts
      return shown.map((text) => {
        const said = entry.host === before ? text.replace(` ${entry.host}`, ' …') : text
        before = entry.host
        return said
      })
    })
    .join(' · ')
}
