import { z } from 'zod'
import type { Route } from '../index.ts'

/** Keys are `ed25519:…`; times are unix milliseconds. */
const registryView = z.object({
  name: z.string(),
  url: z.string(),
  key: z.string(),
  /** Number of its newest index. */
  sequence: z.int(),
  skills: z.int(),
  fetched_at: z.int(),
  /** When its index is good no more. */
  expires_at: z.int(),
  added_at: z.int(),
  added_by: z.string(),
  /** Why nothing of it is taken; null while it is. Completes "the index …". */
  problem: z.string().nullable(),
})
export type RegistryView = z.output<typeof registryView>

/** A registry as it presents itself, for a person to confirm its key. */
const presentedRegistry = z.object({
  url: z.string(),
  name: z.string(),
  key: z.string(),
  sequence: z.int(),
  skills: z.int(),
  expires_at: z.int(),
})

const skillView = z.object({
  name: z.string(),
  version: z.string(),
  registry: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  url: z.string(),
  /** As its publisher wrote it: one line of visible text. */
  description: z.string(),
  /** What the code needs, as its publisher says. */
  secrets: z.array(z.string()),
  network: z.array(z.string()),
  publisher: z.string(),
  /** Whose signature was accepted last for this name; null: nobody's yet. */
  accepted_publisher: z.string().nullable(),
  /** Of the bytes that this version is pinned to; null: to none. */
  pinned: z.string().nullable(),
})
export type SkillView = z.output<typeof skillView>

const pinView = z.object({
  skill: z.string(),
  sha256: z.string(),
  pinned_at: z.int(),
  pinned_by: z.string(),
})

const address = z.string().min(1).max(2_048)
const isOfThisMachine = ({ body }: { body: { url: string } }): boolean => !body.url.startsWith('https:')
const NOT_READ = ['invalid_request', 'skill_unreachable', 'skill_url_refused', 'registry_refused'] as const

/** Registries of skills. They vouch for bytes and approve nothing: code of theirs is asked about as any other. */
export const REGISTRY_ROUTES = {
  listRegistries: {
    method: 'GET',
    path: '/v1/registries',
    summary: 'The registries, their keys and how their indexes stand.',
    scope: 'owner',
    action: 'registry.list',
    answer: z.object({ registries: z.array(registryView) }),
    errors: [],
  },
  presentRegistry: {
    method: 'POST',
    path: '/v1/registries/present',
    summary: 'What is behind an address, for a person to confirm its key; nothing is kept.',
    scope: 'owner',
    action: 'registry.manage',
    alsoTakes: { action: 'host.reach', when: isOfThisMachine },
    body: z.strictObject({ url: address }),
    answer: presentedRegistry,
    errors: NOT_READ,
  },
  addRegistry: {
    method: 'POST',
    path: '/v1/registries',
    summary: 'Add a registry by the key that was confirmed; an index that is signed by another is refused.',
    scope: 'owner',
    action: 'registry.manage',
    alsoTakes: { action: 'host.reach', when: isOfThisMachine },
    body: z.strictObject({ url: address, key: z.string().max(100) }),
    answer: registryView,
    errors: [...NOT_READ, 'conflict'],
  },
  refreshRegistry: {
    method: 'POST',
    path: '/v1/registries/:name/refresh',
    summary: 'Look for a newer index now.',
    scope: 'owner',
    action: 'registry.manage',
    answer: registryView,
    errors: [...NOT_READ, 'not_found'],
  },
  removeRegistry: {
    method: 'DELETE',
    path: '/v1/registries/:name',
    summary: 'Forget a registry; what was approved of it stays approved.',
    scope: 'owner',
    action: 'registry.manage',
    answer: z.object({ ok: z.literal(true) }),
    errors: ['not_found'],
  },

  searchSkills: {
    method: 'GET',
    path: '/v1/skills',
    summary:
      'At most 50 entries with each of the words in name or description, of publishers whose signatures hold.',
    scope: 'owner',
    action: 'registry.list',
    query: z.strictObject({ words: z.string().max(200).optional() }),
    answer: z.object({ skills: z.array(skillView) }),
    errors: ['invalid_request'],
  },
  showSkill: {
    method: 'GET',
    path: '/v1/skills/:skill',
    summary: 'Every version of a name, newest first, or the one of `name@version`.',
    scope: 'owner',
    action: 'registry.list',
    answer: z.object({ skills: z.array(skillView) }),
    errors: ['invalid_request', 'not_found', 'conflict', 'registry_refused'],
  },
  listPins: {
    method: 'GET',
    path: '/v1/skill-pins',
    summary: 'Versions of skills that are good with one hash alone.',
    scope: 'owner',
    action: 'registry.list',
    answer: z.object({ pins: z.array(pinView) }),
    errors: [],
  },
  pinSkill: {
    method: 'PUT',
    path: '/v1/skill-pins/:skill',
    summary: 'Pin `name@version` to the bytes that its registry lists now; other bytes under it are refused.',
    scope: 'owner',
    action: 'registry.manage',
    answer: pinView,
    errors: ['invalid_request', 'not_found', 'conflict', 'registry_refused'],
  },
  unpinSkill: {
    method: 'DELETE',
    path: '/v1/skill-pins/:skill',
    summary: 'Take what the registries list under `name@version` again.',
    scope: 'owner',
    action: 'registry.manage',
    answer: z.object({ ok: z.literal(true) }),
    errors: ['not_found'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
