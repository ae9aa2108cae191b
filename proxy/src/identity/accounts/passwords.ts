import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { AppError, createFairSlots, type SecretValue } from '../../kernel/index.ts'

/** Argon2id (RFC 9106) as OWASP's cheat sheet on password storage has it: 19 MiB, two passes, one lane. */
const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1 } as const
const SALT_BYTES = 16
const TAG_BYTES = 32

const PASSWORD_LENGTH = { min: 8, max: 256 } as const

/** Hashes and compares passwords on libuv's threads, so that the event loop never stops for one. */
export interface Passwords {
  /** PHC string. Throws invalid_request for what is no good password, rate_limited where too many wait. */
  hash(password: SecretValue, of: PasswordOwner): Promise<string>
  /** The same work whether or not there is a hash (enumeration by time). Throws rate_limited where too many wait. */
  matches(password: SecretValue, hash: string | null, network: string): Promise<boolean>
}

interface PasswordOwner {
  /** Who asks: one network alone never holds every place. */
  readonly network: string
  readonly email: string | null
}

const hashed = promisify(argon2)
const derive = (password: string, nonce: Buffer, parameters: CostParameters = PARAMETERS): Promise<Buffer> =>
  hashed('argon2id', { message: password, nonce, tagLength: TAG_BYTES, ...parameters })

interface CostParameters {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,64})\$([A-Za-z0-9+/]{43})$/

/** Of nobody: compared with where there is no account, or none with a password. */
const NOBODYS = `$argon2id$v=19$m=${PARAMETERS.memory},t=${PARAMETERS.passes},p=${PARAMETERS.parallelism}$${text(Buffer.alloc(SALT_BYTES))}$${text(Buffer.alloc(TAG_BYTES))}`

export function createPasswords(): Passwords {
  const slots = createFairSlots({ total: 2, perOwner: 1, waiting: { perOwner: 16, total: 128 } })
  const inPlace = async <T>(network: string, work: () => Promise<T>): Promise<T> => {
    using place = await slots.take(network)
    if (place === undefined)
      throw new AppError('rate_limited', 'Too many sign-ins at once; see Retry-After.', {
        retryAfterSeconds: 2,
      })
    return await work()
  }
  return {
    async hash(password, { network, email }) {
      const checked = checkedPassword(password.open(), email)
      const salt = randomBytes(SALT_BYTES)
      const tag = await inPlace(network, () => derive(checked, salt))
      const { memory, passes, parallelism } = PARAMETERS
      return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(salt)}$${text(tag)}`
    },
    async matches(password, hash, network) {
      const [, memory, passes, parallelism, salt = '', tag = ''] = PHC.exec(hash ?? NOBODYS) ?? []
      const found = await inPlace(network, () =>
        derive(password.open().normalize('NFC').slice(0, PASSWORD_LENGTH.max), Buffer.from(salt, 'base64'), {
          memory: Number(memory),
          passes: Number(passes),
          parallelism: Number(parallelism),
        }),
      )
      return timingSafeEqual(found, Buffer.from(tag, 'base64')) && hash !== null
    },
  }
}

function checkedPassword(given: string, email: string | null): string {
  const password = given.normalize('NFC')
  const { min, max } = PASSWORD_LENGTH
  if (password.length < min || password.length > max)
    throw new AppError('invalid_request', `A password has ${min}–${max} characters.`)
  if (new Set(password).size < 4)
    throw new AppError('invalid_request', 'This password is too easily guessed: it repeats itself.')
  const low = password.toLowerCase()
  if (email !== null && (low === email || low === email.split('@')[0]))
    throw new AppError('invalid_request', 'The password is the email address; choose another.')
  return password
}
