import { AppError, MIN_SECRET_BYTES, type SecretValue } from '../../kernel/index.ts'
import type { SeatAuth } from '../providers/index.ts'
import type { NewProviderKey } from './ports.ts'

/** What the owner gives with a key is evaluated here; each function throws invalid_request or too_large. */

const LABEL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** Printable ASCII, with a star at most at the end. */
const MODEL = /^[\x21-\x29\x2b-\x7e]{1,200}\*?$|^\*$/
const MAX_MODELS = 64
/** Servers take about this much in a header. */
const MAX_KEY_BYTES = 8_192
const MAX_WEIGHT = 1_000

export function assertLabel(label: string): void {
  if (!LABEL.test(label)) {
    throw new AppError('invalid_request', "A key's label is 1–64 of A–Z a–z 0–9 . _ -")
  }
}

export function assertWeight(weight: number): void {
  if (!Number.isSafeInteger(weight) || weight < 1 || weight > MAX_WEIGHT) {
    throw new AppError('invalid_request', `A key's weight is a whole number from 1 to ${MAX_WEIGHT}.`)
  }
}

/** Null for a key of every model. */
export function canonicalModels(models: readonly string[]): readonly string[] | null {
  const canonical = [...new Set(models)].sort()
  if (canonical.length > MAX_MODELS) {
    throw new AppError('invalid_request', `A key is for at most ${MAX_MODELS} models.`)
  }
  if (!canonical.every((model) => MODEL.test(model))) {
    throw new AppError(
      'invalid_request',
      'A model is a name without spaces, or the beginning of one and a *.',
    )
  }
  return canonical.length === 0 || canonical.includes('*') ? null : canonical
}

/** It has to fit a header, where white space at its ends is lost and a line break would be another header. */
export function assertKeyValue(value: SecretValue): void {
  const plaintext = value.open()
  if (plaintext.length > MAX_KEY_BYTES) {
    throw new AppError('too_large', `A key is at most ${MAX_KEY_BYTES} bytes.`)
  }
  if (plaintext.length < MIN_SECRET_BYTES || !/^[\x21-\x7e]+$/.test(plaintext)) {
    throw new AppError(
      'invalid_request',
      `A key has at least ${MIN_SECRET_BYTES} characters, all of them printable ASCII and none of them a space.`,
    )
  }
}

/** A seat is no key: one sent in the place of the other is refused by the vendor, and agents may use keys alone. */
export function assertKind(
  { provider, value, isSeat, tags }: Pick<NewProviderKey, 'provider' | 'value' | 'isSeat' | 'tags'>,
  seat: SeatAuth | undefined,
): void {
  const problem =
    isSeat === true ? seatProblem(provider, value, tags, seat) : keyProblem(provider, value, seat)
  if (problem !== null) throw new AppError('invalid_request', problem)
}

const keyProblem = (provider: string, value: SecretValue, seat: SeatAuth | undefined): string | null =>
  seat !== undefined && isSeatToken(value.open(), seat)
    ? `That is the token of a subscription's seat, which no agent may use. For runs of apps: oauth3 key add ${provider} --seat`
    : null

function seatProblem(
  provider: string,
  value: SecretValue,
  tags: readonly string[] = [],
  seat?: SeatAuth,
): string | null {
  if (seat === undefined) return `${provider} is not known to have seats.`
  if (!isSeatToken(value.open(), seat))
    return `That is no token of a seat: one begins with ${seat.tokenPrefix}, and claude setup-token prints it.`
  return tags.length > 0
    ? 'A seat takes no tags: no agent uses it, and an app does where its owner says so (--seat).'
    : null
}

const isSeatToken = (text: string, { tokenPrefix }: SeatAuth): boolean =>
  text.startsWith(tokenPrefix) && /^[0-9]{2}-[A-Za-z0-9_-]{16,}$/.test(text.slice(tokenPrefix.length))

/** Whether a list of names and beginnings covers the model; a list covers no request that names none. */
export function coversModel(models: readonly string[] | null, model: string | null): boolean {
  if (models === null) return true
  if (model === null) return false
  return models.some((one) => (one.endsWith('*') ? model.startsWith(one.slice(0, -1)) : model === one))
}
