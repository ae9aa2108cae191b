import type { HeaderField } from '../../egress/index.ts'
import { type Providers, type Route, routeOf } from '../providers/index.ts'
import type { AccessRules } from './caller.ts'
import { type BadCredential, type TakenCredential, takeCredential } from './credentials.ts'
import type { AnswerShape } from './error-form.ts'
import type { Identity } from './identity.ts'
import { type LlmRefusal, refused } from './refusal.ts'

/** How a request target and the credential beside it are read at an entrance. */
export interface Addressing {
  /** Of a normalised path; null where there is nothing. */
  routeOf(path: string): Route | null
  readonly unknown: LlmRefusal
  /** Of a refusal for which nobody knows whose endpoint it is about. */
  readonly shape: AnswerShape
  take(path: string, fields: readonly HeaderField[], query: string): TakenCredential | BadCredential
}

/** A way into the proxy: how a request tells whose it is, and by what it is let through. All else is the same for everybody. */
export interface Entrance {
  readonly addressing: Addressing
  readonly identity: Identity
  readonly access: AccessRules
  /** Told of each request that is refused. */
  refused?(refusal: LlmRefusal): void
}

/** Of agents, who say with a token who they are. */
export const agentsEntrance = (
  providers: Pick<Providers, 'find'>,
  identity: Identity,
  access: AccessRules,
): Entrance => ({
  addressing: {
    routeOf: (path) => routeOf(path, providers),
    unknown: refused('unknown_path', 'No such path; see GET /openapi.json.'),
    shape: 'openai',
    take: takeCredential,
  },
  identity,
  access,
})
