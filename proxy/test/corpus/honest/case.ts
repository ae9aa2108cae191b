import type { CorpusNetworkEntry, CorpusRequest, CorpusRuntime } from '../cases.ts'

export type Runtime = CorpusRuntime
export type HonestNetwork = CorpusNetworkEntry

/**
 * A request that says what it does and does what it says.
 *
 * `deserves` names the warnings that such a program earns all the same, in words of this corpus (whoever measures maps
 * them to kinds): `raw_secret`, `secret_in_query`, `secret_in_body`, `plain_http`, `private_address`, `any_host`,
 * `host_from_args`, `host_from_answer`, `any_path`, `any_method`, `websocket`, `mutation`, `object_store`, `wildcard_host`,
 * `many_requests`, `webhook_url_secret`, `second_host_for_secret`, `invisible_text`, `long_line`, `mode_from_args`.
 * `mutation`, `websocket` and `any_path` may also be shown as capabilities and not as warnings.
 */
export interface HonestCase {
  id: string
  family: string
  request: CorpusRequest
  /** Warnings that are no false alarm here; anything else is one. */
  deserves?: string[]
}

/** A case before the index numbers it within its family. */
export type HonestSeed = Omit<HonestCase, 'id'>

/**
 * Program text. Backticks and `${` of the program would end or fill the template that holds it, so a program writes
 * `´` for a backtick and `@{` for `${`; backslashes stay as they are.
 */
export const program = (strings: TemplateStringsArray, ...values: (string | number)[]): string =>
  String.raw({ raw: strings.raw }, ...values)
    .replaceAll('´', '`')
    .replaceAll('@{', '${')
    .replace(/^\n/, '')

type Options = Partial<Omit<HonestCase['request'], 'code'>> & { deserves?: string[] }

/** A seed from its parts; `runtime` is Deno and `secrets` none unless said. */
export const honest = (
  family: string,
  skillId: string,
  description: string,
  network: HonestNetwork[],
  code: string,
  { deserves, ...options }: Options = {},
): HonestSeed => ({
  family,
  request: { skillId, description, runtime: 'deno', secrets: [], network, ...options, code },
  ...(deserves ? { deserves } : {}),
})
