/** Requests for approval as the admin socket tells them, whatever they are for. Times are unix milliseconds. */
import { z } from 'zod'
import { givenGrant } from './llm-schemas.ts'
import { assertionJson } from './passkey-routes.ts'
import { cardView, consentHash, flag, MAX_REASON_CHARS, RISKS } from './schemas.ts'

export const approvalsQuery = z.strictObject({
  /** The newest, whatever their state, in place of what waits. */
  all: flag.optional(),
})

const approvalSummary = z.object({
  id: z.string(),
  /** `execution`, `provider_access`, `run_tool_call`. */
  kind: z.string(),
  /** The name of who asks: an agent, or an app where `asked_by` says so. */
  agent: z.string(),
  /** The id of who asks. */
  requester_id: z.string(),
  asked_by: z.enum(['agent', 'app']),
  /** In a few words: every text in it, and in all that follows, is visible already. */
  summary: z.string(),
  state: z.enum(['pending', 'approved', 'denied', 'expired', 'cancelled']),
  /** The state in the words of its kind: an execution goes on once it is approved. */
  status: z.string(),
  /** A person has something to do: to answer, or to give what it lacks once it is approved. */
  waiting: z.boolean(),
  /** Nothing comes of it any more. */
  ended: z.boolean(),
  /** It was approved, and what it led to goes on or is about to: stopRequest ends it. */
  can_stop: z.boolean(),
  /** Why what it led to failed: the `failure` of its execution; null: it did not, or nothing that can fail comes of it. */
  failure: z.string().nullable(),
  /** Of all that its card shows; a decision names it. */
  consent_hash: z.string(),
  created_at: z.int(),
  expires_at: z.int(),
  /** High: a yes takes a passkey, in the console. */
  risk: z.enum(RISKS),
  /** How many persons have to say yes, by the rules of now, and how many have. */
  approvals_needed: z.int(),
  approvals_given: z.int(),
  /** The yeses that count. `answer`: the label of the choice. */
  approvals: z.array(
    z.object({
      by: z.string(),
      channel: z.enum(['telegram', 'terminal', 'console']),
      answer: z.string(),
      at: z.int(),
    }),
  ),
  /** When whoever is asked was reminded of it; null: they were not. */
  reminded_at: z.int().nullable(),
  /** It expired, and askAgain asks it once more. */
  can_ask_again: z.boolean(),
  /** The request that this one asks once more. */
  again_of: z.string().nullable(),
  /** The request that asks this one once more. */
  superseded_by: z.string().nullable(),
})
export const approvalList = z.object({ approvals: z.array(approvalSummary) })

const textPart = z.union([z.string(), z.object({ strong: z.string() }), z.object({ name: z.string() })])
const textLine = z.array(textPart)
const tone = z.enum(['good', 'bad'])

const approvalChoice = z.object({
  /** The word of the answer. */
  choice: z.string(),
  label: z.string(),
  /** How long the yes holds; null: it is the no. */
  holds: z.enum(['once', '1h', '24h', 'forever', 'limited']).nullable(),
  /** In which way it gives another thing than was asked; null: just that. */
  scope: z.string().nullable(),
  /** What the yes covers. */
  gives: z.string().nullable(),
  takes_reason: z.boolean(),
  /** The terms that it takes, by their names; empty: none. */
  terms: z.array(z.string()),
  /** It is no answer without one of them. */
  needs_terms: z.boolean(),
})

export const approvalView = approvalSummary.extend({
  shown: z.discriminatedUnion('form', [
    z.object({
      ...{ form: z.literal('lines'), lines: z.array(textLine), question: z.string() },
      /** To be read whole; null: there is none. */
      text: z.object({ label: z.string(), text: z.string() }).nullable(),
    }),
    z.object({ form: z.literal('program'), card: cardView }),
  ]),
  /** What a yes takes beyond one person's word; to be shown above the card. */
  notes: z.array(textLine),
  choices: z.array(approvalChoice),
  /** What a person has to do now that it is approved. */
  awaited: z.string().nullable(),
  outcome: z.object({
    lines: z.array(textLine),
    tone: tone.nullable(),
    /** Behind the status. */
    note: z.string(),
    decided: z.object({ answer: z.string(), by: z.string(), at: z.int() }).nullable(),
    rows: z.array(z.object({ label: z.string(), value: z.string(), tone: tone.nullable() })),
    texts: z.array(z.object({ label: z.string(), text: z.string() })),
  }),
  /** What versions before told of its kind, by the names that they gave it. */
  details: z.record(z.string(), z.unknown()),
})

/** Every text is visible already. */
export const comparedTexts = z.object({
  texts: z.array(
    z.object({
      label: z.string(),
      /** Null: it is no longer kept. */
      before: z.string().nullable(),
      now: z.string(),
    }),
  ),
})

export const approvalDecisionBody = z.strictObject({
  /** A word of `choices`. */
  choice: z.string().min(1).max(64),
  /** Of the card that the person was shown. */
  consent_hash: consentHash,
  /** Of a denial that takes one: told to the agent. */
  reason: z.string().trim().min(1).max(MAX_REASON_CHARS).optional(),
  /**
   * What is given in place of what was asked, as far as the choice takes any: of a program `uses` (a number) and `until` (unix
   * milliseconds); of a provider `models`, `paths`, `limits` and `until`.
   */
  terms: z.record(z.string().max(64), z.json()).optional(),
  /** At the console, where the risk is high: the assertion for a challenge of `decisionOptions` about just this answer. */
  proof: assertionJson.optional(),
})
export const askAgainBody = z.strictObject({
  /** Of the card that expired. */
  consent_hash: consentHash,
})
/** With the grant for a provider that came of it, if one did. */
export const decidedApproval = approvalView.extend({
  message: z.string(),
  grant: givenGrant.nullable(),
})

export type ApprovalSummary = z.infer<typeof approvalSummary>
export type ApprovalView = z.infer<typeof approvalView>
export type ApprovalChoiceView = z.infer<typeof approvalChoice>
export type ShownLine = z.infer<typeof textLine>
