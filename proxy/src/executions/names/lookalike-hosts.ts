import { decoded, type NameParts } from '../../egress/capabilities/index.ts'
import { latinLook, skeleton } from '../facts/index.ts'
import { type Brands, LONG_LABEL } from './brands.ts'
import { DECOYS, IN_MANY_COUNTRIES, SELF_HOSTED } from './lists/known-hosts.ts'

/** Endings that are given to authorities and schools alone. */
const RESTRICTED =
  /^(?:gov|gob|gouv|gv|mil|edu|int)(?:\.[a-z]{2})?$|^(?:[a-z]{1,20}\.)?(?:gov|gob|gouv)\.[a-z]{2}$/

/** Endings that no public resolver answers: names of somebody's own network. */
const OWN_NETWORK =
  /^(?:(?:.*\.)?(?:local|localhost|internal|intranet|lan|home|corp|private|test|invalid|arpa|svc)|cluster\.local)$/

/**
 * Phishing hosts (homographs, typosquatting, combosquatting, a whole domain as a subdomain): the known host that the name
 * resembles without being of its domain; undefined when it is known or resembles none.
 */
export function lookalikeOf(name: NameParts, brands: Brands): string | undefined {
  if (
    name.domain === '' ||
    RESTRICTED.test(name.suffix) ||
    OWN_NETWORK.test(name.suffix) ||
    brands.hosts.has(name.host) ||
    brands.domains.has(name.domain)
  )
    return undefined
  const label =
    embeddedDomain(name, brands) ??
    imitatedLabel(name, brands) ??
    decoratedLabel(name, brands) ??
    misplacedLabel(name, brands)
  if (label !== undefined) return brands.labels.get(label)
  return (
    brands.stems.get(name.host.slice(0, -name.suffix.length - 1)) ?? brands.stems.get(withoutLast(name.host))
  )
}

const withoutLast = (host: string): string => host.slice(0, Math.max(0, host.lastIndexOf('.')))

/** A label of more words than this is nobody's brand. */
const LABEL_PIECES = 4

/** `slack.com.workspace-sso.dev`, `github.com-login.net`, `api-stripe-com.example.dev`: a whole domain inside. */
function embeddedDomain(name: NameParts, brands: Brands): string | undefined {
  const pieces = name.host.slice(0, -name.suffix.length - 1).split(/[.-]/)
  for (let at = 0; at + 1 < pieces.length; at += 1) {
    for (let end = at + 1; end <= at + LABEL_PIECES && end < pieces.length; end += 1) {
      const label = pieces.slice(at, end).join('-')
      if (!brands.labels.has(label)) continue
      const ending = pieces[end] as string
      const longer = `${ending}.${pieces[end + 1] ?? ''}`
      if (brands.domains.has(`${label}.${ending}`) || brands.domains.has(`${label}.${longer}`)) return label
    }
  }
  return undefined
}

/** The owner's label under another ending, or one that looks like it. */
function imitatedLabel({ label, shownLabel, suffix }: NameParts, brands: Brands): string | undefined {
  if (shownLabel !== label) {
    const look = latinLook(shownLabel)
    const same =
      brands.looks.get(look) ?? brands.skeletons.get(skeleton(look)) ?? neighbour(look, suffix, brands)
    if (same !== undefined) return same
  }
  if (brands.labels.has(label)) {
    if (!brands.isOwners(label)) return undefined
    if (label.length < LONG_LABEL && !(label.length === 4 && brands.isDistinctive(label))) return undefined
    const ofCountry = /(?:^|\.)[a-z]{2}$/.test(suffix) && IN_MANY_COUNTRIES.has(label)
    return ofCountry ? undefined : label
  }
  const joined = brands.joined.get(label.replaceAll('-', ''))
  if (joined !== undefined) return joined
  if (label.length < LONG_LABEL - 1) return undefined
  return brands.skeletons.get(skeleton(label)) ?? neighbour(label, suffix, brands)
}

