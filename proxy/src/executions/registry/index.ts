export { createSkillRegistries, type SkillRegistries } from './registries.ts'
export { registryRoutes } from './registry-routes.ts'
export { createSkillStore } from './registry-store.ts'
export type { ResolvedSkill, ResolveSkill } from './resolve-skill.ts'
