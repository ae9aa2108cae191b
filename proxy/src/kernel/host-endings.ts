/**
 * Keys whose ending (the group) client libraries read a host from, which is part of what was approved: DeepL's of free accounts,
 * Mailchimp's with their data center, Svix's with their region. Before it is left enough to be recognised.
 */
const KEYS_WITH_HOST = [
  /^[0-9a-f-]{36}(:fx)$/,
  /^[0-9a-f]{32}(-us[0-9]{1,2})$/,
  /^(?:test)?sk_.{3,}(\.(?:eu|us|ca|au|in))$/,
]

/** Which says nothing that is secret; '' where the value has none. */
export const hostEndingOf = (value: string): string =>
  KEYS_WITH_HOST.map((shape) => shape.exec(value)?.[1]).find(Boolean) ?? ''

/** All that is secret of the value. */
export const withoutHostEnding = (value: string): string =>
  value.slice(0, value.length - hostEndingOf(value).length)