/** A short label must begin alike, as `sigma` is no slip of `figma`, and not be shorter than a word. */
const neighbour = (label: string, suffix: string, brands: Brands): string | undefined =>
  brands.neighbours.find(label, (brand) => {
    // A word for a kind of service is its owner's under the owner's ending alone.
    if (!brands.isOwners(brand) && !brands.domains.has(`${brand}.${suffix}`)) return false
    if (brand.length >= 7) return true
    const isSwapped = brand[0] === label[1] && brand[1] === label[0]
    return (brand[0] === label[0] || isSwapped) && (label.length >= LONG_LABEL || brands.isDistinctive(brand))
  })

/** `stripe-api.com`, `secure-paypal.com`, `openaiapi.com`, `wwwstripe.com`: the owner's label beside other words. */
function decoratedLabel({ label, suffix }: NameParts, brands: Brands): string | undefined {
  const tokens = label.split('-').filter((token) => token !== '')
  if (tokens.length > 1) {
    const brand = brandAmong(tokens, suffix, brands)
    if (brand !== undefined) return brand
  }
  return gluedBrand(label, brands)
}

function brandAmong(tokens: readonly string[], suffix: string, brands: Brands): string | undefined {
  for (const token of tokens) {
    if (token.length < 4) continue
    const others = tokens.filter((other) => other !== token)
    const decoys = others.length > 0 && others.every(isDecoy)
    const exact = brands.isOwners(token) ? token : undefined
    if (exact !== undefined && (decoys || brands.isDistinctive(exact))) return exact
    if (token.length < LONG_LABEL) continue
    const imitated = brands.skeletons.get(skeleton(token))
    // A lookalike that is not the name itself is nobody's word, so what stands beside it does not matter.
    if (imitated !== undefined && imitated !== token && (decoys || /\d/.test(token))) return imitated
    const near = decoys && token.length >= 6 ? neighbour(token, suffix, brands) : undefined
    if (!brands.labels.has(token) && near !== undefined) return near
  }
  return undefined
}

const isDecoy = (word: string): boolean => DECOYS.has(word) || /^\d+$/.test(word)

/** The label itself when it is an owner's, or the one that it looks like. */
function ownerOf(word: string, brands: Brands): string | undefined {
  if (brands.labels.has(word)) return brands.isOwners(word) ? word : undefined
  return brands.skeletons.get(skeleton(word))
}

/** A label of a brand and one decoy word without anything between. */
function gluedBrand(label: string, brands: Brands): string | undefined {
  for (let cut = 2; cut < label.length - 1; cut += 1) {
    const head = label.slice(0, cut).replace(/-$/, '')
    const tail = label.slice(cut).replace(/^-/, '')
    if (tail.length >= LONG_LABEL && DECOYS.has(head)) {
      const brand = ownerOf(tail, brands)
      if (brand !== undefined) return brand
    }
    if (head.length >= LONG_LABEL && DECOYS.has(tail)) {
      const brand = ownerOf(head, brands)
      if (brand !== undefined) return brand
    }
  }
  return undefined
}

/** `openai.api-gateway.io`, `paypa1.example.dev`: the owner's label where whoever has the domain chose it. */
function misplacedLabel({ below, label }: NameParts, brands: Brands): string | undefined {
  const owner = label.split('-')
  const plainOwner = !owner.every(isDecoy)
  for (const part of below) {
    const shown = decoded(part)
    if (shown !== part) {
      const brand = brands.looks.get(latinLook(shown))
      if (brand !== undefined) return brand
    }
    const tokens = part.split('-').filter((token) => token !== '')
    for (const token of tokens) {
      if (token.length < LONG_LABEL) continue
      if (brands.isOwners(token)) {
        if (SELF_HOSTED.has(token) && plainOwner) continue
        return token
      }
      const imitated = /\d/.test(token) ? brands.skeletons.get(skeleton(token)) : undefined
      if (imitated !== undefined && imitated !== token) return imitated
    }
    const glued = plainOwner ? undefined : gluedBrand(part, brands)
    if (glued !== undefined) return glued
  }
  return undefined
}
