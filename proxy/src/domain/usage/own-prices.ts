import { AppError, hasHiddenCharacters, type Json } from '../../kernel/index.ts'
import type { Price } from './ports.ts'

/** A million dollars for a million tokens: more is a slip of the keyboard. */
const MOST = 1_000_000_000_000

/** The owner's price as it is stored and as the audit tells it; throws invalid_request. */
export function checkedPrice(price: Price): { readonly stored: Price; readonly data: Json } {
  const { provider, model, input, output, cacheRead, cacheWrite } = price
  for (const one of [input, output, cacheRead ?? 0, cacheWrite ?? 0]) {
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
  const stored = { provider, model, input, output, cacheRead, cacheWrite }
  return {
    stored,
    data: { provider, model, input, output, cache_read: cacheRead, cache_write: cacheWrite },
  }
}
