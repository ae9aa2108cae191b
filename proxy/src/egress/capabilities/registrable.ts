import { domainToUnicode } from 'node:url'
import { parse } from 'tldts'

/**
 * Who controls a host name (Public Suffix List, publicsuffix.org, its private part included): the ending that strangers
 * register under, and what one owner registered.
 */
export interface NameParts {
  readonly host: string
  /** The ending that others register under, `com`, `co.uk`, `github.io`. */
  readonly suffix: string
  /** Whether that ending belongs to the private part of the list. */
  readonly isPrivate: boolean
  /** The one label before the suffix; empty when the host is a suffix itself. */
  readonly label: string
  /** Label and suffix: what one owner registered; empty with the label. */
  readonly domain: string
  /** Labels before the domain, leftmost first. */
  readonly below: readonly string[]
  /** The label with punycode decoded; the same as `label` for plain ASCII. */
  readonly shownLabel: string
}

export function nameParts(host: string): NameParts {
  const { publicSuffix, domain, domainWithoutSuffix, subdomain, isPrivate } = parse(host, {
    allowPrivateDomains: true,
    extractHostname: false,
    validateHostname: false,
  })
  const label = domainWithoutSuffix ?? ''
  return {
    host,
    suffix: publicSuffix ?? '',
    isPrivate: isPrivate === true,
    label,
    domain: domain ?? '',
    below: subdomain ? subdomain.split('.') : [],
    shownLabel: decoded(label),
  }
}

export const decoded = (label: string): string =>
  label.startsWith('xn--') ? domainToUnicode(label) || label : label
