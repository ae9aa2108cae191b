import { isReservedName, SECRET_NAME } from '../../../kernel/index.ts'
import type { Machine } from './machine.ts'
import { ARGS, ENVIRONMENT, taint, unknown, type Value } from './values.ts'

/**
 * Where taint by a secret begins: the value of a variable of the environment, null for any of them. A secret's name is
 * noted.
 */
export function readVariable(machine: Machine, name: string | null, at: number): Value {
  if (name === 'OAUTH3_ARGS') return unknown(taint(ARGS))
  if (name !== null && (!SECRET_NAME.test(name) || isReservedName(name))) return unknown(taint(ENVIRONMENT))
  const secret = name ?? '*'
  machine.recorder.secretRead(secret, at)
  return unknown({ bits: ENVIRONMENT, secrets: [secret] })
}
