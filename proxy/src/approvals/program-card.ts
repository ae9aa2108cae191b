import type { UnixMs } from '../kernel/index.ts'
import type { DecisionKind } from './decisions.ts'

/**
 * The card as data: the same content for Telegram, the terminal and, later, a console. Every text in it is
 * already visible (hidden characters written out) and cut to a length; a surface adds its own escaping only.
 */
export interface CardModel {
  readonly requestId: string
  readonly skillId: string
  readonly description: string
  readonly agent: string
  /** How the request goes beyond what was approved before; leads the card when not empty. */
  readonly changes: readonly string[]
  /** Most dangerous first. */
  readonly warnings: readonly CardWarning[]
  readonly secrets: readonly CardSecret[]
  /** What the run may send, what can change things first: `POST api.stripe.com/v1/refunds · GET …/v1/charges`; `nothing` without a network. */
  readonly sends: string
  /** The hosts alone, for where there is no room for more; `none` without a network. */
  readonly network: string
  /** Modules from elsewhere: how many, how much, and which come first; null when there are none. */
  readonly imports: string | null
  readonly runtime: string
  readonly limits: string
  /** Null when the request has none. */
  readonly args: string | null
  /** The link that was sent, or the signature of a registry's skill. */
  readonly source: string | null
  /** Of a registry's skill. */
  readonly provenance: CardProvenance | null
  readonly codeHash: string
  readonly code: {
    /** Where it is no longer kept, a sentence that says so with its hash. */
    readonly text: string
    readonly lines: number
    readonly bytes: number
    /** False for a request that has ended, once its code was dropped. */
    readonly kept: boolean
  }
  readonly expiresAt: UnixMs
  /** Whether a text above was cut; `full` then says what the card cannot. */
  readonly cut: boolean
  /** Every consented fact, uncut, as plain text. */
  readonly full: string
  /** Rows of buttons, in order. */
  readonly choices: readonly (readonly { readonly decision: DecisionKind; readonly label: string }[])[]
}

/** Whose signature covers these very bytes, and what its entry says that the code needs. It approves nothing. */
interface CardProvenance {
  /** `name@version`. */
  readonly skill: string
  readonly url: string
  readonly registry: { readonly name: string; readonly key: string }
  /** Keys as `ed25519:…`; the second is the one accepted for this name before, null when none was. */
  readonly publisher: string
  readonly acceptedPublisher: string | null
  readonly pinned: boolean
  readonly declaredDescription: string
  readonly declaredSecrets: readonly string[]
  readonly declaredNetwork: readonly string[]
}

interface CardWarning {
  /** Its word in the list of dangers, in `docs/reference`. */
  readonly kind: string
  readonly text: string
  /** The same in two or three words. */
  readonly short: string
  /** Shown before all others, and never without its name. */
  readonly pinned: boolean
}

interface CardSecret {
  readonly name: string
  /** Whether the code holds the value itself. */
  readonly raw: boolean
  /** Hosts that its value may be sent to. */
  readonly goes: string
  /** What stands behind the hosts: the parts of a request that it may be in, or that the code reads it. */
  readonly how: string
  readonly missing: boolean
}
