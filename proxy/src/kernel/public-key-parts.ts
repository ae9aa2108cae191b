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

/** Each is '' where the value has none. */
export interface PublicKeyParts {
  readonly beginning: string
  readonly ending: string
}

export function publicPartsOf(value: string): PublicKeyParts {
  for (const shape of KEYS_WITH_PUBLIC_PARTS) {
    const parts = shape.exec(value)?.groups
    if (parts) return { beginning: parts.beginning ?? '', ending: parts.ending ?? '' }
  }
  return { beginning: '', ending: '' }
}

/** All that is secret of the value. */
export function withoutPublicParts(value: string): string {
  const { beginning, ending } = publicPartsOf(value)
  return value.slice(beginning.length, value.length - ending.length)
}
