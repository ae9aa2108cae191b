import { AppError } from '../../kernel/index.ts'

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

export const isTenantName = (name: string): boolean => NAME.test(name)

/** Throws invalid_request. */
export function assertTenantName(name: string): void {
  if (isTenantName(name)) return
  throw new AppError('invalid_request', "A tenant's name is 1–32 of a–z 0–9 - and does not begin with -.")
}
