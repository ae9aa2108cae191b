import { createHash } from 'node:crypto'
import { AppError, type MachineId, type SecretValue, type TenantId } from '../../kernel/index.ts'

/** Whose bot it is: a hosted agent's, or the one that asks a tenant's approvers. */
interface BotHolder {
  readonly tenant: TenantId
  readonly machine: MachineId | null
}

/**
 * Who has which bot, over all tenants: Telegram gives each update to one of those who ask for it, so two that had the same bot would
 * lose messages to each other.
 */
export interface BotClaims {
  /** By `botOf`. Given back when it is disposed of. Throws `conflict`. */
  claim(bot: string, holder: BotHolder): Disposable
  holderOf(bot: string): BotHolder | undefined
}

/** The same for every token of one bot: SHA-256 of its id, as rows keep it. */
export function botOf(token: SecretValue): string {
  const plain = token.open()
  return createHash('sha256')
    .update(`oauth3 bot v1\0${plain.slice(0, plain.indexOf(':'))}`)
    .digest('hex')
}

export function createBotClaims(): BotClaims {
  const holders = new Map<string, BotHolder>()
  return {
    claim(bot, holder) {
      if (holders.has(bot))
        throw new AppError('conflict', 'This bot is in use here already; make another one with @BotFather.')
      holders.set(bot, holder)
      return {
        [Symbol.dispose]() {
          if (holders.get(bot) === holder) holders.delete(bot)
        },
      }
    },
    holderOf: (bot) => holders.get(bot),
  }
}
