import { AppError } from '../../kernel/index.ts'

/** ASCII alone: two addresses that look the same are the same (homoglyphs). */
const ADDRESS =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,190}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/

/** An address in the one form that it is stored and looked for in; undefined for what is none. */
export function canonicalEmail(given: string): string | undefined {
  const email = given.trim().toLowerCase()
  return ADDRESS.test(email) ? email : undefined
}

/** Throws invalid_request. */
export function assertEmail(given: string): string {
  const email = canonicalEmail(given)
  if (email === undefined)
    throw new AppError(
      'invalid_request',
      'email: this is no address; write it as name@example.com, in ASCII.',
    )
  return email
}
