import { AppError, hasHiddenCharacters, type Json } from '../../kernel/index.ts'
import { PRICED_ITEMS, type Price } from './ports.ts'

/** A million dollars for a million tokens: more is a slip of the keyboard. */
const MOST = 1_000_000_000_000

/** The owner's price as it is stored and as the audit tells it; throws invalid_request. */
export function checkedPrice(price: Price): { readonly stored: Price; readonly data: Json } {
  const { provider, model, input, output, cacheRead, cacheWrite } = price
  const parts = partsOf(price)
  const { items = {}, ...media } = parts
  const unknown = Object.keys(items).find((item) => !PRICED_ITEMS.some((name) => name === item))
  if (unknown !== undefined) {
    throw new AppError(
      'invalid_request',
      `There is no piece ${unknown}; there are ${PRICED_ITEMS.join(', ')}.`,
    )
  }
  const ofParts = [...Object.values(media), ...Object.values(items)]
  for (const one of [input, output, cacheRead ?? 0, cacheWrite ?? 0, ...ofParts]) {
    if (!Number.isSafeInteger(one) || one < 0 || one > MOST) {
      throw new AppError('invalid_request', 'A price is a whole number of millionths of a dollar, from 0.')
    }
  }
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(provider)) {
    throw new AppError('invalid_request', 'A price names its provider.')
  }
  const name = model.endsWith('*') ? model.slice(0, -1) : model
  const isName = model !== '' && [...model].length <= 128 && !name.includes('*')
  if (!isName || model.trim() !== model || hasHiddenCharacters(model) || /[\t\n]/.test(model)) {
    throw new AppError(
      'invalid_request',
      'A model is named in 1 to 128 visible characters; `*` may stand at the end.',
    )
  }
  const stored = { provider, model, input, output, cacheRead, cacheWrite, ...parts }
  return {
    stored,
    data: {
      ...{ provider, model, input, output, cache_read: cacheRead, cache_write: cacheWrite },
      ...Object.fromEntries(
        MEDIA.flatMap(([name, told]) => (media[name] === undefined ? [] : [[told, media[name]]])),
      ),
      ...(parts.items === undefined ? {} : { items: { ...parts.items } }),
    },
  }
}

const MEDIA = [
  ['audioInput', 'audio_input'],
  ['audioOutput', 'audio_output'],
  ['imageInput', 'image_input'],
  ['imageOutput', 'image_output'],
] as const

/** What is priced apart from text, without what is not set. */
function partsOf({ items, ...price }: Price): Pick<Price, (typeof MEDIA)[number][0] | 'items'> {
  return {
    ...Object.fromEntries(
      MEDIA.flatMap(([name]) => (price[name] === undefined ? [] : [[name, price[name]]])),
    ),
    ...(items === undefined || Object.keys(items).length === 0 ? {} : { items: { ...items } }),
  }
}
