import { randomBytes } from 'node:crypto'
import { keyPartsOf, SecretValue, wordSet } from '../kernel/index.ts'

/**
 * Beginnings that client libraries check before they send a key, each before what begins it. They say which provider a key is
 * for, which its name says already; nothing behind them is kept.
 */
const KNOWN_PREFIXES = [
  ...wordSet(`
    sk-ant-api03- sk-ant- sk-proj- sk-or-v1- sb_secret_ sb_publishable_ sk_live_ sk_test_ sk_prod_ sk_dev_ rk_live_ rk_test_
    github_pat_ glpat- xoxb- xoxp- xapp- sk- gsk_ ghp_ gho_ ghs_ hf_ pk_ r8_ AIza SG. pat- npm_ key-`),
]

const RANDOM_BYTES = 20

/** What stands for a value. */
export interface Placeholder {
  /** What the code holds. */
  readonly placeholder: string
  /** The part of it that is looked for. Before and behind it stands nothing but public parts of the value's own, however they are written. */
  readonly stem: string
  /** What takes the place of the stem: the value without those parts. */
  readonly replacement: SecretValue
}

/**
 * Placeholder, which code holds in place of a value (`placements.ts` substitutes it): random for each run, ASCII letters and digits between
 * the provider's beginning and ending, so that the stem is the same text in a header, a URL, JSON and a form. 160 random bits: code cannot
 * come upon another run's by chance.
 */
export function createPlaceholder(value: SecretValue): Placeholder {
  const plain = value.open()
  const { beginning, secret, ending } = keyPartsOf(plain)
  const prefix =
    KNOWN_PREFIXES.find((known) => secret.startsWith(known) && secret.length > known.length) ?? ''
  const stem = `${prefix}oauth3x${randomBytes(RANDOM_BYTES).toString('hex')}`
  const replacement = secret === plain ? value : new SecretValue(secret)
  return { placeholder: beginning + stem + ending, stem, replacement }
}
