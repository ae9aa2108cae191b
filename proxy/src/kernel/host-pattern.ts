import ipaddr from 'ipaddr.js'

/**
 * An entry of the egress allowlist: `host`, `host:port`, `*.suffix`, or the same behind `http://` for plain HTTP. Without a
 * port, 443 (80 behind `http://`). `*.suffix` matches one or more whole labels before the suffix.
 */
export interface HostPattern {
  readonly scheme: 'https' | 'http'
  /** Lower-case ASCII host, IP literal (IPv6 without brackets), or the suffix of a wildcard. */
  readonly host: string
  readonly wildcard: boolean
  readonly port: number
}

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/

/**
 * Parser differentials (one text, two hosts) are ruled out by having one parser of hosts: card, allowlist, gateway and
 * binding all use it. Returns the reason as text when the text is no pattern.
 */
export function parseHostPattern(text: string): HostPattern | { readonly problem: string } {
  if (text.length === 0 || text.length > 280) return { problem: 'is empty or too long' }
  if (!/^[\x21-\x7e]+$/.test(text)) {
    return { problem: 'holds characters outside printable ASCII (write international names in punycode)' }
  }
  const lower = text.toLowerCase()
  const scheme = lower.startsWith('http://') ? 'http' : 'https'
  const rest = lower.replace(/^https?:\/\//, '')
  const parts = /^(\[[0-9a-f:.]+\]|[^:/?#@[\]\\%]+)(?::([0-9]{1,5}))?$/.exec(rest)
  if (!parts?.[1]) return { problem: 'is not a host, host:port, *.suffix or http://host' }
  const port = parts[2] === undefined ? (scheme === 'http' ? 80 : 443) : Number(parts[2])
  if (port < 1 || port > 65_535) return { problem: 'has a port outside 1–65535' }
  const wildcard = parts[1].startsWith('*.')
  const name = wildcard ? parts[1].slice(2) : parts[1]
  const host = canonicalHost(name)
  if (host === undefined) return { problem: 'is not a valid host name or address' }
  if (wildcard && (isIpLiteral(host) || !host.includes('.'))) {
    return { problem: 'needs a suffix of at least two labels behind *.' }
  }
  return { scheme, host, wildcard, port }
}

function canonicalHost(name: string): string | undefined {
  if (name.startsWith('[')) {
    return parseIpv6(name.slice(1, -1))?.toString()
  }
  if (isPlainIpv4(name)) return name
  const labels = name.split('.')
  const last = labels.at(-1) ?? ''
  // A last label of digits or 0x… is an address in disguise to some resolvers (WHATWG URL, host parsing).
  if (/^([0-9]+|0x[0-9a-f]*)$/.test(last)) return undefined
  return name.length <= 253 && labels.every((label) => LABEL.test(label)) ? name : undefined
}

/**
 * A parser differential: the library takes `::1.2.3.4` for the mapped address `::ffff:1.2.3.4`, where everybody else
 * reads `::102:304`, and takes octal numbers; so dotted decimals at the end are written as groups before it reads the address.
 */
function parseIpv6(text: string): ipaddr.IPv6 | undefined {
  const start = text.lastIndexOf(':') + 1
  const dotted = text.slice(start)
  let groups = dotted
  if (dotted.includes('.')) {
    if (!isPlainIpv4(dotted)) return undefined
    const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(dotted).octets
    groups = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  }
  const plain = text.slice(0, start) + groups
  return ipaddr.IPv6.isValid(plain) ? ipaddr.IPv6.parse(plain) : undefined
}

/** Four decimal numbers. The look at the characters comes first: the library makes and catches an error for a name. */
const isPlainIpv4 = (text: string): boolean =>
  /^[0-9.]{7,15}$/.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text)

export const isIpLiteral = (host: string): boolean => /:|^[0-9a-fx.]+$/i.test(host) && ipaddr.isValid(host)

/** The canonical text of a pattern: parsing it again gives the same pattern. Default ports are left out. */
export function formatHostPattern(pattern: HostPattern): string {
  const host = pattern.host.includes(':') ? `[${pattern.host}]` : pattern.host
  const isDefault = pattern.port === (pattern.scheme === 'http' ? 80 : 443)
  const scheme = pattern.scheme === 'http' ? 'http://' : ''
  return `${scheme}${pattern.wildcard ? '*.' : ''}${host}${isDefault ? '' : `:${pattern.port}`}`
}

/** Whether everything that `inner` reaches is reached by `outer` too. */
export function hostPatternCovers(outer: HostPattern, inner: HostPattern): boolean {
  if (outer.scheme !== inner.scheme || outer.port !== inner.port) return false
  if (!outer.wildcard) return !inner.wildcard && inner.host === outer.host
  if (inner.wildcard && inner.host === outer.host) return true
  return inner.host.endsWith(`.${outer.host}`)
}

/** Global unicast IPv6 as assigned by IANA, and the documentation block inside it (RFC 9637). */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR('2000::/3')
const DOCUMENTATION_V6 = ipaddr.IPv6.parseCIDR('3fff::/20')

/**
 * SSRF: whether the address may be dialled without a person having approved exactly it, which is public unicast only. Takes the
 * plain spellings alone; decimal, octal, hex and short forms are nobody's public address.
 */
export function isPublicAddress(address: string): boolean {
  const literal = parseLiteral(address)
  if (literal === undefined) return false
  const parsed = ipaddr.process(literal.toString())
  if (parsed.range() !== 'unicast') return false
  return parsed instanceof ipaddr.IPv4 || (parsed.match(GLOBAL_V6) && !parsed.match(DOCUMENTATION_V6))
}

const PRIVATE_RANGES: ReadonlySet<string> = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat'])

/**
 * Where a name that the owner marked private may lead: somebody's own network, RFC 1918, loopback, unique local and shared
 * address space. Not link-local (169.254.0.0/16, fe80::/10), where clouds keep their metadata: SSRF's usual aim.
 */
export function isPrivateAddress(address: string): boolean {
  const literal = parseLiteral(address)
  return literal !== undefined && PRIVATE_RANGES.has(ipaddr.process(literal.toString()).range())
}

const parseLiteral = (address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined =>
  ipaddr.IPv4.isValidFourPartDecimal(address) ? ipaddr.IPv4.parse(address) : parseIpv6(address)
