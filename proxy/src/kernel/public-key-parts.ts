/**
 * Keys with a part that is no secret and that client libraries read before they send anything: which host or account to ask, or whether it is
 * a key of theirs at all. DeepL's of free accounts, Mailchimp's with their data center, Svix's with their region; Ably's with the name of
 * the key, Braintree's with the merchant, Vercel Blob's with the store, Twilio's account SID. What is left is enough to be recognised.
 */
const KEYS_WITH_PUBLIC_PARTS = [
  /^[0-9a-f-]{36}(?<ending>:fx)$/,
  /^[0-9a-f]{32}(?<ending>-us[0-9]{1,2})$/,
  /^(?:test)?sk_.{3,}(?<ending>\.(?:eu|us|ca|au|in))$/,
  /^(?<beginning>[\w-]{6}\.[\w-]{6}:)[\w-]{32,}$/,
  /^(?<beginning>access_token\$(?:development|sandbox|production|qa)\$[a-z0-9]+\$)[0-9a-f]{32}$/,
  /^(?<beginning>vercel_blob_rw_[A-Za-z0-9]+_)[A-Za-z0-9]{16,}$/,
  /^(?<beginning>AC)[0-9a-f]{32}$/,
]

/** A value in three; the public ones are '' where it has none. */
export interface KeyParts {
  readonly beginning: string
  readonly secret: string
  readonly ending: string
}

export function keyPartsOf(value: string): KeyParts {
  const groups = KEYS_WITH_PUBLIC_PARTS.map((shape) => shape.exec(value)?.groups).find(Boolean)
  const { beginning = '', ending = '' } = groups ?? {}
  return { beginning, secret: value.slice(beginning.length, value.length - ending.length), ending }
}
