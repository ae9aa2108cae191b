import {
  type Capability,
  capabilityTexts,
  isAnyMethod,
  isAnyPath,
  isUnsafe,
  NAMED_PATH_CHARS,
} from './capability.ts'

/** Entries by danger: what may be anything, what changes things, what only reads. */
const rank = (entry: Capability): number => {
  if (isAnyMethod(entry)) return isAnyPath(entry) ? 0 : 1
  if (entry.graphql === 'mutation') return 2
  if (isUnsafe(entry)) return isAnyPath(entry) ? 2 : 3
  return entry.websocket ? 4 : 5
}

/** From this rank on nothing is changed. */
const READS = 5

const worst = ({ host }: Capability, network: readonly Capability[]): number =>
  Math.min(...network.filter((one) => one.host === host).map(rank))

/** Paths of one entry that the line names before it counts the rest. */
const NAMED_PATHS = 6

/** Whether the line leaves something out that only the full text says. */
export const isNetworkCut = (network: readonly Capability[]): boolean =>
  network.some(
    ({ paths }) => paths.length > NAMED_PATHS || paths.some((path) => path.length > NAMED_PATH_CHARS),
  )

/** One line for all capabilities; a host is named where it is another than before. */
export function describeNetwork(network: readonly Capability[]): string {
  if (network.length === 0) return 'nothing'
  // What can change things comes before what only reads, over all hosts: the end of a long line is what is cut.
  const ordered = network.toSorted(
    (a, b) =>
      Number(rank(a) >= READS) - Number(rank(b) >= READS) ||
      worst(a, network) - worst(b, network) ||
      (a.host < b.host ? -1 : a.host > b.host ? 1 : 0) ||
      rank(a) - rank(b),
  )
  let before = ''
  return ordered
    .flatMap((entry) => {
      const texts = capabilityTexts(entry, NAMED_PATH_CHARS)
      const more = texts.length - NAMED_PATHS
      const shown = more > 1 ? [...texts.slice(0, NAMED_PATHS), `and ${more} more paths`] : texts
      return shown.map((text) => {
        // Before a path alone: `…, ANY path` would not say of what.
        const described = entry.host === before ? text.replace(` ${entry.host}/`, ' …/') : text
        before = entry.host
        return described
      })
    })
    .join(' · ')
}
