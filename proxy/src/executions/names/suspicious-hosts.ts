import { nameParts, suffixBelow } from '../../egress/capabilities/index.ts'
import { isIpLiteral, isPublicAddress } from '../../kernel/index.ts'
import { ABOVE_SUFFIXES, QUIET_SUFFIXES, SHARED_SUFFIXES } from './lists/shared-suffixes.ts'
import { OWNERS_API, SUSPICIOUS } from './lists/suspicious-hosts.ts'

/** The ending itself and everything that it ends with, longest first. */
function* endings(host: string): Generator<string> {
  let at = 0
  while (at >= 0) {
    yield host.slice(at)
    const dot = host.indexOf('.', at)
    at = dot < 0 ? -1 : dot + 1
  }
}

/** Of the groups of suspicious hosts, those that give names away. */
const NAMES_FOR_ANYBODY = /tunnel|strangers|object store|dynamic name|written in it|catcher/

/** What strangers can register under the base of `*.base`, as the rest of a sentence; undefined when nobody can. */
export function sharedSuffix(base: string): string | undefined {
  const { suffix, isPrivate } = nameParts(base)
  if (base === suffix) {
    const who =
      isPrivate || SHARED_SUFFIXES.has(base) ? 'anybody can have a name' : 'anybody can register a name'
    return `${who} under ${base}`
  }
  if (SHARED_SUFFIXES.has(base)) return `every customer of ${base} has a name there`
  if (NAMES_FOR_ANYBODY.test(SUSPICIOUS.get(base) ?? '')) return `anybody can have a name under ${base}`
  const inside = ABOVE_SUFFIXES.get(base) ?? suffixBelow(base)
  if (inside !== undefined) return `it covers ${inside} too, where anybody can have a name`
  if (
    base.endsWith('.amazonaws.com') &&
    /^(?:s3|execute-api|compute|elb)\b|^[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws/.test(base)
  ) {
    return `anybody can have a name under ${base}`
  }
  return undefined
}

/**
 * Exfiltration to a shared service: what makes a host one where anybody can receive, store or forward data; undefined for
 * others.
 */
export function suspicion(host: string, wildcard: boolean): string | undefined {
  if (isIpLiteral(host))
    return isPublicAddress(host) ? 'an address without a name: whose it is cannot be seen' : undefined
  if (!wildcard && OWNERS_API.has(host)) return undefined
  for (const ending of endings(host)) {
    const what = SUSPICIOUS.get(ending)
    if (what !== undefined) return what
  }
  return amazonSuspicion(host) ?? regionalStore(host) ?? writtenAddress(host) ?? privateSuffix(host)
}

/** Services of Amazon are `service.region.amazonaws.com`; what stands before one is a customer's. */
function amazonSuspicion(host: string): string | undefined {
  if (!/\.amazonaws\.com(?:\.cn)?$/.test(host)) return undefined
  const labels = host.replace(/\.amazonaws\.com(?:\.cn)?$/, '').split('.')
  if (labels.some((label) => /^s3(?:$|-)/.test(label))) {
    return 'an object store, where anybody can have a bucket'
  }
  if (
    labels.some((label) =>
      /^(?:execute-api|lambda-url|elb|compute|compute-1|elasticbeanstalk|awsapprunner)$/.test(label),
    )
  ) {
    return 'a server that any customer of Amazon can set up'
  }
  return undefined
}

const STORE =
  /(?:^|\.)(?:oss|cos|obs|bos|s3|minio)[.-][a-z0-9-]{0,40}\.?[a-z0-9-]{0,40}\.(?:aliyuncs\.com|myqcloud\.com|[a-z0-9-]{2,40}\.[a-z]{2,10})$/

/** `bucket.oss-eu-central-1.aliyuncs.com`, `s3.region.provider.com`. */
const regionalStore = (host: string): string | undefined =>
  STORE.test(host) ? 'an object store, where anybody can have a bucket' : undefined

/** An address of digits inside a name of some service that answers with it: `app.203.0.113.9.example.io`. */
const writtenAddress = (host: string): string | undefined =>
  /(?:^|[.-])\d{1,3}([.-])\d{1,3}\1\d{1,3}\1\d{1,3}(?:[.-]|$)/.test(host)
    ? 'a name that stands for whatever address is written in it'
    : undefined

function privateSuffix(host: string): string | undefined {
  const { suffix, isPrivate, domain } = nameParts(host)
  // The suffix itself is its owner's.
  if (!isPrivate || domain === '') return undefined
  for (const ending of endings(suffix)) if (QUIET_SUFFIXES.has(ending)) return undefined
  return `a name under ${suffix}, where anybody can have one`
}
