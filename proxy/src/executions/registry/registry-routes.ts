import type { RegistryView, SkillView } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import type { KnownIndex } from './indexes.ts'
import type { SkillPin } from './ports.ts'
import type { Found, SkillRegistries } from './registries.ts'

/** Registries of skills, as the owner manages and searches them. */
export function registryRoutes({
  registries,
  owner,
}: {
  readonly registries: SkillRegistries
  readonly owner: Owner
}) {
  return {
    listRegistries: async () => ({ registries: (await registries.list()).map(viewRegistry) }),
    async presentRegistry({ body }) {
      const { url, index } = await registries.look(body.url)
      const { name, key, sequence, skills } = index
      return { url, name, key, sequence, skills: skills.length, expires_at: Date.parse(index.expires_at) }
    },
    addRegistry: async ({ body }) => viewRegistry(await registries.add(body, owner.actor)),
    refreshRegistry: async ({ params }) => viewRegistry(await registries.refresh(params.name, owner.actor)),
    async removeRegistry({ params }) {
      await registries.remove(params.name, owner.actor)
      return { ok: true }
    },

    async searchSkills({ query }) {
      const words = (query.words ?? '').split(/\s+/).filter((word) => word !== '')
      return { skills: (await registries.search(words)).map(viewSkill) }
    },
    showSkill: async ({ params }) => ({ skills: (await registries.show(params.skill)).map(viewSkill) }),
    listPins: async () => ({ pins: (await registries.pins()).map(viewPin) }),
    pinSkill: async ({ params }) => viewPin(await registries.pin(params.skill, owner.actor)),
    async unpinSkill({ params }) {
      await registries.unpin(params.skill, owner.actor)
      return { ok: true }
    },
  } satisfies Partial<AdminHandlers>
}

const viewRegistry = ({ registry, index, problem }: KnownIndex): RegistryView => ({
  name: registry.name,
  url: registry.url,
  key: registry.key,
  sequence: registry.sequence,
  skills: index?.skills.length ?? 0,
  fetched_at: registry.fetchedAt,
  expires_at: registry.expiresAt,
  added_at: registry.addedAt,
  added_by: registry.addedBy,
  problem,
})

const viewSkill = ({ entry, registry, pin, acceptedPublisher }: Found): SkillView => ({
  name: entry.name,
  version: entry.version,
  registry: registry.name,
  sha256: entry.sha256,
  bytes: entry.bytes,
  url: entry.url,
  description: entry.description,
  secrets: entry.secrets,
  network: entry.network,
  publisher: entry.publisher,
  accepted_publisher: acceptedPublisher,
  pinned: pin?.sha256 ?? null,
})

const viewPin = ({ name, version, sha256, pinnedAt, pinnedBy }: SkillPin) => ({
  skill: `${name}@${version}`,
  sha256,
  pinned_at: pinnedAt,
  pinned_by: pinnedBy,
})
